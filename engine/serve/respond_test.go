package serve

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"testing/quick"
	"testing/synctest"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
	"timestation/refclock"
)

var mustAddrPort = netip.MustParseAddrPort

// moment gives an answer's timestamp as UTC, in the era around 2026.
func moment(ts ntp.Timestamp) time.Time {
	seconds, nanos := ts.Unix(noon2026.UTC().Seconds)
	return time.Unix(seconds, int64(nanos)).UTC()
}

func TestAnswerIsStationTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := good()
		s.Rate = 50e-6
		r := newResponder(t, s)
		time.Sleep(time.Second)
		rx := now()
		time.Sleep(250 * time.Millisecond)
		out := make([]byte, ntp.HeaderLen)
		if _, reason := r.respond(request(4, ntp.Client), client, rx, out); reason != Answered {
			t.Fatal(reason)
		}
		answer, err := ntp.Parse(out)
		if err != nil {
			t.Fatal(err)
		}
		noon := noon2026.UTC().Time()
		for _, c := range []struct {
			name      string
			got, want time.Time
		}{
			{"reference", moment(answer.Reference), noon.Add(-300 * time.Millisecond)},
			{"receive", moment(answer.Receive), noon.Add(time.Second + 50*time.Microsecond)},
			{"transmit", moment(answer.Transmit), noon.Add(1250*time.Millisecond + 62500*time.Nanosecond)},
		} {
			// The last bits of a timestamp carry a mark.
			if d := c.got.Sub(c.want); d.Abs() > 8*time.Nanosecond {
				t.Errorf("%s is %v, want %v", c.name, c.got, c.want)
			}
		}
		if answer.Leap != ntp.LeapNone || answer.Stratum != 1 || answer.ReferenceID != s.ReferenceID || answer.Precision != -24 {
			t.Errorf("%+v", answer.Header)
		}
	})
}

func TestRootDistanceCoversTheBound(t *testing.T) {
	r := newResponder(t, nil)
	property := func(maxError, rootDelay uint32) bool {
		s := good()
		s.MaxError = time.Duration(maxError)
		s.RootDelay = time.Duration(rootDelay % 200e6)
		s.MaxErrorLimit = 0
		r.board.Publish(s)
		r.look()
		at := s.Epoch.Add(time.Second)
		bound := s.At(at).MaxError
		h := r.exactly(at, at)
		distance := (float64(h.RootDelay)/2 + float64(h.RootDispersion)) / (1 << 16)
		waste := distance - max(bound, s.RootDelay/2).Seconds()
		return distance >= bound.Seconds() && waste < 40e-6
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNotKnownIsNotClaimed(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(*status.Status)
		limit    time.Duration
		sleep    time.Duration
		want     bool // still synchronised
		wantTime bool
	}{
		"good":                  {want: true, wantTime: true},
		"holdover":              {change: func(s *status.Status) { s.State = status.Holdover }, want: true, wantTime: true},
		"unsynchronised":        {change: func(s *status.Status) { s.State = status.Unsynchronised }, wantTime: true},
		"stratum 16":            {change: func(s *status.Status) { s.Stratum = 16 }, wantTime: true},
		"stratum 0":             {change: func(s *status.Status) { s.Stratum = 0 }, wantTime: true},
		"the engine hangs":      {sleep: status.Validity + 1, wantTime: true},
		"just before":           {sleep: status.Validity - time.Millisecond, want: true, wantTime: true},
		"beyond the station's":  {change: func(s *status.Status) { s.MaxError = time.Second + 1 }, wantTime: true},
		"beyond the listener's": {limit: 179 * time.Millisecond, wantTime: true},
		"within the listener's": {limit: 181 * time.Millisecond, want: true, wantTime: true},
		"no limit, but 16 seconds": {change: func(s *status.Status) {
			s.MaxErrorLimit, s.MaxError = 0, 17*time.Second
		}, wantTime: true},
		"never knew the time": {change: func(s *status.Status) {
			s.State, s.EpochInstant = status.Unsynchronised, refclock.Instant{}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, demo := range []bool{false, true} {
					s := good()
					s.Demonstration = demo
					if c.change != nil {
						c.change(s)
					}
					r := newResponder(t, s)
					r.maxError = c.limit
					time.Sleep(c.sleep)
					answer, reason := ask(t, r, request(4, ntp.Client))
					if reason != Answered {
						t.Fatal(reason)
					}
					wantLeap, wantStratum, wantID := ntp.LeapUnsynchronised, uint8(0), [4]byte{}
					if c.want {
						wantLeap, wantStratum, wantID = ntp.LeapNone, 1, s.ReferenceID
					}
					if demo {
						wantID = [4]byte{'D', 'E', 'M', 'O'}
					}
					if answer.Leap != wantLeap || answer.Stratum != wantStratum || answer.ReferenceID != wantID {
						t.Errorf("demonstration %v: %+v", demo, answer.Header)
					}
					if c.wantTime != (answer.Transmit != 0) || c.wantTime != (answer.Receive != 0) {
						t.Errorf("receive %v, transmit %v", answer.Receive, answer.Transmit)
					}
				}
			})
		})
	}
}

func TestBeforeTheFirstStatus(t *testing.T) {
	answer, reason := ask(t, newResponder(t, nil), request(4, ntp.Client))
	if reason != Answered || answer.Leap != ntp.LeapUnsynchronised || answer.Stratum != 0 || answer.Transmit != 0 ||
		answer.Receive != 0 || answer.Reference != 0 || answer.RootDispersion.Duration() < maxDispersion {
		t.Errorf("%v %+v", reason, answer.Header)
	}
}

func TestReferenceTimeIsNotInTheFuture(t *testing.T) {
	s := good()
	s.ReferenceTime = noon2026.Add(time.Hour)
	answer, _ := ask(t, newResponder(t, s), request(4, ntp.Client))
	if answer.Reference > answer.Transmit {
		t.Errorf("reference %v, transmit %v", moment(answer.Reference), moment(answer.Transmit))
	}
}

func TestLeapSeconds(t *testing.T) {
	insert := refclock.Date(2016, 12, 31, 23, 59, 60, 0).Instant(36)
	remove := refclock.Date(2029, 1, 1, 0, 0, 0, 0).Instant(37)
	remove.TAI -= int64(time.Second) // 23:59:59 is left out
	for _, c := range []struct {
		name   string
		notice refclock.LeapNotice
		at     refclock.Instant
		before time.Duration
		want   ntp.Leap
		utc    string
	}{
		{"the day before", refclock.LeapInsert, insert, 86400*time.Second + 1, ntp.LeapNone,
			"2016-12-30T23:59:59.999999999Z"},
		{"the day begins", refclock.LeapInsert, insert, 86400 * time.Second, ntp.LeapInsert, "2016-12-31T00:00:00Z"},
		{"23:59:59.5", refclock.LeapInsert, insert, time.Second / 2, ntp.LeapInsert, "2016-12-31T23:59:59.5Z"},
		{"23:59:60.5 repeats", refclock.LeapInsert, insert, -time.Second / 2, ntp.LeapInsert, "2016-12-31T23:59:59.5Z"},
		{"it is over", refclock.LeapInsert, insert, -time.Second, ntp.LeapNone, "2017-01-01T00:00:00Z"},
		{"the day before, deletion", refclock.LeapDelete, remove, 86399*time.Second + 1, ntp.LeapNone,
			"2028-12-30T23:59:59.999999999Z"},
		{"the day begins, deletion", refclock.LeapDelete, remove, 86399 * time.Second, ntp.LeapDelete, "2028-12-31T00:00:00Z"},
		{"23:59:58.5", refclock.LeapDelete, remove, time.Second / 2, ntp.LeapDelete, "2028-12-31T23:59:58.5Z"},
		{"23:59:59 is left out", refclock.LeapDelete, remove, 0, ntp.LeapNone, "2029-01-01T00:00:00Z"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := good()
			// The answer comes half a second after now. The model was made now, but before the leap in any case.
			s.EpochInstant = refclock.Instant{
				TAI: c.at.TAI - int64(c.before) - int64(time.Second/2), TAIMinusUTC: c.at.TAIMinusUTC,
			}
			s.Leap, s.LeapAt = c.notice, c.at
			if c.before <= -time.Second/2 {
				s.EpochInstant.TAI, s.Epoch = c.at.TAI-int64(time.Second/2), s.Epoch.Add(c.before)
			}
			r := newResponder(t, s)
			time.Sleep(time.Second / 2)
			answer, reason := ask(t, r, request(4, ntp.Client))
			got := moment(answer.Transmit).Format(time.RFC3339Nano)
			if reason != Answered || answer.Leap != c.want || got != c.utc {
				t.Errorf("%s: %v, leap %d, %s; want leap %d, %s", c.name, reason, answer.Leap, got, c.want, c.utc)
			}
		})
	}
}

func TestOrdinaryDays(t *testing.T) {
	for _, u := range []refclock.UTC{
		refclock.Date(2036, 2, 7, 6, 28, 15, 999999999), refclock.Date(2036, 2, 7, 6, 28, 16, 0),
		refclock.Date(2038, 1, 19, 3, 14, 8, 0), refclock.Date(2090, 1, 1, 0, 0, 0, 0),
	} {
		synctest.Test(t, func(t *testing.T) {
			s := good()
			s.EpochInstant = u.Instant(37)
			s.ReferenceTime = s.EpochInstant
			answer, _ := ask(t, newResponder(t, s), request(4, ntp.Client))
			seconds, nanos := answer.Transmit.Unix(u.Seconds + 1e9)
			if answer.Leap != ntp.LeapNone || seconds != u.Seconds || nanos != u.Nanoseconds || answer.Transmit == 0 {
				t.Errorf("%v: %d.%09d %+v", u, seconds, nanos, answer.Header)
			}
		})
	}
}

func TestSteppedClockGetsSilence(t *testing.T) {
	out := make([]byte, ntp.HeaderLen)
	r := newResponder(t, good())
	looks := 0
	r.stepped = func(*status.Status, time.Time) bool { looks++; return true }
	if _, reason := r.respond(request(4, ntp.Client), client, now(), out); reason != ClockStepped {
		t.Error(reason)
	}
	// One look may be wrong: a process that was not running in between is not a step.
	r.stepped = func(*status.Status, time.Time) bool { looks++; return looks == 3 }
	if _, reason := r.respond(request(4, ntp.Client), client, now(), out); reason != Answered || looks != 4 {
		t.Error(reason, looks)
	}
}

func TestArrivalTimesThatDoNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := make([]byte, ntp.HeaderLen)
		r := newResponder(t, good())
		for d, want := range map[time.Duration]Reason{
			1: ClockStepped, time.Hour: ClockStepped, 0: Answered, -maxWait: Answered, -maxWait - 1: Late,
		} {
			if _, reason := r.respond(request(4, ntp.Client), client, now().Add(d), out); reason != want {
				t.Errorf("arrival %v from now: %v, want %v", d, reason, want)
			}
		}
	})
}

func TestNoRoomForTheAnswer(t *testing.T) {
	r := newResponder(t, good())
	for _, in := range [][]byte{request(4, ntp.Client), signed(t, request(3, ntp.Client), 5, 0)} {
		if n, reason := r.respond(in, client, now(), make([]byte, len(in)-1)); n != 0 || reason != NoRoom {
			t.Error(n, reason)
		}
		if n, reason := r.respond(in, client, now(), make([]byte, len(in))); n != len(in) || reason != Answered {
			t.Error(n, reason)
		}
	}
}

// TestNoAnswerIsLonger: whatever is asked and however fast, the server is no amplifier, not even with kisses.
func TestNoAnswerIsLonger(t *testing.T) {
	r := newResponder(t, good())
	r.kisses, r.limit = KissAll, limit{20 * time.Microsecond, time.Millisecond}
	random := rand.New(rand.NewPCG(9, 9))
	kissed := 0
	out := make([]byte, longestRequest)
	answered := 0
	for i := range 10000 {
		in := request(uint8(rand.IntN(6)), ntp.Mode(rand.IntN(8)))
		for range rand.IntN(3) {
			in = append(in, extension(16+4*rand.IntN(20))...)
		}
		if rand.IntN(2) == 0 {
			in = signed(t, in, uint32(1+rand.IntN(7)), 20*rand.IntN(2))
		}
		if rand.IntN(4) == 0 {
			in = in[:rand.IntN(len(in)+1)]
		}
		from := client
		if i%3 == 0 {
			from = netip.AddrPortFrom(randomAddress(random), 123)
		}
		n, reason := r.respond(in, from, now(), out)
		kiss := reason == Denied || reason == RateLimited
		if n > len(in) || n == 0 && reason == Answered || n > 0 && reason != Answered && !kiss {
			t.Fatalf("%x: %d octets, %v", in, n, reason)
		}
		if n > 0 && kiss {
			kissed++
		} else {
			answered += min(n, 1)
		}
		if i%100 == 0 {
			r.board.Publish(good())
		}
	}
	if answered < 200 || kissed < 100 {
		t.Errorf("only %d of the requests were answered, %d kissed: they test nothing", answered, kissed)
	}
}

// FuzzRespond: no packet crashes the server or makes it answer with more than was asked; what it answers is an NTP
// packet that echoes the request, and is signed if and only if that was.
func FuzzRespond(f *testing.F) {
	f.Add(request(4, ntp.Client))
	f.Add(request(3, ntp.SymmetricActive))
	f.Add(signed(f, join(request(4, ntp.Client), extension(28)), 2, 0))
	f.Add(signed(f, request(3, ntp.Client), 5, 0))
	r := newResponder(f, nil)
	macs := r.keyring.Load().signers()
	f.Fuzz(func(t *testing.T, in []byte) {
		r.board.Publish(good())
		answer, reason := ask(t, r, in)
		if reason != Answered {
			return
		}
		asked, err := ntp.Parse(in)
		if err != nil {
			t.Fatalf("answered a packet that is refused: %v", err)
		}
		if answer.Origin != asked.Transmit || answer.Version != asked.Version || len(answer.Extensions) != 0 ||
			(answer.Mode != ntp.Server && answer.Mode != ntp.SymmetricPassive) || len(answer.Digest) != len(asked.Digest) {
			t.Errorf("%+v", answer)
		}
		if answer.Digest != nil && !macs[asked.KeyID].Check(answer.Signed, answer.Digest) {
			t.Error("the answer's code is wrong")
		}
	})
}

// kinds of request that the limits on allocation and the benchmark are about.
func kinds(t testing.TB) map[string][]byte {
	v3, v4 := request(3, ntp.Client), request(4, ntp.Client)
	return map[string][]byte{
		"plain": v4, "MD5": signed(t, v4, 1, 0), "SHA1": signed(t, v4, 2, 0), "SHA256": signed(t, v3, 3, 0),
		"SHA512": signed(t, v4, 5, 20), "CMAC": signed(t, v4, 6, 0), "AES256": signed(t, v4, 7, 0),
		"unknown": join(v4, []byte{0, 0, 0, 99}, make([]byte, 20)), "malformed": v4[:20],
	}
}

func TestRespondAllocatesNothing(t *testing.T) {
	out := make([]byte, longestRequest)
	for name, in := range kinds(t) {
		r := newResponder(t, good())
		if allocs := testing.AllocsPerRun(200, func() { r.respond(in, client, now(), out) }); allocs != 0 {
			t.Errorf("%s: %v allocations a request", name, allocs)
		}
	}
}

func BenchmarkRespond(b *testing.B) {
	out := make([]byte, longestRequest)
	all := kinds(b)
	for _, name := range []string{"plain", "MD5", "SHA1", "SHA512", "CMAC", "AES256"} {
		b.Run(name, func(b *testing.B) {
			r := newResponder(b, good())
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%100000 == 0 {
					r.board.Publish(good())
				}
				if _, reason := r.respond(all[name], client, now(), out); reason != Answered {
					b.Fatal(reason)
				}
			}
		})
	}
}
