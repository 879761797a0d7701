package ntp

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"testing"
)

// testKeys has one key of every algorithm.
func testKeys() []Key {
	secret := []byte("0123456789abcdef0123456789abcdef")
	var keys []Key
	for a := MD5; a <= AES192; a++ {
		k := Key{ID: uint32(a) + 1, Algorithm: a, Secret: secret}
		if n := algorithms[a].keyLen; n != 0 {
			k.Secret = secret[:n]
		}
		keys = append(keys, k)
	}
	return keys
}

func TestDigestIsOverKeyThenPacket(t *testing.T) {
	packet := bytes.Repeat([]byte{0x23}, HeaderLen)
	for _, k := range testKeys() {
		a, err := NewAuthenticator(k)
		if err != nil {
			t.Fatal(err)
		}
		all := append(append([]byte{}, k.Secret...), packet...)
		var want []byte
		switch k.Algorithm {
		case MD5:
			sum := md5.Sum(all)
			want = sum[:]
		case SHA1:
			sum := sha1.Sum(all)
			want = sum[:]
		case SHA256:
			sum := sha256.Sum256(all)
			want = sum[:]
		case SHA384:
			sum := sha512.Sum384(all)
			want = sum[:]
		case SHA512:
			sum := sha512.Sum512(all)
			want = sum[:]
		default: // the vectors of TestCMACVectors say what CMAC is; the key is not part of the message
			c, err := NewCMAC(k.Secret)
			if err != nil {
				t.Fatal(err)
			}
			want = c.AppendSum(nil, packet)
		}
		signed := a.Append(append([]byte{}, packet...), 64)
		if got := signed[HeaderLen:]; !bytes.Equal(got, append([]byte{0, 0, 0, byte(k.ID)}, want...)) {
			t.Errorf("%v: %x, want %x", k, got, want)
		}
	}
}

func TestCheckTakesWholeAndTruncatedDigests(t *testing.T) {
	packet := bytes.Repeat([]byte{0x1b}, HeaderLen+16)
	for _, k := range testKeys() {
		a, err := NewAuthenticator(k)
		if err != nil {
			t.Fatal(err)
		}
		whole := a.Append(append([]byte{}, packet...), 64)[len(packet)+4:]
		for n := range len(whole) + 1 {
			want := n == len(whole) || n == TruncatedLen
			if a.Check(packet, whole[:n]) != want {
				t.Errorf("%v: Check of %d of %d octets is not %v", k, n, len(whole), want)
			}
		}
		if a.Check(packet[1:], whole) {
			t.Errorf("%v: the code of another packet passed", k)
		}
		for i := range whole {
			forged := bytes.Clone(whole)
			forged[i] ^= 1
			if a.Check(packet, forged) {
				t.Errorf("%v: a code with octet %d forged passed", k, i)
			}
		}
	}
}

func TestCMACKeyOfWrongLength(t *testing.T) {
	_, err := NewAuthenticator(Key{ID: 7, Algorithm: AES128, Secret: []byte("short")})
	if err == nil || err.Error() != "key 7 (AES128) has 5 octets; it needs 16" {
		t.Error(err)
	}
}

func TestKeyTextsKeepTheSecret(t *testing.T) {
	k := Key{ID: 7, Algorithm: SHA1, Secret: []byte("tulip")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, k); got != "key 7 (SHA1)" {
			t.Errorf("%s gives %s", verb, got)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	request := (&Header{Version: 4, Mode: Client, Transmit: 1}).Append(nil)
	out := make([]byte, 0, 256)
	for _, k := range testKeys() {
		a, err := NewAuthenticator(k)
		if err != nil {
			t.Fatal(err)
		}
		signed := a.Append(bytes.Clone(request), TruncatedLen)
		allocs := testing.AllocsPerRun(100, func() {
			p, err := Parse(signed)
			if err != nil || !a.Check(p.Signed, p.Digest) {
				t.Fatal("refused", err)
			}
			_ = a.Append(p.Append(out), len(p.Digest))
		})
		if allocs != 0 {
			t.Errorf("%v: %v allocations", k, allocs)
		}
	}
}
