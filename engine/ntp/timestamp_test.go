package ntp

import (
	"testing"
	"testing/quick"
	"time"
)

func TestTimestampAcrossEras(t *testing.T) {
	for _, c := range []struct {
		utc  string
		want Timestamp
	}{
		// RFC 5905, figure 4, and the days around the ends of NTP's first era and of 32-bit Unix time.
		{"1970-01-01T00:00:00Z", 2208988800 << 32},
		{"2000-01-01T00:00:00Z", 3155673600 << 32},
		{"2026-11-22T09:45:00.5Z", 4004329500<<32 | 1<<31},
		{"2036-02-07T06:28:15Z", 4294967295 << 32},
		{"2036-02-07T06:28:16Z", 1}, // not 0, which means unknown
		{"2036-02-07T06:28:16.25Z", 1 << 30},
		{"2036-02-07T06:28:17Z", 1 << 32},
		{"2038-01-19T03:14:07.999999999Z", 61505151<<32 | 4294967291},
		{"2038-01-19T03:14:08Z", 61505152 << 32},
	} {
		moment, err := time.Parse(time.RFC3339Nano, c.utc)
		if err != nil {
			t.Fatal(err)
		}
		got := FromUnix(moment.Unix(), int32(moment.Nanosecond()))
		if got != c.want {
			t.Errorf("%s is %#x, want %#x", c.utc, uint64(got), uint64(c.want))
		}
		for _, pivotYears := range []int{-60, 0, 60} {
			seconds, nanos := got.Unix(moment.AddDate(pivotYears, 0, 0).Unix())
			if back := time.Unix(seconds, int64(nanos)); !back.Equal(moment) {
				t.Errorf("%s comes back as %v by a pivot %d years off", c.utc, back.UTC(), pivotYears)
			}
		}
	}
}

func TestTimestampRoundTripAndOrder(t *testing.T) {
	property := func(seconds int32, nanos, later uint32, off int32) bool {
		s, n := int64(seconds)*3, int32(nanos%1e9)
		stamp := FromUnix(s, n)
		backS, backN := stamp.Unix(s + int64(off))
		n2 := n + int32(later%(1e9-uint32(n)))
		return backS == s && backN == n && FromUnix(s, n2) >= stamp
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 20000}); err != nil {
		t.Error(err)
	}
}

func TestFractionRoundsUpIntoTheNextSecond(t *testing.T) {
	s, n := (Timestamp(3155673600)<<32 | 0xffffffff).Unix(946684800)
	if s != 946684801 || n != 0 {
		t.Errorf("got %d s %d ns", s, n)
	}
}

func TestShortNeverUnderstates(t *testing.T) {
	property := func(d int64) bool {
		d %= int64(70000 * time.Second)
		s := ShortFromDuration(time.Duration(d))
		if d > int64(65535*time.Second) {
			return s == MaxShort
		}
		// Exactly: s/2^16 seconds ≥ d, and less than one unit more.
		return int64(s)*1e9 >= d<<16 && (d <= 0 && s == 0 || d > 0 && int64(s-1)*1e9 < d<<16)
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 20000}); err != nil {
		t.Error(err)
	}
	for d, want := range map[time.Duration]Short{
		-time.Second: 0, 0: 0, 1: 1, time.Second: 1 << 16, time.Second + 1: 1<<16 + 1,
		65535 * time.Second: 65535 << 16, 100 * time.Hour: MaxShort,
	} {
		if got := ShortFromDuration(d); got != want {
			t.Errorf("%v is %#x, want %#x", d, got, want)
		}
	}
	if d := (Short(3)<<16 | 1<<15).Duration(); d != 3500*time.Millisecond {
		t.Errorf("3.5 s came back as %v", d)
	}
}
