package fastpath

import (
	"net/netip"
	"testing"
	"time"

	"timestation/engine/ntp"
)

// TestRateLimit: a burst, then one in eight and one kiss a second; another address has a limit of its own.
func TestRateLimit(t *testing.T) {
	const burst = 16
	k := load(t, Options{
		Allow: everyone(), Kisses: true, RateInterval: time.Hour, RateBurst: (burst - 1) * time.Hour,
	})
	if err := k.Publish(model()); err != nil {
		t.Fatal(err)
	}
	for n := range burst {
		if verdict, out := k.run(t, plain4(request())); verdict != tcxRedirect || check(t, plain4(request()), out).Stratum != 1 {
			t.Fatalf("request %d of the burst: verdict %d", n, verdict)
		}
	}
	const more = 800
	var answers, kisses, dropped uint64
	began := time.Now()
	for range more {
		in := plain4(request())
		switch verdict, out := k.run(t, in); verdict {
		case tcxDrop:
			dropped++
		case tcxRedirect:
			got := check(t, in, out)
			if got.Stratum == 1 {
				answers++
				continue
			}
			kisses++
			if got.Leap != ntp.LeapUnsynchronised || got.Stratum != 0 || got.ReferenceID != [4]byte{'R', 'A', 'T', 'E'} ||
				got.Origin != request().Transmit || got.Version != 4 || got.Mode != ntp.Server {
				t.Errorf("kiss %+v", got)
			}
		default:
			t.Fatalf("verdict %d", verdict)
		}
	}
	if most := 1 + uint64(time.Since(began)/kissEvery); kisses < 1 || kisses > most {
		t.Errorf("%d kisses, want at most %d", kisses, most)
	}
	if answers < more/leakOneIn/2 || answers > more/leakOneIn*2 {
		t.Errorf("%d of %d answered all the same, want about %d", answers, more, more/leakOneIn)
	}
	if c, want := k.Counters(), (Counters{Answered: burst + answers, RateLimited: kisses + dropped, Kisses: kisses}); c != want {
		t.Errorf("%+v, want %+v", c, want)
	}
	if c := k.Clients(); len(c) != 1 || c[0].Address != client4 || c[0].Requests != burst+more ||
		c[0].Answered != burst+answers || c[0].Refused != kisses+dropped {
		t.Errorf("clients %+v", c)
	}
	if verdict, _ := k.run(t, plain6(request())); verdict != tcxRedirect {
		t.Errorf("another address: verdict %d", verdict)
	}
}

// TestBucket: the long run is the rate, here 200 a second; and without kisses there are none.
func TestBucket(t *testing.T) {
	const interval, burst = 5 * time.Millisecond, 4
	k := load(t, Options{Allow: everyone(), RateInterval: interval, RateBurst: (burst - 1) * interval})
	began := time.Now()
	for time.Since(began) < 300*time.Millisecond {
		if err := k.Publish(model()); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if verdict, out := k.run(t, plain6(request())); verdict == tcxRedirect &&
				check(t, plain6(request()), out).Stratum != 1 {
				t.Fatal("a kiss")
			}
		}
	}
	c := k.Counters()
	inTime := float64(time.Since(began)/interval) + burst
	leaked := (float64(c.Answered+c.RateLimited) - inTime) / leakOneIn
	if got := float64(c.Answered); got < 0.8*(inTime+leaked) || got > 1.2*(inTime+leaked) {
		t.Errorf("%+v, want %.0f in time and %.0f leaked", c, inTime, leaked)
	}
}

// TestFlood: made-up addresses take no memory beyond the table's, and an honest one is answered meanwhile.
func TestFlood(t *testing.T) {
	k := load(t, Options{Allow: everyone(), RateInterval: time.Second / 64, RateBurst: 4 * time.Second})
	h := request()
	honest := plain4(h)
	for n := range 20000 {
		if n%1000 == 0 {
			if err := k.Publish(model()); err != nil {
				t.Fatal(err)
			}
			if verdict, _ := k.run(t, honest); verdict != tcxRedirect {
				t.Fatalf("honest client after %d: verdict %d", n, verdict)
			}
		}
		from := netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
		if verdict, _ := k.run(t, frame(netip.AddrPortFrom(from, 9), netip.AddrPortFrom(server4, 123), h.Append(nil))); verdict == tcxDrop {
			t.Fatalf("%v dropped", from)
		}
	}
	if n := len(k.Clients()); n > maxClients {
		t.Errorf("%d clients", n)
	}
}

// TestNoModel: silence before the first, after its time, and after one that says nothing.
func TestNoModel(t *testing.T) {
	k := load(t, Options{Allow: everyone()})
	expect := func(when string, want int32) {
		t.Helper()
		if verdict, _ := k.run(t, plain4(request())); verdict != want {
			t.Errorf("%s: verdict %d, want %d", when, verdict, want)
		}
	}
	publish := func(m Model) {
		t.Helper()
		if err := k.Publish(m); err != nil {
			t.Fatal(err)
		}
	}
	expect("before the first", tcxNext)
	publish(model())
	expect("with a model", tcxRedirect)
	publish(Model{})
	expect("with the zero model", tcxNext)
	old := model()
	old.At = old.At.Add(-1900 * time.Millisecond)
	publish(old)
	expect("1.9 s old", tcxRedirect)
	old.At, old.Valid = old.At.Add(-100*time.Millisecond), time.Hour
	publish(old)
	expect("2 s old, whatever it says", tcxNext)
	brief := model()
	brief.Valid = 50 * time.Millisecond
	publish(brief)
	expect("just now", tcxRedirect)
	time.Sleep(brief.Valid)
	expect("when its time is over", tcxNext)
	future := model()
	future.At = future.At.Add(time.Minute)
	publish(future)
	expect("before its time", tcxNext)
	for range 3 * keptSlots {
		publish(model())
		expect("with another model", tcxRedirect)
	}
}

// TestDispersion: the bound grows with the age of the model and the timestamps run at its rate.
func TestDispersion(t *testing.T) {
	k := load(t, Options{Allow: everyone()})
	m := model()
	const age = 1500 * time.Millisecond
	m.At, m.Rate, m.DispersionGrowth = time.Now().Add(-age), 500e-6, 1e-3
	if err := k.Publish(m); err != nil {
		t.Fatal(err)
	}
	in := plain4(request())
	_, out := k.run(t, in)
	after := time.Since(m.At)
	got := check(t, in, out)
	gained := func(d time.Duration) time.Duration { return d + time.Duration(float64(d)*m.Rate) }
	const unit = time.Microsecond
	if d := time.Duration(float64(got.Receive-m.Header.Receive) * 1e9 / (1 << 32)); d < gained(age)-unit || d > gained(after)+unit {
		t.Errorf("received %v after the model, want %v to %v", d, gained(age), gained(after))
	}
	atLeast := ntp.ShortFromDuration(m.Dispersion + age/1000)
	atMost := ntp.ShortFromDuration(m.Dispersion + after/1000)
	if got.RootDispersion < atLeast || got.RootDispersion > atMost {
		t.Errorf("root dispersion %v, want %v to %v", got.RootDispersion.Duration(), atLeast.Duration(), atMost.Duration())
	}
}

// BenchmarkPass is what packets pay that are none of ours, the test run's own share included. (An answered packet is no
// request any more, so that the kernel cannot repeat it.)
func BenchmarkPass(b *testing.B) {
	k := load(b, Options{Allow: everyone()})
	otherPort := plain4(request())
	otherPort[etherLen+ipv4Len+udpTo] ^= 1
	for name, in := range map[string][]byte{"port": otherPort, "length": append(plain4(request()), 0)} {
		b.Run(name, func(b *testing.B) {
			const repeat = 100000
			var total time.Duration
			for b.Loop() {
				_, each, err := k.program.Benchmark(in, repeat, nil)
				if err != nil {
					b.Fatal(err)
				}
				total += each
			}
			b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "ns/packet")
		})
	}
}

// BenchmarkPublish is what ten times a second costs; once a second of it looks at the interfaces too.
func BenchmarkPublish(b *testing.B) {
	k := load(b, Options{Allow: everyone()})
	b.Run("model", func(b *testing.B) {
		for b.Loop() {
			if err := k.Publish(model()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("interfaces", func(b *testing.B) {
		for b.Loop() {
			if _, err := readNetwork(k.options); err != nil {
				b.Fatal(err)
			}
		}
	})
}
