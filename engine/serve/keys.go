package serve

import (
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"runtime"

	"timestation/engine/ntp"
)

// keyring is what a key file held. It is replaced as a whole.
type keyring struct{ keys []ntp.Key }

// KeyFileError says what is wrong with a key file: an error of the configuration, which waiting does not mend.
type KeyFileError struct{ error }

// Unwrap gives the cause.
func (e KeyFileError) Unwrap() error { return e.error }

// readKeys reads a key file; no path is an empty ring. Every error is a KeyFileError.
func readKeys(path string) (*keyring, error) {
	keys, err := parseKeyFile(path)
	if err != nil {
		return nil, KeyFileError{err}
	}
	return keys, nil
}

func parseKeyFile(path string) (*keyring, error) {
	if path == "" {
		return &keyring{}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keys: %w; make one with timestation init, or leave keys empty", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("keys: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("keys: %s is not a file; name the key file", path)
	case open(info.Mode()):
		return nil, fmt.Errorf("keys: %s is open to group or others (mode %#o); run: chmod 600 %s",
			path, info.Mode().Perm(), path)
	}
	keys, err := ntp.ParseKeys(f)
	if err != nil {
		return nil, fmt.Errorf("keys: %s: %w", path, err)
	}
	return &keyring{keys}, nil
}

// open reports whether group or others may read or write. Windows has no such bits.
func open(mode fs.FileMode) bool { return runtime.GOOS != "windows" && mode&0o066 != 0 }

// has reports whether there is a key of that number.
func (k *keyring) has(id uint32) bool {
	for _, key := range k.keys {
		if key.ID == id {
			return true
		}
	}
	return false
}

// signer is one key in one worker's hands.
type signer struct {
	*ntp.Authenticator
	from []netip.Prefix // who may use it; none is everybody
}

func (s signer) permits(from netip.Addr) bool {
	return len(s.from) == 0 || contains(s.from, from.WithZone(""))
}

// signers makes one for each key, for one worker's use.
func (k *keyring) signers() map[uint32]signer {
	all := make(map[uint32]signer, len(k.keys))
	for _, key := range k.keys {
		// ParseKeys has checked the length, the one thing that can be wrong with a key.
		if a, err := ntp.NewAuthenticator(key); err == nil {
			all[key.ID] = signer{a, key.From}
		}
	}
	return all
}
