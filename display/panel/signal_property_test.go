package panel

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"timestation/display"
	"timestation/engine/status"
	"timestation/refclock"
)

// someMore makes up a log, clients, alerts and what somebody did to the page.
func someMore(r *rand.Rand, in *Input) {
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	now := in.Second.UTC().Time()
	in.View = View{Span: []time.Duration{0, time.Hour, 30 * 24 * time.Hour, 366 * 24 * time.Hour}[r.IntN(4)], Row: r.IntN(20), Choice: r.IntN(5),
		Told: pick("", "saved as /var/lib/timestation/exports/history-2026-11-22T13-08-37.svg", long)}
	if r.IntN(3) == 0 {
		in.View.Cursor = now.Add(-time.Duration(r.Int64N(int64(time.Hour))))
	}
	if r.IntN(5) == 0 {
		in.View.Confirm = &display.Action{Kind: display.ActionAcceptJump, Source: pick("gps0", "the-one-on-the-northern-roof", "the vote")}
	}
	if r.IntN(5) > 0 {
		in.History = someHistory(r, now, span(in.View))
	}
	in.HistoryError, in.ClientsError = pick("", "", "", long), pick("", "", "", long)
	in.Clients.RequestsPerSecond, in.Clients.Known = math.Pow(10, 8*r.Float64()-3), r.IntN(100_000)
	in.Clients.Refused = map[string]uint64{"denied": uint64(r.Int64N(1 << r.IntN(60))), "nts-nak": uint64(r.IntN(3)), "some-reason-to-come": 1}
	for n := r.IntN(60); n > 0; n-- {
		c := status.Client{Requests: uint64(1 + r.Int64N(1<<r.IntN(50))), FirstSeen: 5, LastSeen: refclock.Stamp(5 + r.Int64N(1<<r.IntN(60)))}
		c.Address = netip.MustParseAddr(pick("10.0.0.1", "192.168.178.254", "2001:db8:85a3:8d3:1319:8a2e:370:7348", "fe80::1319:8a2e:370:7348%enp0s31f6"))
		c.Refused = c.Requests / uint64(1+r.IntN(9)) * uint64(r.IntN(2))
		c.Answered, c.LastRefused = c.Requests-c.Refused, pick("", "rate-limited", "ms-sntp")
		c.Authenticated = c.Answered / uint64(1+r.IntN(3)) * uint64(r.IntN(2))
		in.Clients.Clients = append(in.Clients.Clients, c)
	}
	s := in.Status
	s.MaxErrorGrowth = []float64{0, 1e-12, 1e-8, 1e-5, 1}[r.IntN(5)]
	for n := r.IntN(9); n > 0; n-- {
		source := someSource(r)
		source.OffsetSeconds, source.MaxErrorSeconds = r.NormFloat64()*math.Pow(10, 15*r.Float64()-9), math.Pow(10, 12*r.Float64()-9)
		source.State = status.SourceState(pick("selected", "agreeing", "falseticker", "compared", "settling", "unusable", "silent"))
		s.Sources = append(s.Sources, source)
	}
	for i := range s.Alerts {
		s.Alerts[i].Code, s.Alerts[i].AcknowledgedBy = pick("falseticker", jumpLatched), pick("", "M. Krause", "the screen")
	}
	s.Unseen = pick("", "An error that gps0 and pps0 share would not be seen.", long)
}

func someHistory(r *rand.Rand, now time.Time, long time.Duration) display.History {
	n := 2 + r.IntN(700)
	h := display.History{From: now.Add(-long), To: now, StepSeconds: long.Seconds() / float64(n)}
	value := func(v float64) *float64 {
		if r.IntN(20) == 0 {
			return nil
		}
		return &v
	}
	size := math.Pow(10, 12*r.Float64()-10)
	for i := range n {
		if r.IntN(30) == 0 {
			continue
		}
		at := h.From.Add(time.Duration((float64(i) + 0.5) * h.StepSeconds * 1e9))
		v := size * r.NormFloat64()
		h.Points = append(h.Points, display.Point{Time: at, OffsetSeconds: value(v), OffsetLowSeconds: value(v - size), OffsetHighSeconds: value(v + size),
			FrequencyPPM: value(r.NormFloat64() * 100 * size), MaxErrorSeconds: value(math.Abs(v) * 3), TemperatureCelsius: value(40 + r.NormFloat64()),
			State: []status.State{"", status.Synchronised, status.Holdover, status.Unsynchronised}[r.IntN(4)]})
	}
	for k := range r.IntN(20) {
		for i := range 1 + r.IntN(5) {
			v := math.Pow(10, -4-10*r.Float64())
			h.Deviations = append(h.Deviations, display.Deviation{Source: []string{"gps0", "dcf0", "ntp1", "the-one-on-the-northern-roof", "pps0"}[i],
				Tau: 16 * math.Pow(2, float64(k)), Value: v, Low: v / 2, High: v * 2})
		}
	}
	return h
}

// TestWhateverIsKnownHasItsPlace is TestEveryShapeHasItsPlace with a log, clients, and views as people leave them.
func TestWhateverIsKnownHasItsPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 2))
	for round := range 10 {
		in := someInput(r)
		someMore(r, &in)
		for _, name := range []string{"signal", "trust", "history", "clients"} {
			p, _ := Named(name)
			for _, size := range screens {
				if problems := misplaced(p, in, size); len(problems) > 0 {
					t.Errorf("%d, %s in %s on %v × %v: %s", round, p.Name, in.Style.Language, size.W, size.H,
						strings.Join(problems[:min(len(problems), 4)], "; "))
				}
			}
		}
	}
}
