package ntp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

func TestHeaderLayout(t *testing.T) {
	// RFC 5905, figure 8, each field with other octets.
	wire := unhex(t, "5c0206e9"+"00010203"+"04050607"+"47505300"+
		"1011121314151617"+"2021222324252627"+"3031323334353637"+"4041424344454647")
	want := Header{
		Leap: LeapInsert, Version: 3, Mode: Server, Stratum: 2, Poll: 6, Precision: -23,
		RootDelay: 0x00010203, RootDispersion: 0x04050607, ReferenceID: [4]byte{'G', 'P', 'S'},
		Reference: 0x1011121314151617, Origin: 0x2021222324252627,
		Receive: 0x3031323334353637, Transmit: 0x4041424344454647,
	}
	p, err := Parse(wire)
	if err != nil || p.Header != want {
		t.Errorf("parsed %+v, %v", p.Header, err)
	}
	if got := want.Append(nil); !bytes.Equal(got, wire) {
		t.Errorf("encoded %x", got)
	}
}

// packet makes a packet of a version with octets after the header.
func packet(version uint8, after ...[]byte) []byte {
	h := Header{Version: version, Mode: Client, Transmit: 0x0102030405060708}
	return append(h.Append(nil), bytes.Join(after, nil)...)
}

// field makes an extension field of n octets.
func field(kind uint16, n int) []byte {
	b := make([]byte, n)
	binary.BigEndian.PutUint16(b, kind)
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	return b
}

// mac makes a key ID and a digest of n octets.
func mac(id uint32, n int) []byte {
	return append(binary.BigEndian.AppendUint32(nil, id), bytes.Repeat([]byte{0xd1}, n)...)
}

func TestParseTellsFieldsFromMACs(t *testing.T) {
	for _, c := range []struct {
		name              string
		in                []byte
		err               error
		extensions, other int // lengths in octets: fields, digest
	}{
		{"plain v4", packet(4), nil, 0, 0},
		{"empty", nil, ErrLength, 0, 0},
		{"one octet short", packet(4)[:47], ErrLength, 0, 0},
		{"not a multiple of four", packet(4, make([]byte, 30)), ErrLength, 0, 0},
		{"v0", packet(0), ErrVersion, 0, 0},
		{"v5", packet(5), ErrVersion, 0, 0},
		{"v4 MD5", packet(4, mac(5, 16)), nil, 0, 16},
		{"v4 SHA1", packet(4, mac(5, 20)), nil, 0, 20},
		{"v3 SHA256", packet(3, mac(5, 32)), nil, 0, 32},
		{"v3 SHA512", packet(3, mac(5, 64)), nil, 0, 64},
		{"v4 takes no longer MAC", packet(4, mac(5, 32)), ErrExtension, 0, 0},
		{"v4 crypto-NAK", packet(4, make([]byte, 4)), ErrMAC, 0, 0},
		{"v3 crypto-NAK", packet(3, make([]byte, 4)), ErrMAC, 0, 0},
		{"v2 with DES", packet(2, mac(5, 8)), ErrMAC, 0, 0},
		{"v4, 8 octets", packet(4, make([]byte, 8)), ErrExtension, 0, 0},
		{"last field of 28", packet(4, field(0x104, 28)), nil, 28, 0},
		{"last field of 16", packet(4, field(0x104, 28), field(0x204, 16)), ErrExtension, 0, 0},
		{"fields and MD5", packet(4, field(0x104, 16), field(0xf323, 32), mac(9, 16)), nil, 48, 16},
		{"fields and SHA1", packet(4, field(0x104, 16), mac(9, 20)), nil, 16, 20},
		{"fields and crypto-NAK", packet(4, field(0x104, 28), make([]byte, 4)), ErrMAC, 0, 0},
		{"unknown field", packet(4, field(0xbeef, 400)), nil, 400, 0},
		{"field of length 0", packet(4, make([]byte, 28)), ErrExtension, 0, 0},
		{"field of 12", packet(4, field(0x104, 12), field(0x104, 28)), ErrExtension, 0, 0},
		{"field of odd length", packet(4, []byte{1, 4, 0, 18}, make([]byte, 28)), ErrExtension, 0, 0},
		{"field longer than the packet", packet(4, []byte{1, 4, 0, 64}, make([]byte, 28)), ErrExtension, 0, 0},
	} {
		p, err := Parse(c.in)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
			continue
		}
		if err != nil {
			continue
		}
		if len(p.Extensions) != c.extensions || len(p.Digest) != c.other {
			t.Errorf("%s: %d octets of fields, %d of digest", c.name, len(p.Extensions), len(p.Digest))
		}
		if p.Digest != nil && !bytes.Equal(p.Signed, c.in[:HeaderLen+c.extensions]) {
			t.Errorf("%s: the code covers %d octets", c.name, len(p.Signed))
		}
	}
}

func TestNextExtensionWalksTheList(t *testing.T) {
	p, err := Parse(packet(4, field(0x0104, 36), field(0x0204, 104), field(0x0404, 40)))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []uint16
	for rest := p.Extensions; len(rest) > 0; {
		var f Extension
		if f, rest, err = NextExtension(rest); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, f.Type)
	}
	if len(kinds) != 3 || kinds[0] != 0x104 || kinds[1] != 0x204 || kinds[2] != 0x404 {
		t.Errorf("%#x", kinds)
	}
}

func TestAppendExtensionIsParsedBack(t *testing.T) {
	for _, n := range []int{0, 1, 11, 12, 13, 14, 15, 16, 32, 100, 1000} {
		value := bytes.Repeat([]byte{0xa5}, n)
		b := AppendExtension(packet(4), 0x0204, value)
		p, err := Parse(AppendExtension(b, 0xf323, make([]byte, 24)))
		if err != nil {
			t.Errorf("%d octets: %v", n, err)
			continue
		}
		f, rest, err := NextExtension(p.Extensions)
		padded, found := bytes.CutPrefix(f.Value, value)
		if err != nil || f.Type != 0x0204 || !found || len(rest) != 28 || len(bytes.Trim(padded, "\x00")) != 0 {
			t.Errorf("%d octets came back as %x, %v", n, f.Value, err)
		}
	}
}

// FuzzParse: whatever comes, a packet that passes is made of its parts and nothing else, and its fields can be walked.
func FuzzParse(f *testing.F) {
	f.Add(packet(4, field(0x104, 36), field(0x204, 104), mac(1, 20)))
	f.Add(packet(3, mac(1, 32)))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := Parse(in)
		if err != nil {
			return
		}
		if encoded := p.Append(nil); !bytes.Equal(encoded, in[:HeaderLen]) {
			t.Errorf("header %x encoded as %x", in[:HeaderLen], encoded)
		}
		length := HeaderLen + len(p.Extensions)
		if p.Digest != nil {
			if !bytes.Equal(p.Signed, in[:length]) {
				t.Errorf("the code covers %d of %d octets", len(p.Signed), length)
			}
			length += keyIDLen + len(p.Digest)
		}
		if length != len(in) {
			t.Errorf("%d octets of %d accounted for", length, len(in))
		}
		last := 0
		for rest := p.Extensions; len(rest) > 0; {
			field, next, err := NextExtension(rest)
			if err != nil || len(field.Value)+4 != len(rest)-len(next) {
				t.Fatalf("field of %d octets, %v", len(field.Value)+4, err)
			}
			last, rest = len(rest)-len(next), next
		}
		if last != 0 && p.Digest == nil && last < 28 {
			t.Errorf("a last field of %d octets without a code", last)
		}
	})
}
