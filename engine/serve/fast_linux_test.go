package serve

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
	"timestation/refclock"
)

// startFast is start with the fast path on loopback, which needs root.
func startFast(t *testing.T, change func(*Config)) *Server {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("loading eBPF programs needs root")
	}
	config := listener(t, "127.0.0.1:0")
	config.FastPath = true
	if change != nil {
		change(&config)
	}
	s := start(t, config)
	if s.fast == nil {
		t.Skip("this kernel lets root load no eBPF")
	}
	return s
}

// plainRequest4 is a request of a client in the basic mode; one whose origin has its last bit set may be interleaved.
func plainRequest4(origin ntp.Timestamp) []byte {
	h := ntp.Header{Version: 4, Mode: ntp.Client, Poll: 7, Origin: origin, Transmit: 0xfeed_0123_4567_89ab}
	return h.Append(nil)
}

// inKernel asks until the kernel answers: it has its model a moment after the server began.
func inKernel(t *testing.T, s *Server) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); s.Counters().InKernel == 0; time.Sleep(fastEvery / 5) {
		if exchange(t, s.Address().String(), plainRequest4(0), time.Second) == nil || time.Now().After(deadline) {
			t.Fatalf("the kernel answers nothing: %+v", s.Counters())
		}
	}
}

// TestFastPathSameAnswer: the kernel says what the sockets say, but for the timestamps, and those agree too.
func TestFastPathSameAnswer(t *testing.T) {
	s := startFast(t, nil)
	inKernel(t, s)
	for round := range 20 {
		before := s.Counters()
		var answers [2]ntp.Header
		for i, origin := range []ntp.Timestamp{0xec1b_0000_0000_0002, 0xec1b_0000_0000_0003} {
			b := exchange(t, s.Address().String(), plainRequest4(origin), time.Second)
			p, err := ntp.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			answers[i] = p.Header
		}
		// The sockets count after they have sent.
		after := s.Counters()
		for deadline := time.Now().Add(time.Second); after.Plain < before.Plain+2 && time.Now().Before(deadline); {
			after = s.Counters()
		}
		if after.InKernel != before.InKernel+1 || after.Plain != before.Plain+2 || after.Requests != before.Requests+2 {
			t.Fatalf("round %d: from %+v to %+v", round, before, after)
		}
		kernel, socket := answers[0], answers[1]
		if apart := int64(socket.Receive - kernel.Receive); apart < 0 || apart > 1<<32/10 {
			t.Errorf("received %v apart", time.Duration(apart*1e9>>32))
		}
		// The bound grows meanwhile, by less than its unit.
		if d := socket.RootDispersion - kernel.RootDispersion; d > 1 {
			t.Errorf("root dispersion %d and then %d", kernel.RootDispersion, socket.RootDispersion)
		}
		socket.Receive, socket.Transmit, socket.RootDispersion = kernel.Receive, kernel.Transmit, kernel.RootDispersion
		if kernel != socket {
			t.Fatalf("\nkernel  %+v\nsockets %+v", kernel, socket)
		}
	}
	var requests uint64
	for _, c := range s.Clients() {
		requests += c.Requests
	}
	if c := s.Counters(); requests != c.Requests {
		t.Errorf("clients have %d requests, the counters %d", requests, c.Requests)
	}
}

// TestFastPathTime: the two paths have one time, to what a round trip on loopback may hide. Each round asks by both.
func TestFastPathTime(t *testing.T) {
	s := startFast(t, nil)
	inKernel(t, s)
	f := s.newFace()
	f.broke = func() {}
	for _, origin := range []ntp.Timestamp{2, 3} {
		tightest, error := time.Hour, time.Duration(0)
		for range 100 {
			f.look()
			sent := now()
			b := exchange(t, s.Address().String(), plainRequest4(origin), time.Second)
			received := now()
			p, err := ntp.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if trip := received.Sub(sent); trip < tightest {
				middle := f.exactly(sent.Add(trip/2), sent)
				tightest = trip
				error = time.Duration(int64(p.Receive/2+p.Transmit/2-middle.Receive) * 1e9 >> 32)
			}
		}
		t.Logf("origin %d: %v off the middle of a round trip of %v", origin, error, tightest)
		if error.Abs() > tightest/2 {
			t.Errorf("origin %d: %v off, in a round trip of %v", origin, error, tightest)
		}
	}
}

// TestFastPathSilence: a station that no longer knows the time is not answered for by the kernel.
func TestFastPathSilence(t *testing.T) {
	s := startFast(t, nil)
	inKernel(t, s)
	lost := *good()
	lost.State, lost.Reason, lost.Stratum, lost.ReferenceID = status.Unsynchronised, "test", status.Stratum16, [4]byte{}
	s.board.Publish(&lost)
	time.Sleep(2 * fastEvery)
	before := s.Counters().InKernel
	p, err := ntp.Parse(exchange(t, s.Address().String(), plainRequest4(0), time.Second))
	if err != nil || p.Leap != ntp.LeapUnsynchronised || p.Stratum != 0 {
		t.Errorf("%+v, %v", p.Header, err)
	}
	if after := s.Counters().InKernel; after != before {
		t.Error("it came from the kernel")
	}
}

// TestFastPathRate: the limit holds in the kernel, kisses included.
func TestFastPathRate(t *testing.T) {
	s := startFast(t, func(c *Config) { c.RateLimitPerSecond, c.RateLimitBurst = 1, 300 })
	inKernel(t, s)
	for range 400 {
		exchange(t, s.Address().String(), plainRequest4(0), 5*time.Millisecond)
	}
	if c := s.Counters(); c.Dropped[RateLimited] < 50 || c.Kisses == 0 || c.Kisses > 3 {
		t.Errorf("%+v", c)
	}
}

// TestFastPathMissing: without the kernel's help one line says so, and the sockets answer.
func TestFastPathMissing(t *testing.T) {
	config := listener(t, "127.0.0.1:0")
	config.FastPath = true
	config.Address = "127.0.0.2:0" // which no interface has by that name, though the kernel takes it
	var said strings.Builder
	s, err := New(config, newBoard(), slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if n := strings.Count(said.String(), "level=WARN"); n != 1 || !strings.Contains(said.String(), "fast_path") || s.fast != nil {
		t.Errorf("said %q", said.String())
	}
}

// modelOf is what the kernel gets from a status that was published age ago.
func modelOf(t *testing.T, config Config, s *status.Status) (ok bool, valid time.Duration, rate float64) {
	t.Helper()
	policy, err := config.smear()
	if err != nil {
		t.Fatal(err)
	}
	r := newResponder(t, s)
	r.policy = policy
	r.look()
	m := r.model()
	return m.Valid > 0, m.Valid, m.Rate
}

// TestFastPathModel: the kernel gets a model only where nothing but what runs evenly changes until it is over.
func TestFastPathModel(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*status.Status)
		leap   string
		want   bool
	}{
		"good":                  {func(*status.Status) {}, LeapPlain, true},
		"holdover":              {func(s *status.Status) { s.State = status.Holdover }, LeapPlain, true},
		"unsynchronised":        {func(s *status.Status) { s.State = status.Unsynchronised }, LeapPlain, false},
		"old":                   {func(s *status.Status) { s.Epoch = s.Epoch.Add(-status.Validity) }, LeapPlain, false},
		"beyond the limit soon": {func(s *status.Status) { s.MaxErrorLimit = s.MaxError + 10*time.Microsecond }, LeapPlain, false},
		"leap in a month":       {leapIn(30 * 24 * time.Hour), LeapPlain, true},
		"leap in an hour":       {leapIn(time.Hour), LeapPlain, true},
		"the day begins":        {leapIn(24*time.Hour + time.Second), LeapPlain, false},
		"leap within a second":  {leapIn(time.Second), LeapPlain, false},
		"leap in 1.9 s":         {leapIn(1900 * time.Millisecond), LeapPlain, false},
		"in the leap second":    {leapIn(-500 * time.Millisecond), LeapPlain, false},
		"after it":              {leapIn(-1100 * time.Millisecond), LeapPlain, true},
		"smear, before it":      {leapIn(24 * time.Hour), LeapSmear24h, true},
		"smear, about to begin": {leapIn(12*time.Hour + time.Second), LeapSmear24h, false},
	} {
		s := good()
		c.change(s)
		config := DefaultConfig()
		config.Leap = c.leap
		if ok, valid, rate := modelOf(t, config, s); ok != c.want {
			t.Errorf("%s: a model for %v at rate %g, want %v", name, valid, rate, c.want)
		}
	}
}

func leapIn(d time.Duration) func(*status.Status) {
	return func(s *status.Status) { s.Leap, s.LeapAt = refclock.LeapInsert, s.EpochInstant.Add(d) }
}
