package serve

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
	"timestation/refclock"
)

// The leap second of 2016 and one that might be left out in 2029: first instant that differs, and midnight without it.
var (
	inserted = refclock.Date(2016, 12, 31, 23, 59, 60, 0).Instant(36)
	deleted  = refclock.Instant{TAI: refclock.Date(2029, 1, 1, 0, 0, 0, 0).Instant(37).TAI - 1e9, TAIMinusUTC: 37}
)

// around is a status made a moment d after a leap second's midnight, as an engine would make it: the leap second is
// announced on its day only, and remembered after it.
func around(at refclock.Instant, notice refclock.LeapNotice, d time.Duration) *status.Status {
	s := good()
	midnight, step := at.TAI, int32(1)
	if notice == refclock.LeapDelete {
		midnight, step = at.TAI+1e9, -1
	}
	i := refclock.Instant{TAI: midnight + int64(d), TAIMinusUTC: at.TAIMinusUTC}
	s.Leap = refclock.LeapNone
	switch over := i.TAI >= at.TAI; {
	case notice == refclock.LeapInsert && over && i.TAI < at.TAI+1e9:
		i.InLeap = true
		s.Leap, s.LeapAt = notice, at
	case over:
		i.TAIMinusUTC += step
		s.LastLeap, s.LastLeapAt = notice, at
	case d > -24*time.Hour:
		s.Leap, s.LeapAt = notice, at
	}
	i.InLeap = i.InLeap && notice == refclock.LeapInsert
	s.EpochInstant, s.ReferenceTime = i, i.Add(-time.Second)
	return s
}

func smearing17h() Config { return Config{Leap: LeapSmear17h} }
func smearing24h() Config { return Config{Leap: LeapSmear24h} }

// faceOf tells the time of one status under a policy; it knows nothing from before.
func faceOf(t *testing.T, c Config, s *status.Status) *face {
	t.Helper()
	policy, err := c.smear()
	if err != nil {
		t.Fatal(err)
	}
	f := &face{board: new(status.Board), policy: policy, stepped: func(*status.Status, time.Time) bool { return false }}
	f.broke = func() {}
	f.board.Publish(s)
	f.look()
	return f
}

func TestSmearsAtKnownMoments(t *testing.T) {
	custom := Config{Leap: LeapSmearCustom, SmearStartSeconds: -1000, SmearSeconds: 2000}
	for _, c := range []struct {
		name   string
		config Config
		notice refclock.LeapNotice
		after  time.Duration // the midnight that were without the leap second
		utc    string
		off    time.Duration // smeared time minus UTC
		inside bool
	}{
		{"24 h, noon before", smearing24h(), refclock.LeapInsert, -12 * time.Hour, "2016-12-31T12:00:00Z", 0, false},
		{"24 h, a day before", smearing24h(), refclock.LeapInsert, -25 * time.Hour, "2016-12-30T23:00:00Z", 0, false},
		{"24 h, half way", smearing24h(), refclock.LeapInsert, 500 * time.Millisecond, "2017-01-01T00:00:00Z",
			500 * time.Millisecond, true},
		{"24 h, noon after", smearing24h(), refclock.LeapInsert, 12*time.Hour + time.Second, "2017-01-01T12:00:00Z", 0, false},
		{"24 h, deletion half way", smearing24h(), refclock.LeapDelete, -500 * time.Millisecond, "2029-01-01T00:00:00Z",
			-500 * time.Millisecond, true},
		{"24 h, deletion, noon after", smearing24h(), refclock.LeapDelete, 12*time.Hour - time.Second,
			"2029-01-01T12:00:00Z", 0, false},
		{"17 h, before", smearing17h(), refclock.LeapInsert, -time.Second, "2016-12-31T23:59:59Z", 0, false},
		// Two parabolas: an eighth after a quarter of the time, half after half of it, seven eighths after three quarters.
		{"17 h, a quarter", smearing17h(), refclock.LeapInsert, 15625 * time.Second, "2017-01-01T04:20:24.875Z",
			875 * time.Millisecond, true},
		{"17 h, half", smearing17h(), refclock.LeapInsert, 31250 * time.Second, "2017-01-01T08:40:49.5Z",
			500 * time.Millisecond, true},
		{"17 h, three quarters", smearing17h(), refclock.LeapInsert, 46875 * time.Second, "2017-01-01T13:01:14.125Z",
			125 * time.Millisecond, true},
		{"17 h, over", smearing17h(), refclock.LeapInsert, 62500 * time.Second, "2017-01-01T17:21:39Z", 0, false},
		{"custom, before", custom, refclock.LeapInsert, -1000 * time.Second, "2016-12-31T23:43:20Z", 0, false},
		{"custom, half", custom, refclock.LeapInsert, 0, "2016-12-31T23:59:59.5Z", 0, true},
		{"custom, over", custom, refclock.LeapInsert, 1000 * time.Second, "2017-01-01T00:16:39Z", 0, false},
	} {
		at := inserted
		if c.notice == refclock.LeapDelete {
			at = deleted
		}
		s := around(at, c.notice, c.after)
		f := faceOf(t, c.config, s)
		h := f.exactly(s.Epoch, s.Epoch)
		if got := moment(h.Transmit).Round(time.Microsecond).Format(time.RFC3339Nano); got != c.utc {
			t.Errorf("%s: %s, want %s", c.name, got, c.utc)
		}
		if h.Leap != ntp.LeapNone {
			t.Errorf("%s: leap indicator %d", c.name, h.Leap)
		}
		if id := h.ReferenceID; (id[0] == 254) != c.inside {
			t.Errorf("%s: reference ID %x", c.name, id)
		}
		if c.inside && c.off != 0 {
			id := int32(binary.BigEndian.Uint32(h.ReferenceID[:])<<8) >> 8
			if off := time.Duration(float64(id) / (1 << 22) * 1e9); (off - c.off).Abs() > time.Microsecond {
				t.Errorf("%s: the reference ID says %v, want %v", c.name, off, c.off)
			}
		}
	}
}

// Whatever the policy: time never jumps, never runs backwards, gains or loses one second in all, at no more than the
// stated rate; outside its window it is UTC; receive, transmit and reference timestamps are on one scale.
func TestSmearedTimeRunsEvenly(t *testing.T) {
	for name, c := range map[string]struct {
		config Config
		ppm    float64
	}{
		"24 h":   {smearing24h(), 11.6},
		"17 h":   {smearing17h(), 32.1},
		"custom": {Config{Leap: LeapSmearCustom, SmearStartSeconds: -1800, SmearSeconds: 3600}, 278},
	} {
		for notice, at := range map[refclock.LeapNotice]refclock.Instant{refclock.LeapInsert: inserted, refclock.LeapDelete: deleted} {
			policy, err := c.config.smear()
			if err != nil {
				t.Fatal(err)
			}
			const step = 97 * time.Second // steps over the window's ends at odd moments
			var last time.Time
			worst := 0.0
			for d := -26 * time.Hour; d < 26*time.Hour; d += step {
				s := around(at, notice, d)
				f := faceOf(t, c.config, s)
				h := f.exactly(s.Epoch, s.Epoch)
				got := moment(h.Transmit)
				if elapsed := got.Sub(last); !last.IsZero() {
					worst = max(worst, math.Abs(elapsed.Seconds()/step.Seconds()-1)*1e6)
				}
				last = got
				e, _ := leapOf(notice, at)
				start, end := policy.window(e)
				if now := s.EpochInstant.TAI; now < start || now > end {
					if utc := s.EpochInstant.UTC().Time(); !s.EpochInstant.InLeap && got.Sub(utc).Abs() > time.Nanosecond {
						t.Fatalf("%s, %v: %v is not UTC %v", name, d, got, utc)
					}
				}
				if r := got.Sub(moment(h.Receive)); r.Abs() > time.Nanosecond {
					t.Fatalf("%s, %v: the receive timestamp is %v off", name, d, r)
				}
				if r := got.Sub(moment(h.Reference)); (r - time.Second).Abs() > time.Millisecond {
					t.Fatalf("%s, %v: the reference timestamp is %v before", name, d, r)
				}
			}
			if worst > c.ppm {
				t.Errorf("%s: up to %.1f ppm, want %.1f", name, worst, c.ppm)
			}
		}
	}
}

// The engine may forget a leap second when it is over; a listener that saw it announced does not.
func TestSmearGoesOnAfterTheLeap(t *testing.T) {
	s := around(inserted, refclock.LeapInsert, -time.Minute)
	f := faceOf(t, smearing24h(), s)
	after := around(inserted, refclock.LeapInsert, time.Hour)
	after.LastLeap, after.LastLeapAt = refclock.LeapUnknown, refclock.Instant{}
	f.board.Publish(after)
	f.look()
	if h := f.exactly(after.Epoch, after.Epoch); h.ReferenceID[0] != 254 {
		t.Errorf("reference ID %v an hour after", h.ReferenceID)
	}
	// An announcement that is taken back smears nothing.
	f = faceOf(t, smearing24h(), s)
	back := around(inserted, refclock.LeapInsert, -time.Minute)
	back.Leap, back.LeapAt = refclock.LeapNone, refclock.Instant{}
	f.board.Publish(back)
	f.look()
	if h := f.exactly(back.Epoch, back.Epoch); h.ReferenceID[0] == 254 {
		t.Error("smeared for nothing")
	}
}

func TestPoliciesThatAreRefused(t *testing.T) {
	for want, c := range map[string]Config{
		`leap: "smear" is none of`:            {Leap: "smear"},
		`leap: "plain" has its own window`:    {Leap: LeapPlain, SmearSeconds: 4000},
		"smear_seconds: 60 is not":            {Leap: LeapSmearCustom, SmearSeconds: 60},
		"smear_start_seconds: -90000 is":      {Leap: LeapSmearCustom, SmearSeconds: 90000, SmearStartSeconds: -90000},
		"smear_start_seconds: a smear from 5": {Leap: LeapSmearCustom, SmearSeconds: 2000, SmearStartSeconds: 5},
		"rate_limit_per_second: 0.1 is less":  {RateLimitPerSecond: 0.1},
		"rate_limit_burst: 4 is less":         {RateLimitPerSecond: 10, RateLimitBurst: 4},
		`kisses: "all of them" is none of`:    {Kisses: "all of them"},
		`broadcast: "here" is not`:            {Broadcast: []string{"here"}},
		`broadcast: "ff02::101" is on`:        {Broadcast: []string{"ff02::101"}},
		`broadcast: "2001:db8::1" is one`:     {Broadcast: []string{"2001:db8::1"}},
		"broadcast_seconds: 5 is not":         {Broadcast: []string{"224.0.1.1"}, BroadcastSeconds: 5, BroadcastKey: 1},
		"broadcast_key: a broadcast without":  {Broadcast: []string{"224.0.1.1"}, BroadcastSeconds: 64},
	} {
		c.Address = ":1"
		if err := c.Validate(); err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, c := range []Config{
		{Broadcast: []string{"224.0.1.1", "192.168.1.255:11123", "ff02::101%eth0", "[ff05::101]:123"}, BroadcastSeconds: 64,
			BroadcastKey: 1},
		{Leap: LeapSmearCustom, SmearStartSeconds: -43200, SmearSeconds: 86400},
	} {
		if c.Address = ":1"; c.Validate() != nil {
			t.Error(c.Validate())
		}
	}
}
