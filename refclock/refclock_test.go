package refclock

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type recorder struct {
	mu      sync.Mutex
	samples []Sample
	signals []Signal
}

func (r *recorder) Sample(s Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, s)
}
func (r *recorder) Signal(s Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.signals = append(r.signals, s)
}

type driverFunc func(ctx context.Context, out Sink) error

func (f driverFunc) Run(ctx context.Context, out Sink) error { return f(ctx, out) }

// A receiver that is pulled out, a driver that crashes and a device that stays away are tried again, ever more slowly,
// and shown as lost meanwhile.
func TestSupervise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var starts []time.Duration
		out := &recorder{}
		ctx, stop := context.WithCancel(t.Context())
		go Supervise(ctx, "gps0", driverFunc(func(ctx context.Context, out Sink) error {
			starts = append(starts, time.Since(began))
			switch len(starts) {
			case 1:
				out.Sample(Sample{Stamp: 1})
				return errors.New("/dev/ttyUSB0: unplugged; plug it in again")
			case 2:
				panic("a bug")
			case 3:
				return nil
			case 12:
				out.Sample(Sample{Stamp: 2})
				time.Sleep(2 * time.Minute) // works well for a while
				return errors.New("unplugged again")
			}
			if len(starts) > 12 {
				<-ctx.Done()
				return nil
			}
			return errors.New("/dev/ttyUSB0: no such device")
		}), slog.New(slog.DiscardHandler), out)
		time.Sleep(10 * time.Minute)
		stop()
		synctest.Wait()

		if len(starts) != 13 || len(out.signals) != 12 {
			t.Fatalf("%d starts, %d signals", len(starts), len(out.signals))
		}
		for i := 1; i < 12; i++ {
			want := min(firstRetry<<(i-1), lastRetry)
			if got := starts[i] - starts[i-1]; got != want {
				t.Errorf("start %d after %v, want %v", i+1, got, want)
			}
		}
		if got := starts[12] - starts[11] - 2*time.Minute; got != firstRetry {
			t.Errorf("after two good minutes it was tried again only after %v", got)
		}
		for i, word := range []string{"unplugged", "crashed", "stopped by itself", "no such device"} {
			if s := out.signals[i]; s.State != Lost || s.Source != "gps0" || !strings.Contains(s.Text, word) {
				t.Errorf("signal %d: %+v", i, s)
			}
		}
		if len(out.samples) != 2 || out.samples[0].Source != "gps0" {
			t.Errorf("samples: %+v", out.samples)
		}
	})
}

// Every civil moment comes back from TAI and from its text, leap seconds and 2036, 2038, 2100 included.
func FuzzUTC(f *testing.F) {
	for _, u := range []UTC{
		Date(2016, 12, 31, 23, 59, 60, 999999999), Date(2036, 2, 7, 6, 28, 16, 0), Date(2038, 1, 19, 3, 14, 8, 1),
		Date(2100, 2, 28, 23, 59, 59, 5e8), Date(1972, 1, 1, 0, 0, 0, 0), Date(1969, 12, 31, 23, 59, 59, 999999999),
	} {
		f.Add(u.Seconds, u.Nanoseconds, u.InLeap, int32(37))
	}
	f.Fuzz(func(t *testing.T, seconds int64, nanoseconds int32, leap bool, offset int32) {
		const range292 = 9e9 // seconds that int64 nanoseconds reach
		if seconds < -range292 || seconds > range292 || nanoseconds < 0 || nanoseconds > 999999999 || offset < -100 || offset > 100 {
			return
		}
		// Only the last second of a minute is ever repeated.
		u := UTC{Seconds: seconds, Nanoseconds: nanoseconds, InLeap: leap && (seconds%60+60)%60 == 59}
		if got := u.Instant(offset).UTC(); got != u {
			t.Errorf("%v came back from TAI as %v", u, got)
		}
		if y := u.Time().Year(); y < 0 || y > 9999 {
			return
		}
		text, _ := u.MarshalText()
		var back UTC
		if err := back.UnmarshalText(text); err != nil || back != u {
			t.Errorf("%s came back as %v (%v)", text, back, err)
		}
	})
}
