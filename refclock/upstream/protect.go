package upstream

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"timestation/engine/ntp"
	"timestation/engine/nts"
)

// protection makes packets that nobody can forge, and checks them.
type protection interface {
	// protect adds what protects a request to b, which holds its header.
	protect(b []byte) ([]byte, error)
	// check tells why an answer is not authentic; it is called only for what repeats the request's random number.
	check(packet []byte, p *ntp.Packet) reason
	// name is what the Signal page shows; authenticated is false for none.
	name() string
	authenticated() bool
}

type unprotected struct{}

func (unprotected) protect(b []byte) ([]byte, error) { return b, nil }
func (unprotected) check([]byte, *ntp.Packet) reason { return used }
func (unprotected) name() string                     { return "none" }
func (unprotected) authenticated() bool              { return false }

// signed is a symmetric key. Longer digests are truncated to what version 4 has room for, which chrony and ntpsec accept.
type signed struct {
	key ntp.Key
	mac *ntp.Authenticator
}

func (s signed) protect(b []byte) ([]byte, error) { return s.mac.Append(b, ntp.TruncatedLen), nil }

func (s signed) check(_ []byte, p *ntp.Packet) reason {
	if p.Digest == nil || p.KeyID != s.key.ID || !s.mac.Check(p.Signed, p.Digest) {
		return notAuthentic
	}
	return used
}

func (s signed) name() string      { return s.key.Algorithm.String() }
func (signed) authenticated() bool { return true }

// underNTS uses up a cookie a request.
type underNTS struct {
	client *nts.Client
	// refused: the server cannot open our cookies any more.
	refused bool
}

func (u *underNTS) protect(b []byte) ([]byte, error) { return u.client.AppendRequest(b) }

func (u *underNTS) check(packet []byte, p *ntp.Packet) reason {
	if err := u.client.Open(packet, p); err == nil {
		u.refused = false
		return used
	}
	if u.client.IsNAK(packet, p) {
		u.refused = true
		return cookieRefused
	}
	return notAuthentic
}

func (u *underNTS) name() string      { return "NTS " + u.client.Algorithm().String() }
func (*underNTS) authenticated() bool { return true }

// findKey reads one key from a key file.
func findKey(path string, id uint32) (ntp.Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return ntp.Key{}, fmt.Errorf("keys: %w; name the key file", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ntp.Key{}, fmt.Errorf("keys: %w", err)
	}
	if open(info.Mode()) {
		return ntp.Key{}, fmt.Errorf("keys: %s is open to group or others (mode %#o); run: chmod 600 %s", path,
			info.Mode().Perm(), path)
	}
	keys, err := ntp.ParseKeys(f)
	if err != nil {
		return ntp.Key{}, fmt.Errorf("keys: %s: %w", path, err)
	}
	for _, k := range keys {
		if k.ID == id {
			return k, nil
		}
	}
	return ntp.Key{}, fmt.Errorf("key: %s has no key %d; add it there, as the server has it", path, id)
}

// open reports whether group or others may read or write. Windows has no such bits.
func open(mode fs.FileMode) bool { return runtime.GOOS != "windows" && mode&0o066 != 0 }
