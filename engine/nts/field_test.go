package nts

import (
	"bytes"
	"errors"
	"testing"

	"timestation/engine/ntp"
)

var algorithms = []Algorithm{AESSIVCMAC256, AES128GCMSIV}

func request4(t testing.TB, c *Client) []byte {
	t.Helper()
	packet, err := c.AppendRequest(header(ntp.Client))
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

// A client and a server go on for days, with answers lost now and then: cookies are used once, come back, and no answer is
// longer than its request.
func TestExchanges(t *testing.T) {
	for _, a := range algorithms {
		jar := newJar(t)
		client, server := newClient(t, granted(t, jar, a)), NewServer(jar)
		seen := map[string]bool{}
		for i := range 200 {
			packet := request4(t, client)
			p := parse(t, packet)
			if !Concerns(p) {
				t.Fatal("the server would take it for a plain request")
			}
			f, err := readFields(packet, p)
			if err != nil || seen[string(f.cookie)] {
				t.Fatalf("%v: a cookie was used twice, or %v", a, err)
			}
			seen[string(f.cookie)] = true
			r, err := server.Open(packet, p)
			if err != nil || r.Algorithm() != a {
				t.Fatalf("%v: request %d: %v", a, i, err)
			}
			answer := r.AppendProtection(header(ntp.Server))
			if len(answer) > len(packet) || i%7 != 6 && len(answer) < len(packet) && client.Cookies() < MaxCookies-1 {
				t.Errorf("%v: %d octets were answered with %d", a, len(packet), len(answer))
			}
			if i%7 > 3 { // three in seven are lost
				continue
			}
			if err := client.Open(answer, parse(t, answer)); err != nil {
				t.Fatalf("%v: answer %d: %v", a, i, err)
			}
			if client.Cookies() != MaxCookies {
				t.Errorf("%v: %d cookies after an answer", a, client.Cookies())
			}
			if client.Open(answer, parse(t, answer)) == nil && client.Cookies() > MaxCookies {
				t.Errorf("%v: a repeated answer gave more cookies", a)
			}
		}
	}
}

func TestCookiesRunOut(t *testing.T) {
	client := newClient(t, granted(t, newJar(t), AESSIVCMAC256))
	for range MaxCookies {
		if packet := request4(t, client); len(packet) > longestDatagram {
			t.Errorf("a request of %d octets", len(packet))
		}
	}
	if _, err := client.AppendRequest(header(ntp.Client)); !errors.Is(err, ErrNoCookies) {
		t.Error(err)
	}
}

// Cookies of another make may be longer; the request still fits every network.
func TestLongCookies(t *testing.T) {
	e := granted(t, newJar(t), AESSIVCMAC256)
	e.Cookies = [][]byte{bytes.Repeat([]byte{1}, longestCookie), {1, 2, 3}}
	client := newClient(t, e)
	for range 2 {
		packet := request4(t, client)
		if parse(t, packet); len(packet) > longestDatagram {
			t.Errorf("a request of %d octets", len(packet))
		}
	}
}

// Whatever bit of a request or an answer is changed on its way, it is not taken for authentic, and no header with a
// changed bit is.
func TestChangedPackets(t *testing.T) {
	for _, a := range algorithms {
		jar := newJar(t)
		client, server := newClient(t, granted(t, jar, a)), NewServer(jar)
		packet := request4(t, client)
		try := func(name string, packet []byte, open func([]byte, *ntp.Packet) error) {
			end := len(packet) // all of it is vouched for: there is no padding
			for i := range end * 8 {
				packet[i/8] ^= 1 << (i % 8)
				if p, err := ntp.Parse(packet); err == nil && open(packet, &p) == nil {
					t.Errorf("%v: %s with bit %d changed passed", a, name, i)
				}
				packet[i/8] ^= 1 << (i % 8)
			}
			if err := open(packet, parse(t, packet)); err != nil {
				t.Errorf("%v: %s as it was: %v", a, name, err)
			}
		}
		try("a request", packet, func(b []byte, p *ntp.Packet) error {
			_, err := server.Open(b, p)
			return err
		})
		r, err := server.Open(packet, parse(t, packet))
		if err != nil {
			t.Fatal(err)
		}
		try("an answer", r.AppendProtection(header(ntp.Server)), client.Open)

		later := request4(t, client)
		r, err = server.Open(packet, parse(t, packet))
		if err != nil {
			t.Fatal(err)
		}
		if answer := r.AppendProtection(header(ntp.Server)); !errors.Is(client.Open(answer, parse(t, answer)), ErrNotAuthentic) {
			t.Errorf("%v: the answer to an older request passed for that to a new one", a)
		}
		if _, err := server.Open(later, parse(t, later)); err != nil {
			t.Error(err)
		}
	}
}

// A server that does not know the master key says so, and the client understands, but only of its own request.
func TestNAK(t *testing.T) {
	client, stranger := newClient(t, granted(t, newJar(t), AESSIVCMAC256)), NewServer(newJar(t))
	packet := request4(t, client)
	r, err := stranger.Open(packet, parse(t, packet))
	if !errors.Is(err, ErrNotAuthentic) {
		t.Fatal(err)
	}
	kiss := (&ntp.Header{Leap: ntp.LeapUnsynchronised, Version: 4, Mode: ntp.Server, ReferenceID: Kiss}).Append(nil)
	answer := r.AppendNAK(kiss)
	if p := parse(t, answer); len(answer) > len(packet) || client.Open(answer, p) == nil || !client.IsNAK(answer, p) {
		t.Errorf("%d octets are not understood", len(answer))
	}
	request4(t, client)
	if client.IsNAK(answer, parse(t, answer)) {
		t.Error("the kiss for an older request was taken for that of a new one")
	}
}

func TestMalformedRequestsGetSilence(t *testing.T) {
	jar := newJar(t)
	good := newClient(t, granted(t, jar, AESSIVCMAC256))
	uid, cookie := bytes.Repeat([]byte{1}, uniqueIDLen), good.cookies[0]
	authenticator := func(b []byte) []byte { return appendAuthenticator(b, b, make([]byte, 16), nil, good.c2s) }
	field := ntp.AppendExtension
	for name, packet := range map[string][]byte{
		"no identifier":        authenticator(field(header(ntp.Client), fieldCookie, cookie)),
		"a short identifier":   authenticator(field(field(header(ntp.Client), fieldUniqueID, uid[:28]), fieldCookie, cookie)),
		"a long identifier":    authenticator(field(field(header(ntp.Client), fieldUniqueID, make([]byte, 260)), fieldCookie, cookie)),
		"two identifiers":      authenticator(field(field(field(header(ntp.Client), fieldUniqueID, uid), fieldUniqueID, uid), fieldCookie, cookie)),
		"no cookie":            authenticator(field(header(ntp.Client), fieldUniqueID, uid)),
		"two cookies":          authenticator(field(field(field(header(ntp.Client), fieldUniqueID, uid), fieldCookie, cookie), fieldCookie, cookie)),
		"no authenticator":     field(field(header(ntp.Client), fieldUniqueID, uid), fieldCookie, cookie),
		"an empty one":         field(field(field(header(ntp.Client), fieldUniqueID, uid), fieldCookie, cookie), fieldAuthenticator, make([]byte, 24)),
		"no room for a nonce":  appendAuthenticator(field(field(header(ntp.Client), fieldUniqueID, uid), fieldCookie, cookie), field(field(header(ntp.Client), fieldUniqueID, uid), fieldCookie, cookie), make([]byte, 8), nil, good.c2s),
		"a code of a key also": append(authenticator(field(field(header(ntp.Client), fieldUniqueID, uid), fieldCookie, cookie)), make([]byte, 24)...),
	} {
		if _, err := NewServer(jar).Open(packet, parse(t, packet)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	packet := authenticator(field(field(header(ntp.Client), fieldUniqueID, uid), fieldCookie, cookie))
	if _, err := NewServer(jar).Open(packet, parse(t, packet)); err != nil {
		t.Errorf("as it should be: %v", err)
	}
}

// A placeholder that is too short for a cookie makes room for none.
func TestShortPlaceholders(t *testing.T) {
	jar := newJar(t)
	e := granted(t, jar, AESSIVCMAC256)
	client, server := newClient(t, e), NewServer(jar)
	b := ntp.AppendExtension(header(ntp.Client), fieldUniqueID, client.uniqueID[:])
	b = ntp.AppendExtension(b, fieldCookie, e.Cookies[0])
	for range 20 {
		b = ntp.AppendExtension(b, fieldPlaceholder, make([]byte, 16))
	}
	b = appendAuthenticator(b, b, make([]byte, 16), nil, client.c2s)
	r, err := server.Open(b, parse(t, b))
	if err != nil {
		t.Fatal(err)
	}
	client.cookies = nil
	answer := r.AppendProtection(header(ntp.Server))
	if err := client.Open(answer, parse(t, answer)); err != nil || len(client.cookies) != 1 {
		t.Errorf("%d cookies, %v", len(client.cookies), err)
	}
}

func TestAllocations(t *testing.T) {
	for a, want := range map[Algorithm]float64{AESSIVCMAC256: 0, AES128GCMSIV: 2} {
		jar := newJar(t)
		client, server := newClient(t, granted(t, jar, a)), NewServer(jar)
		packet, out := request4(t, client), make([]byte, 0, 2048)
		if got := testing.AllocsPerRun(100, func() { serveOnce(t, server, packet, out) }); got > want {
			t.Errorf("%v: %v allocations a request, want %v", a, got, want)
		}
	}
}

func serveOnce(t testing.TB, server *Server, packet, out []byte) {
	p, err := ntp.Parse(packet)
	if err != nil || !Concerns(&p) {
		t.Fatal(err)
	}
	r, err := server.Open(packet, &p)
	if err != nil {
		t.Fatal(err)
	}
	r.AppendProtection(p.Append(out[:0]))
}

// BenchmarkRequest opens a request and protects its answer with one new cookie; "new" does so for a client that is not
// remembered.
func BenchmarkRequest(b *testing.B) {
	for _, a := range algorithms {
		jar := newJar(b)
		server, out := NewServer(jar), make([]byte, 0, 2048)
		e := granted(b, jar, a)
		packet := request4(b, newClient(b, e))
		b.Run(a.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				serveOnce(b, server, packet, out)
			}
		})
		b.Run(a.String()+"/new", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				server.sessions[(int(e.C2S[0])|int(e.C2S[1])<<8)%sessionSlots] = nil
				serveOnce(b, server, packet, out)
			}
		})
	}
}

// FuzzOpen: no octets make the server panic, make it answer at greater length, or pass without the client's key; and
// what it answers is a packet.
func FuzzOpen(f *testing.F) {
	jar := &Jar{}
	jar.keys.Store(&[]masterKey{{ID: 1, secret: bytes.Repeat([]byte{1}, masterKeyLen)}})
	server := NewServer(jar)
	client := newClient(f, granted(f, jar, AESSIVCMAC256))
	f.Add(request4(f, client))
	f.Add(request4(f, client))
	f.Add(header(ntp.Client))
	f.Fuzz(func(t *testing.T, packet []byte) {
		p, err := ntp.Parse(packet)
		if err != nil {
			return
		}
		_ = client.Open(packet, &p)
		client.IsNAK(packet, &p)
		r, err := server.Open(packet, &p)
		var answer []byte
		switch {
		case err == nil:
			answer = r.AppendProtection(header(ntp.Server))
		case errors.Is(err, ErrNotAuthentic):
			answer = r.AppendNAK(header(ntp.Server))
		default:
			return
		}
		if len(answer) > len(packet) {
			t.Errorf("%d octets were answered with %d", len(packet), len(answer))
		}
		parse(t, answer)
	})
}

// FuzzCookie: no octets are taken for a cookie but those that were sealed.
func FuzzCookie(f *testing.F) {
	jar := &Jar{}
	jar.keys.Store(&[]masterKey{{ID: 1, secret: bytes.Repeat([]byte{1}, masterKeyLen)}})
	baker := newBaker(jar)
	f.Add(make([]byte, AESSIVCMAC256.cookieLen()))
	f.Add([]byte{0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, cookie []byte) {
		if keys, err := baker.eat(nil, cookie); err == nil || len(keys) != 0 {
			t.Errorf("%x was taken for a cookie", cookie)
		}
		sealed := baker.bake(nil, cookie)
		if keys, err := baker.eat(nil, sealed); err != nil || !bytes.Equal(keys, cookie) {
			t.Errorf("%x came back as %x, %v", cookie, keys, err)
		}
	})
}
