package keys

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"timestation/engine/ntp"
)

// Types are those a new key may have: the cheapest to reckon that every client knows first, which is the default.
var Types = []ntp.Algorithm{ntp.AES128, ntp.AES192, ntp.AES256, ntp.SHA256, ntp.SHA384, ntp.SHA512, ntp.SHA1, ntp.MD5}

// ParseType takes chrony's and ntpsec's names, in any case.
func ParseType(text string) (ntp.Algorithm, error) {
	name := strings.ReplaceAll(strings.ToUpper(text), "-", "")
	i := slices.IndexFunc(Types, func(a ntp.Algorithm) bool { return a.String() == name })
	if i < 0 {
		return 0, fmt.Errorf("%q is none of %s", text, strings.Trim(fmt.Sprint(Types), "[]"))
	}
	return Types[i], nil
}

// Make makes a random key. A cipher's has the length it needs, a digest's at most 32 octets: ntpsec takes no more.
func Make(id uint32, algorithm ntp.Algorithm) ntp.Key {
	length := 32
	switch algorithm {
	case ntp.AES128, ntp.MD5:
		length = 16
	case ntp.SHA1:
		length = 20
	case ntp.AES192:
		length = 24
	}
	k := ntp.Key{ID: id, Algorithm: algorithm, Secret: make([]byte, length)}
	rand.Read(k.Secret) // never fails
	return k
}

// ChronyLine is the key as chrony's key files have it, and as the station's own does.
func ChronyLine(k ntp.Key) string { return fmt.Sprintf("%d %s HEX:%X", k.ID, k.Algorithm, k.Secret) }

// NtpsecLine is the key as ntpsec's key files have it.
func NtpsecLine(k ntp.Key) string {
	name := strings.Replace(k.Algorithm.String(), "AES", "AES-", 1)
	return fmt.Sprintf("%d %s %x", k.ID, name, k.Secret)
}

// InChrony and InNtpsec report whether the program can have the key at all: chrony knows no AES192, and ntpsec no numbers
// beyond 65535.
func InChrony(k ntp.Key) bool { return k.Algorithm != ntp.AES192 }

// InNtpsec is said above.
func InNtpsec(k ntp.Key) bool { return k.ID <= 65535 }
