package ntp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

const (
	hex16 = "7EA62AE64D190114D46D5A082F948EC1"
	hex20 = "933F62BE1D604E68A81B557F18CFA200483F5B70"
	hex32 = "37DDCBC67BB902BCB8E995977FAB4D2B5642F5B32EBCEEE421921D97E5CBFE39"
)

func TestParseKeysOfBothSyntaxes(t *testing.T) {
	file := strings.Join([]string{
		"# a comment",
		"",
		"! chrony's other comments", "; are left out", "% as well",
		// chrony.conf(5), keyfile
		"10 tulip",
		"11 hyacinth  # with a comment",
		"20 MD5 ASCII:crocus",
		"25 SHA1 HEX:" + hex20,
		"30 AES128 HEX:" + hex16,
		"31 AES256 HEX:" + hex32,
		"4294967295 SHA512 ASCII:0123456789abcdef0123456789abcdef",
		"32 AES256 0123456789abcdef0123456789abcdef",
		"33 HEX:c0ffee",
		"34 a-long-password-without-a-type-0123456789",
		"35 SHA256 a-long-password-without-a-prefix",
		// ntp.keys(5) of ntpsec
		"\t40 MD5  short.text#kept  ",
		"41 SHA1 " + strings.ToLower(hex20),
		"42 AES " + hex16 + "\t# as ntpkeygen would",
		"43 AES-256 " + hex32,
		"44 aes-128 sixteen.letters.",
		"45 AES-CMAC " + hex16,
		"46 sha512 " + hex20,
		"47 AES128CMAC " + hex16,
		"48 SHA384 " + hex32 + "\r",
	}, "\n")
	keys, err := ParseKeys(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		id        uint32
		algorithm Algorithm
		secret    string
	}{
		{10, MD5, "tulip"}, {11, MD5, "hyacinth"}, {20, MD5, "crocus"}, {25, SHA1, hex20}, {30, AES128, hex16},
		{31, AES256, hex32}, {4294967295, SHA512, "0123456789abcdef0123456789abcdef"},
		{32, AES256, "0123456789abcdef0123456789abcdef"}, {33, MD5, "C0FFEE"},
		{34, MD5, "a-long-password-without-a-type-0123456789"}, {35, SHA256, "a-long-password-without-a-prefix"},
		{40, MD5, "short.text#kept"}, {41, SHA1, hex20}, {42, AES128, hex16}, {43, AES256, hex32},
		{44, AES128, "sixteen.letters."}, {45, AES128, hex16}, {46, SHA512, hex20}, {47, AES128, hex16},
		{48, SHA384, hex32},
	}
	if len(keys) != len(want) {
		t.Fatalf("%d keys: %v", len(keys), keys)
	}
	for i, w := range want {
		secret := []byte(w.secret)
		if w.secret == strings.ToUpper(w.secret) { // capitals are hexadecimal in this table
			secret = unhex(t, w.secret)
		}
		if k := keys[i]; k.ID != w.id || k.Algorithm != w.algorithm || !bytes.Equal(k.Secret, secret) {
			t.Errorf("%v %q, want key %d (%v) %q", k, k.Secret, w.id, w.algorithm, secret)
		}
	}
}

func TestParseKeysErrorsNameLineAndReason(t *testing.T) {
	for in, want := range map[string]string{
		"\n\nx MD5 secret":            "line 3: it does not begin with a key number from 1 to 4294967295",
		"0 MD5 secret":                "line 1: it does not begin with a key number from 1 to 4294967295",
		"4294967296 MD5 secret":       "line 1: it does not begin with a key number from 1 to 4294967295",
		"-1 MD5 secret":               "line 1: it does not begin with a key number from 1 to 4294967295",
		"5":                           "line 1: key 5: the key is missing",
		"5 SHA1":                      "line 1: key 5: there is a type, but no key after it",
		"5 #secret":                   "line 1: key 5: the key is missing",
		"5 MD4 secret":                "line 1: key 5: the type is none of MD5, SHA1, SHA256, SHA384, SHA512, AES128, AES192, AES256",
		"5 MD5 secret 192.0.2.1 more": "line 1: key 5: the line has 5 fields; write: id type key addresses",
		"5 MD5 secret elsewhere": "line 1: key 5: what follows the key are no addresses; write for instance " +
			"192.0.2.0/24,2001:db8::7",
		"5 MD5 HEX:":                      "line 1: key 5: the key is empty",
		"5 MD5 ASCII:":                    "line 1: key 5: the key is empty",
		"5 MD5 HEX:abc":                   "line 1: key 5: what follows HEX: is not an even number of hexadecimal digits",
		"5 AES128 HEX:abcd":               "line 1: key 5: a key for AES128 has 16 octets, this one 2; write HEX: and 32 hexadecimal digits",
		"5 AES256 " + hex32:               "line 1: key 5: a key for AES256 has 32 octets, this one 64; write HEX: and 64 hexadecimal digits",
		"5 AES-128 " + hex32:              "line 1: key 5: a key for AES128 has 16 octets, this one 32; write HEX: and 32 hexadecimal digits",
		"5 sha1 a-long-secret-with-words": "line 1: key 5: it has more than 20 characters, which are not an even number of hexadecimal digits; write ASCII: before it if it is text",
		"5 MD5 a\n# 6\n5 SHA1 b":          "line 3: key 5 is already in line 1; give each key its own number",
	} {
		keys, err := ParseKeys(strings.NewReader(in))
		if err == nil || err.Error() != want || keys != nil {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
}

// FuzzParseKeys: whatever passes can be used, has its own number, and written with its prefix gives the same key again.
func FuzzParseKeys(f *testing.F) {
	f.Add("10 tulip\n25 SHA1 HEX:" + hex20 + "\n42 AES " + hex16 + " # comment\n")
	f.Fuzz(func(t *testing.T, in string) {
		keys, err := ParseKeys(strings.NewReader(in))
		if err != nil {
			return
		}
		var again strings.Builder
		seen := map[uint32]bool{}
		for _, k := range keys {
			if k.ID == 0 || seen[k.ID] || len(k.Secret) == 0 {
				t.Fatalf("%v with %d octets", k, len(k.Secret))
			}
			seen[k.ID] = true
			if _, err := NewAuthenticator(k); err != nil {
				t.Fatal(err)
			}
			again.WriteString(strings.Join([]string{strconv.Itoa(int(k.ID)), k.Algorithm.String(), "HEX:" + hex.EncodeToString(k.Secret)}, " "))
			again.WriteString("\n")
		}
		back, err := ParseKeys(strings.NewReader(again.String()))
		if err != nil && !strings.Contains(err.Error(), "too long") || err == nil && len(back) != len(keys) {
			t.Fatalf("%d keys came back as %d: %v", len(keys), len(back), err)
		}
		for i := range back {
			if back[i].ID != keys[i].ID || !bytes.Equal(back[i].Secret, keys[i].Secret) {
				t.Errorf("%v came back different", keys[i])
			}
		}
	})
}

func TestKeysBoundToAddresses(t *testing.T) {
	keys, err := ParseKeys(strings.NewReader("5 SHA1 ASCII:tulip 192.0.2.7/24,2001:db8::7,10.0.0.1 # ours\n6 AES192 HEX:" +
		hex20 + "01020304"))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(keys[0].From); got != "[192.0.2.0/24 2001:db8::7/128 10.0.0.1/32]" {
		t.Error(got)
	}
	if keys[1].From != nil || keys[1].Algorithm != AES192 || len(keys[1].Secret) != 24 {
		t.Errorf("%v %v", keys[1], keys[1].From)
	}
	for _, bad := range []string{"::ffff:10.0.0.1", "fe80::1%eth0", "10.0.0.0/33", ",", "10.0.0.1,"} {
		if _, err := ParseKeys(strings.NewReader("5 SHA1 tulip " + bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}
