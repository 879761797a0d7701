package status

import (
	"testing"
	"testing/synctest"
	"time"

	"timestation/refclock"
)

func good() *Status {
	return &Status{
		Epoch: 1e18, EpochInstant: refclock.Date(2026, 11, 22, 13, 8, 37, 0).Instant(37),
		State: Synchronised, Stratum: 1, MaxError: time.Millisecond, MaxErrorGrowth: 1e-3,
		MaxErrorLimit: 2500 * time.Microsecond, Leap: refclock.LeapNone,
	}
}

// The bound grows between publications, and past its limit or its time the answer is «I do not know», at once.
func TestStopsClaiming(t *testing.T) {
	s := good()
	for _, test := range []struct {
		after  time.Duration
		reason string
		bound  time.Duration
	}{
		{0, "", time.Millisecond},
		{time.Second, "", 2 * time.Millisecond},
		{1600 * time.Millisecond, ReasonBoundExceeded, 2600 * time.Microsecond},
		{2100 * time.Millisecond, ReasonExpired, 3100 * time.Microsecond},
		{-2100 * time.Millisecond, ReasonExpired, time.Millisecond},
	} {
		r := s.At(s.Epoch.Add(test.after))
		if r.Reason != test.reason || r.MaxError != test.bound {
			t.Errorf("after %v: reason %q, bound %v; want %q, %v", test.after, r.Reason, r.MaxError, test.reason, test.bound)
		}
		if known := r.Stratum == 1 && r.Synchronised(); known != (test.reason == "") {
			t.Errorf("after %v: stratum %d, state %s", test.after, r.Stratum, r.State)
		}
	}
}

func TestHungEngineFallsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Board
		if s := b.Load(); s.State != Unsynchronised || s.Stratum != Stratum16 {
			t.Errorf("before the first publication: %s, stratum %d", s.State, s.Stratum)
		}
		b.Publish(good())
		time.Sleep(Validity)
		if b.Load().State != Synchronised {
			t.Error("fell silent too early")
		}
		time.Sleep(time.Millisecond)
		if s := b.Load(); s.State != Unsynchronised || s.At(s.Epoch).Stratum != Stratum16 {
			t.Errorf("after %v without news: %s", Validity, s.State)
		}
	})
}

func TestLeapSecondInsideOneModel(t *testing.T) {
	leapAt := refclock.Date(2016, 12, 31, 23, 59, 60, 0).Instant(36)
	s := &Status{
		Epoch: 1e18, EpochInstant: leapAt.Add(-500 * time.Millisecond), State: Synchronised, Stratum: 1,
		Leap: refclock.LeapInsert, LeapAt: refclock.Instant{TAI: leapAt.TAI, TAIMinusUTC: 36},
	}
	s.EpochInstant.InLeap = false
	for after, want := range map[time.Duration]string{
		400 * time.Millisecond:  "2016-12-31T23:59:59.900000000Z",
		500 * time.Millisecond:  "2016-12-31T23:59:60.000000000Z",
		1400 * time.Millisecond: "2016-12-31T23:59:60.900000000Z",
		1600 * time.Millisecond: "2017-01-01T00:00:00.100000000Z",
	} {
		if got := s.At(s.Epoch.Add(after)).Instant.UTC().String(); got != want {
			t.Errorf("after %v: %s, want %s", after, got, want)
		}
	}
	inside := *s
	inside.Epoch, inside.EpochInstant = s.Epoch+9e8, s.At(s.Epoch+9e8).Instant
	for after, want := range map[time.Duration]string{
		400 * time.Millisecond:  "2016-12-31T23:59:59.900000000Z",
		1400 * time.Millisecond: "2016-12-31T23:59:60.900000000Z",
		1600 * time.Millisecond: "2017-01-01T00:00:00.100000000Z",
	} {
		if got := inside.At(s.Epoch.Add(after)).Instant.UTC().String(); got != want {
			t.Errorf("from a model made inside the leap second, after %v: %s, want %s", after, got, want)
		}
	}
	deleted := &Status{
		Epoch: 1e18, EpochInstant: refclock.Date(2029, 12, 31, 23, 59, 58, 0).Instant(37), State: Synchronised,
		Leap: refclock.LeapDelete, LeapAt: refclock.Date(2029, 12, 31, 23, 59, 59, 0).Instant(37),
	}
	if got := deleted.At(1e18 + 1e9).Instant.UTC().String(); got != "2030-01-01T00:00:00.000000000Z" {
		t.Errorf("one second after 23:59:58 of a day without :59: %s", got)
	}
}

func TestStampAtIsTheInverse(t *testing.T) {
	s := good()
	s.Rate = 200e-6
	for _, after := range []time.Duration{0, 300 * time.Millisecond, 1900 * time.Millisecond} {
		want := s.Epoch.Add(after)
		if got := s.StampAt(s.At(want).Instant); got.Sub(want).Abs() > 100*time.Nanosecond {
			t.Errorf("%v after the epoch came back %v off", after, got.Sub(want))
		}
	}
}

func TestStepIsSeen(t *testing.T) {
	var b Board
	s := good()
	b.Publish(s)
	if s.Stepped(time.Now(), 10*time.Millisecond) {
		t.Error("a step was seen where none was")
	}
	s.publishedAt -= refclock.Stamp(time.Hour) // as if the clock had been set an hour on since
	if !s.Stepped(time.Now(), 10*time.Millisecond) {
		t.Error("a step of an hour was not seen")
	}
}
