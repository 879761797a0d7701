package upstream

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/refclock"
)

// A server is found, asked in a burst and then at the pace of the configuration; its samples are true to the
// microsecond though the local clock says 1970, and every request has another port.
func TestServerIsFollowed(t *testing.T) {
	inBubble(t, func(t *testing.T, s *scene) {
		s.run(t)
		pass(10 * time.Second)
		if len(s.out.Samples()) != firstBurst {
			t.Errorf("%d samples after 10 s", len(s.out.Samples()))
		}
		pass(10 * time.Minute)
		for i, x := range s.out.Samples() {
			e := x.Exchange
			// The transmit stamp is taken before the answer leaves: half of that is the error.
			if err := errorOf(e); x.Kind != refclock.Exchange || err.Abs() > lateTransmit/2+time.Microsecond {
				t.Errorf("sample %d is off by %v", i, err)
			}
			if delay := e.T4.Sub(e.T1) - e.T3.Sub(e.T2); delay != time.Millisecond+lateTransmit && delay.Round(time.Microsecond) != time.Millisecond+lateTransmit {
				t.Errorf("sample %d: delay %v", i, delay)
			}
			if e.Authenticated || e.Stratum != 1 || e.ReferenceID != 0x50544200 || x.Leap != refclock.LeapNone || x.TAIKnown {
				t.Errorf("sample %d: %+v", i, x)
			}
		}
		g := s.out.Last()
		if g.State != refclock.Timing || g.Text != "" || g.Server == nil || g.Server.Reach != 0xff || !g.Server.KernelStamps ||
			g.Server.ReferenceID != "PTB" || g.Server.Address != "192.0.2.1:123" || g.Server.Protection != "none" {
			t.Errorf("%+v %+v", g, g.Server)
		}
		if len(s.server.ports) != s.server.times() {
			t.Errorf("%d requests from %d ports", s.server.times(), len(s.server.ports))
		}
		for _, q := range s.server.requests {
			if zero := (ntp.Header{Version: 4, Mode: ntp.Client, Transmit: q.Transmit}); q.Header != zero {
				t.Errorf("a request tells more than it must: %+v", q.Header)
			}
		}
	})
}

// The distance between polls grows to the longest while the time is steady, and shrinks when the server's clock goes astray.
func TestPollAdapts(t *testing.T) {
	inBubble(t, func(t *testing.T, s *scene) {
		s.run(t)
		pass(6 * time.Hour)
		if g := s.out.Last(); g.Server.PollSeconds != 1024 {
			t.Errorf("after six steady hours: every %v s", g.Server.PollSeconds)
		}
		before := s.server.times()
		s.server.mu.Lock()
		wander := 0.0
		s.server.change = func(_, answer *ntp.Header) {
			wander += 0.003
			if len(s.server.asked)%2 == 0 {
				wander = -wander
			}
			shift := ntp.Timestamp(uint64(int64(wander * (1 << 32))))
			answer.Receive, answer.Transmit = answer.Receive+shift, answer.Transmit+shift
		}
		s.server.mu.Unlock()
		pass(6 * time.Hour)
		if g := s.out.Last(); g.Server.PollSeconds > 128 {
			t.Errorf("a clock that jumps to and fro is asked every %v s", g.Server.PollSeconds)
		}
		if n := s.server.times() - before; n > 6*3600/16 {
			t.Errorf("%d requests in six hours", n)
		}
	})
}

// A station with a steady drift of 50 ppm is no reason to ask more often.
func TestSteadyDriftIsExpected(t *testing.T) {
	p := newPacer(16*time.Second, 1024*time.Second, 0)
	at := 0.0
	for range 400 {
		p.answered()
		p.measured(at, 50e-6*at, 0.001)
		at += p.next().Seconds()
	}
	if p.interval != 1024*time.Second {
		t.Errorf("asked every %v", p.interval)
	}
}

// Each way an answer can be of no use is named, gives no sample, and says what to do.
func TestAnswersOfNoUse(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*scene)
		change  func(request, answer *ntp.Header)
		text    string
		state   refclock.SourceState
	}{
		"unsynchronised": {change: func(_, a *ntp.Header) { a.Leap = ntp.LeapUnsynchronised }, text: "does not know the time"},
		"stratum 16":     {change: func(_, a *ntp.Header) { a.Stratum = 16 }, text: "does not know the time"},
		"stratum 0":      {change: func(_, a *ntp.Header) { a.Stratum, a.ReferenceID = 0, [4]byte{} }, text: "does not know the time"},
		"kiss INIT":      {change: func(_, a *ntp.Header) { a.Stratum, a.ReferenceID = 0, [4]byte{'I', 'N', 'I', 'T'} }, text: "INIT"},
		"no stamps":      {change: func(_, a *ntp.Header) { a.Transmit = 0 }, text: "empty"},
		"smeared":        {change: func(_, a *ntp.Header) { a.Stratum, a.ReferenceID = 2, [4]byte{254, 0, 0, 1} }, text: "smears"},
		"backwards":      {change: func(_, a *ntp.Header) { a.Transmit = a.Receive - 1<<20 }, text: "before it was asked"},
		"negative delay": {change: func(_, a *ntp.Header) { a.Transmit = a.Receive + 1<<30 }, text: "less than no time"},
		"long delay":     {prepare: func(s *scene) { s.config.MaxDelaySeconds = 0.0005 }, text: "max_delay_seconds"},
		"distance":       {change: func(_, a *ntp.Header) { a.RootDispersion = 2 << 16 }, text: "max_distance_seconds"},
		"old date": {change: func(_, a *ntp.Header) {
			a.Receive, a.Transmit = a.Receive-400*86400<<32, a.Transmit-400*86400<<32
		}, text: "before the date this program was built"},
		"leap second, by the table": {prepare: func(s *scene) {
			s.env.TAIMinusUTC = func(u refclock.UTC) int32 {
				if u.Seconds < truth.Unix() {
					return 36
				}
				return 37
			}
		}, text: "leap second"},
		"follows us, IPv4": {change: func(_, a *ntp.Header) { a.Stratum, a.ReferenceID = 2, [4]byte{192, 0, 2, 77} }, text: "loop"},
		"follows us, IPv6": {change: func(_, a *ntp.Header) { a.Stratum, a.ReferenceID = 2, addressID(netip.MustParseAddr("2001:db8::77")) }, text: "loop"},
		"its own clock":    {change: func(_, a *ntp.Header) { a.Stratum, a.ReferenceID = 10, [4]byte{127, 127, 1, 1} }, text: "127.127.1.1"},
		"our feed, here":   {prepare: here, change: func(_, a *ntp.Header) { a.ReferenceID = [4]byte{'T', 'S', 'T', 'N'} }, text: "fed by this station"},
		"a feed, here":     {prepare: here, change: func(_, a *ntp.Header) { a.ReferenceID = [4]byte{'S', 'O', 'C', '0'} }, text: "give its refclock line"},
		"ourselves": {prepare: func(s *scene) {
			here(s)
			s.network.mine = 123
		}, text: "this program itself"},
		"silent":             {prepare: func(s *scene) { s.server.silent = true }, text: "no answer; check the address", state: refclock.Lost},
		"refusing":           {prepare: func(s *scene) { s.server.refusing = true }, text: "no NTP server listens there", state: refclock.Lost},
		"no route":           {prepare: func(s *scene) { clear(s.network.servers) }, text: "unreachable", state: refclock.Lost},
		"no such name":       {prepare: func(s *scene) { clear(s.network.hosts) }, text: "name is not found", state: refclock.Lost},
		"another's question": {change: func(q, a *ntp.Header) { a.Origin++ }, text: "origin", state: refclock.Lost},
		"mode":               {change: func(q, a *ntp.Header) { a.Mode = ntp.SymmetricActive }, text: "mode", state: refclock.Lost},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *scene) {
				if c.prepare != nil {
					c.prepare(s)
				}
				s.server.change = c.change
				s.run(t)
				pass(1500 * time.Millisecond)
				if c.state == refclock.Lost {
					pass(2 * time.Second)
				}
				if len(s.out.Samples()) != 0 {
					t.Errorf("%d samples: %+v", len(s.out.Samples()), s.out.Samples()[0].Exchange)
				}
				want := c.state
				if want == "" {
					want = refclock.Receiving
				}
				if g := s.out.Last(); g.State != want || !strings.Contains(g.Text, c.text) || strings.Contains(g.Text, "\n") {
					t.Errorf("%s: %q", g.State, g.Text)
				}
			})
		})
	}
}

// here puts the server on this machine.
func here(s *scene) {
	s.network.hosts["ntp.example.org"] = []netip.Addr{netip.MustParseAddr("192.0.2.77")}
	s.network.servers[netip.MustParseAddrPort("192.0.2.77:123")] = s.server
}

// The same reference IDs are no loop elsewhere: another station may be called as we are.
func TestNoLoop(t *testing.T) {
	for _, id := range [][4]byte{{'T', 'S', 'T', 'N'}, {'S', 'O', 'C', '0'}, {'S', 'H', 'M', '0'}} {
		inBubble(t, func(t *testing.T, s *scene) {
			s.server.header.ReferenceID = id
			s.run(t)
			pass(time.Second)
			if len(s.out.Samples()) == 0 {
				t.Errorf("%s: %s", id, s.out.Last().Text)
			}
		})
	}
	inBubble(t, func(t *testing.T, s *scene) { // a chronyd of this machine with a receiver of its own
		here(s)
		s.server.header.ReferenceID = [4]byte{'P', 'P', 'S', '1'}
		s.run(t)
		pass(time.Second)
		if len(s.out.Samples()) == 0 {
			t.Error(s.out.Last().Text)
		}
	})
}

// An attacker who does not see the request cannot keep its answer out, nor slip in one of his own.
func TestForgedAnswersAreWaitedOut(t *testing.T) {
	inBubble(t, func(t *testing.T, s *scene) {
		s.server.forge = func(request, answer []byte) [][]byte {
			h := s.server.header
			h.Origin, h.Receive, h.Transmit = 0x1234, 1<<60, 1<<60
			wrong := h.Append(nil)
			h.Stratum, h.ReferenceID = 0, [4]byte{'D', 'E', 'N', 'Y'}
			return [][]byte{wrong, h.Append(nil), []byte("junk"), answer, answer}
		}
		s.run(t)
		pass(time.Minute)
		if len(s.out.Samples()) != s.server.times() || s.out.Last().State != refclock.Timing {
			t.Errorf("%d requests gave %d samples; %s", s.server.times(), len(s.out.Samples()), s.out.Last().Text)
		}
	})
}

// RATE is obeyed for good, DENY ends the asking until the name leads elsewhere.
func TestKissesAreObeyed(t *testing.T) {
	inBubble(t, func(t *testing.T, s *scene) {
		s.run(t)
		pass(5 * time.Minute)
		s.server.mu.Lock()
		s.server.change = func(_, a *ntp.Header) { a.Stratum, a.ReferenceID = 0, [4]byte{'R', 'A', 'T', 'E'} }
		s.server.asked = nil
		s.server.mu.Unlock()
		pass(time.Hour)
		if n := s.server.times(); n > 8 {
			t.Errorf("%d requests in the hour after RATE", n)
		}
		if g := s.out.Last(); g.Server.Kiss != "RATE" || !strings.Contains(g.Text, "less often") {
			t.Errorf("%+v %+v", g, g.Server)
		}
		s.server.mu.Lock()
		s.server.change, s.server.asked = nil, nil
		s.server.mu.Unlock()
		pass(12 * time.Hour)
		if n := s.server.times(); n < 2 || n > 24 {
			t.Errorf("%d requests in half a day after it", n)
		}
	})
	inBubble(t, func(t *testing.T, s *scene) {
		s.server.change = func(_, a *ntp.Header) { a.Stratum, a.ReferenceID = 0, [4]byte{'D', 'E', 'N', 'Y'} }
		s.run(t)
		pass(48 * time.Hour)
		if n := s.server.times(); n != 1 {
			t.Errorf("%d requests after DENY", n)
		}
		if g := s.out.Last(); g.State != refclock.Lost || !strings.Contains(g.Text, "does not want to be asked") {
			t.Errorf("%+v", g)
		}
		elsewhere := netip.MustParseAddr("192.0.2.2")
		kind := newFakeServer()
		s.network.mu.Lock()
		s.network.hosts["ntp.example.org"] = []netip.Addr{address, elsewhere}
		s.network.servers[netip.AddrPortFrom(elsewhere, 123)] = kind
		s.network.mu.Unlock()
		pass(2 * time.Hour)
		if s.server.times() != 1 || kind.times() < 10 || s.out.Last().State != refclock.Timing {
			t.Errorf("%d requests to the one, %d to the other: %s", s.server.times(), kind.times(), s.out.Last().Text)
		}
	})
}

// A server that goes away is shown as lost, asked patiently, and another address of its name is tried; when it comes back,
// or its name does, all is well within two minutes.
func TestLossAndReturn(t *testing.T) {
	inBubble(t, func(t *testing.T, s *scene) {
		elsewhere := netip.MustParseAddr("2001:db8::2")
		other := newFakeServer()
		other.silent = true
		s.network.hosts["ntp.example.org"] = []netip.Addr{address, elsewhere}
		s.network.servers[netip.AddrPortFrom(elsewhere, 123)] = other
		s.run(t)
		pass(10 * time.Minute)
		s.server.mu.Lock()
		s.server.silent, s.server.asked = true, nil
		s.server.mu.Unlock()
		before := len(s.out.Samples())
		pass(2 * time.Hour)
		if g := s.out.Last(); g.State != refclock.Lost || g.Server.Reach != 0 || len(s.out.Samples()) != before {
			t.Errorf("%+v %+v", g, g.Server)
		}
		if n := s.server.times() + other.times(); n < 60 || n > 7200/16 {
			t.Errorf("%d requests in two hours of silence", n)
		}
		if other.times() == 0 {
			t.Error("the other address was not tried")
		}
		other.mu.Lock()
		other.silent = false
		other.mu.Unlock()
		pass(5 * time.Minute)
		if g := s.out.Last(); g.State != refclock.Timing || g.Server.Address != "[2001:db8::2]:123" {
			t.Errorf("%+v", g)
		}
	})
	inBubble(t, func(t *testing.T, s *scene) { // at power-on the network is not there yet
		names := s.network.hosts
		s.network.hosts = nil
		s.run(t)
		pass(5 * time.Minute)
		if g := s.out.Last(); g.State != refclock.Lost || !strings.Contains(g.Text, "ntp.example.org") {
			t.Errorf("%+v", g)
		}
		s.network.mu.Lock()
		s.network.hosts = names
		s.network.mu.Unlock()
		pass(time.Minute)
		if s.out.Last().State != refclock.Timing {
			t.Errorf("%+v", s.out.Last())
		}
	})
}

// Leap seconds are announced as the server does, dates beyond 2036 are ordinary, and near the leap second nothing is used.
func TestLeapsAndEras(t *testing.T) {
	for li, want := range map[ntp.Leap]refclock.LeapNotice{
		ntp.LeapNone: refclock.LeapNone, ntp.LeapInsert: refclock.LeapInsert, ntp.LeapDelete: refclock.LeapDelete,
	} {
		inBubble(t, func(t *testing.T, s *scene) {
			s.server.header.Leap = li
			s.run(t)
			pass(time.Second)
			if len(s.out.Samples()) != 1 || s.out.Samples()[0].Leap != want {
				t.Errorf("%v: %d samples, %s", li, len(s.out.Samples()), s.out.Last().Text)
			}
		})
	}
	inBubble(t, func(t *testing.T, s *scene) { // announced for midnight, which is not in the station's table
		s.server.header.Leap = ntp.LeapInsert
		s.config.PollMin, s.config.PollMax = 1, 1
		pass(12*time.Hour - 10*time.Second)
		s.run(t)
		pass(20 * time.Second)
		near := 0
		for _, x := range s.out.Samples() {
			if at := x.Exchange.T2.UTC().Seconds % 86400; at >= 86399 || at < 1 {
				near++
			}
		}
		if near != 0 || len(s.out.Samples()) < 8 {
			t.Errorf("%d of %d samples are beside midnight", near, len(s.out.Samples()))
		}
	})
	inBubble(t, func(t *testing.T, s *scene) {
		later := truth.AddDate(12, 0, 0).Sub(truth)
		s.server.change = func(_, a *ntp.Header) {
			shift := ntp.Timestamp(uint64(later/time.Second) << 32)
			a.Receive, a.Transmit = a.Receive+shift, a.Transmit+shift
		}
		s.run(t)
		pass(time.Second)
		if len(s.out.Samples()) != 1 || s.out.Samples()[0].Exchange.T2.UTC().Time().Year() != 2038 {
			t.Errorf("%+v %s", s.out.Samples(), s.out.Last().Text)
		}
	})
}
