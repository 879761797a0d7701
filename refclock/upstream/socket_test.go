package upstream

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/refclock"
)

// loopback is an NTP server on a port of this machine; its clock is the local one.
func loopback(t *testing.T, change func(request, answer *ntp.Header), key *ntp.Authenticator) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		b := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			received := stampOf(time.Now())
			p, err := ntp.Parse(b[:n])
			if err != nil {
				continue
			}
			h := newFakeServer().header
			h.Origin, h.Receive = p.Transmit, received
			h.Transmit = stampOf(time.Now())
			if change != nil {
				change(&p.Header, &h)
			}
			out := h.Append(nil)
			if key != nil && key.Check(p.Signed, p.Digest) {
				out = key.Append(out, len(p.Digest))
			}
			conn.WriteToUDPAddrPort(out, from)
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func systemNow() refclock.Stamp { return refclock.Stamp(time.Now().UnixNano()) }

// On Linux both stamps are the kernel's, and lie between the program's own.
func TestKernelStamps(t *testing.T) {
	server := loopback(t, nil, nil)
	w := &wire{network: systemNetwork{systemNow}, to: server, protection: unprotected{}}
	defer w.close()
	for i := range 5 {
		before := systemNow()
		_, replies, err := w.exchange(context.Background(), func(why reason) { t.Error(why) })
		after := systemNow()
		if err != nil || len(replies) != 1 {
			t.Fatal(replies, err)
		}
		r := replies[0]
		if r.T1 < before || r.T4 > after || r.T4 < r.T1 {
			t.Errorf("asked between %d and %d, stamps %d and %d", before, after, r.T1, r.T4)
		}
		// The kernel begins to stamp a moment after it is asked to.
		if want := runtime.GOOS == "linux"; i > 0 && r.Kernel != want {
			t.Errorf("exchange %d: kernel stamps: %v", i, r.Kernel)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Nobody listens: that is known at once. Nobody answers: the wait ends with its context.
func TestRefusedAndSilent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("what a closed port answers differs")
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	w := &wire{network: systemNetwork{systemNow}, to: to, protection: unprotected{}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := w.exchange(ctx, func(reason) {}); !errors.Is(err, errNoAnswer) {
		t.Error(err)
	}
	conn.Close()
	if _, _, err := w.exchange(t.Context(), func(reason) {}); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
}

// A port of this program is told from one of another.
func TestOwnPort(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only /proc tells")
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		conn, err := net.ListenPacket("udp", address)
		if err != nil {
			t.Fatal(err)
		}
		port := conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		if !ownPort(port) {
			t.Errorf("%s is not told as ours", conn.LocalAddr())
		}
		conn.Close()
		if ownPort(port) {
			t.Errorf("%s is closed and still ours", conn.LocalAddr())
		}
	}
}

func TestOwnAddresses(t *testing.T) {
	own, err := systemNetwork{}.own()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range own {
		if a.IsLoopback() {
			return
		}
	}
	t.Errorf("no loopback address among %v", own)
}

// The library's exchanges come to the same as our own, with and without a key.
func TestLibraryAgreesWithOwnExchanges(t *testing.T) {
	for _, id := range []uint32{0, 7, 8, 9} {
		var protection protection = unprotected{}
		l := &library{}
		var mac *ntp.Authenticator
		if id != 0 {
			keys, err := ntp.ParseKeys(strings.NewReader(keyLines))
			if err != nil {
				t.Fatal(err)
			}
			l.key = &keys[id-7]
			if !libraryKnows(l.key) {
				t.Fatalf("the library does not know %v", l.key)
			}
			protection, mac = signed{*l.key, authenticator(t, id)}, authenticator(t, id)
		}
		l.server = loopback(t, func(_, a *ntp.Header) { a.Leap, a.RootDelay, a.RootDispersion = ntp.LeapInsert, 0x1234, 0x2345 }, mac)
		w := &wire{network: systemNetwork{systemNow}, to: l.server, protection: protection}
		var headers [2]ntp.Header
		for i, e := range []exchanger{w, l} {
			before := systemNow()
			newest, replies, err := e.exchange(t.Context(), func(why reason) { t.Error(why) })
			if err != nil || len(replies) != 1 {
				t.Fatalf("key %d: %v, %v", id, replies, err)
			}
			r := replies[0]
			if r.T1 < before || r.T4 < r.T1 || r.T4 > systemNow() {
				t.Errorf("stamps %d to %d", r.T1, r.T4)
			}
			t2, t3 := civil(r.Header.Receive, time.Now().Unix()).Time().UnixNano(), civil(r.Header.Transmit, time.Now().Unix()).Time().UnixNano()
			if t2 < int64(r.T1)-10 || t3 < t2 || t3 > int64(r.T4)+10 {
				t.Errorf("the server had it from %d to %d, outside of %d to %d", t2, t3, r.T1, r.T4)
			}
			newest.Origin, newest.Receive, newest.Transmit = 0, 0, 0
			headers[i] = newest
		}
		if headers[0] != headers[1] {
			t.Errorf("own %+v, library %+v", headers[0], headers[1])
		}
	}
}

func TestLibraryNamesItsReasons(t *testing.T) {
	wrong := func(_, a *ntp.Header) { a.Origin++ }
	l := &library{server: loopback(t, wrong, nil)}
	var why reason
	if _, _, err := l.exchange(t.Context(), func(r reason) { why = r }); !errors.Is(err, errNoAnswer) || why != wrongOrigin {
		t.Error(err, why)
	}
}

func TestLook(t *testing.T) {
	c := DefaultConfig()
	c.Server = loopback(t, nil, nil).String()
	g, err := Look(c)
	if err != nil || !g.Synchronised || g.Stratum != 1 || g.ReferenceID != "PTB" || g.Address != c.Server || g.OffsetSeconds > 0.1 || g.OffsetSeconds < -0.1 {
		t.Errorf("%+v, %v", g, err)
	}
	c.Server = loopback(t, func(_, a *ntp.Header) { a.Stratum, a.ReferenceID = 0, [4]byte{'R', 'A', 'T', 'E'} }, nil).String()
	if g, err := Look(c); err != nil || g.Synchronised || g.ReferenceID != "RATE" {
		t.Errorf("%+v, %v", g, err)
	}
	c.Keys, c.Key = writeFile(t, "keys", keyLines), 7
	if _, err := Look(c); err == nil || !strings.HasPrefix(err.Error(), c.Server) {
		t.Error(err)
	}
	c.Keys = "/nonexistent"
	if _, err := Look(c); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
