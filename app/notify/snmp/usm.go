package snmp

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"hash"
)

// User is one of version 3: every request must be signed, and encrypted if it has a PrivacyPassword.
type User struct {
	Name string
	// Auth is "sha" (HMAC-SHA-1-96) or "sha256" (HMAC-SHA-256-192). Passwords have at least 8 characters (RFC 3414,
	// section 11.2).
	Auth            string
	Password        string
	PrivacyPassword string
}

// account is a user with the keys for one engine.
type account struct {
	name         string
	hash         func() hash.Hash
	truncated    int // octets of the signature
	key, privacy []byte
}

// Validate names what is wrong with a user, in one line.
func (u User) Validate() error {
	const shortest = 8
	switch {
	case u.Name == "" || len(u.Name) > 32:
		return fmt.Errorf("user: %q has not 1 to 32 characters", u.Name)
	case u.Auth != "sha" && u.Auth != "sha256":
		return fmt.Errorf(`auth: %q is none of "sha" and "sha256"`, u.Auth)
	case len(u.Password) < shortest:
		return fmt.Errorf("auth_password_file: holds less than %d characters", shortest)
	case u.PrivacyPassword != "" && len(u.PrivacyPassword) < shortest:
		return fmt.Errorf("privacy_password_file: holds less than %d characters", shortest)
	}
	return nil
}

func (u User) account(engine []byte) account {
	a := account{name: u.Name, hash: sha1.New, truncated: 12}
	if u.Auth == "sha256" {
		a.hash, a.truncated = sha256.New, 24
	}
	a.key = localised(a.hash, u.Password, engine)
	if u.PrivacyPassword != "" {
		a.privacy = localised(a.hash, u.PrivacyPassword, engine)[:aes.BlockSize]
	}
	return a
}

// localised makes a user's key for one engine of a password (RFC 3414, appendix A.2).
func localised(newHash func() hash.Hash, password string, engine []byte) []byte {
	const length = 1 << 20
	h := newHash()
	for written := 0; written < length; {
		piece := password[:min(len(password), length-written)]
		h.Write([]byte(piece))
		written += len(piece)
	}
	digest := h.Sum(nil)
	h.Reset()
	h.Write(digest)
	h.Write(engine)
	h.Write(digest)
	return h.Sum(nil)
}

// sign computes the signature of a whole message in which its place is zeros.
func (a account) sign(message []byte) []byte {
	mac := hmac.New(a.hash, a.key)
	mac.Write(message)
	return mac.Sum(nil)[:a.truncated]
}

// feedback encrypts or decrypts with AES-128 in cipher feedback mode under the salt of a message (RFC 3826, section
// 3.1.2.1; the mode is that of NIST SP 800-38A, 6.3, with segments of 128 bits).
func (a account) feedback(data []byte, boots, time uint32, salt []byte, decrypt bool) ([]byte, error) {
	block, err := aes.NewCipher(a.privacy)
	if err != nil {
		return nil, err
	}
	vector := binary.BigEndian.AppendUint32(nil, boots)
	vector = binary.BigEndian.AppendUint32(vector, time)
	vector = append(vector, salt...)
	out := make([]byte, len(data))
	for at := 0; at < len(data); at += aes.BlockSize {
		end := min(at+aes.BlockSize, len(data))
		block.Encrypt(vector, vector)
		subtle.XORBytes(out[at:end], data[at:end], vector)
		if decrypt {
			copy(vector, data[at:end])
		} else {
			copy(vector, out[at:end])
		}
	}
	return out, nil
}
