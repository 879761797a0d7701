package face

import (
	"math"
	"testing"
	"time"

	"timestation/display/draw"
	"timestation/engine/status"
	"timestation/refclock"
)

var now = refclock.Date(2026, 11, 22, 13, 8, 37, 0).Instant(37)

// someFrame is a station that is well, changed.
func someFrame(change func(*status.Status)) Frame {
	s := &status.Status{EpochInstant: now, State: status.Synchronised, MaxError: 178 * time.Millisecond, MaxErrorLimit: time.Second, Stratum: 1}
	if change != nil {
		change(s)
	}
	return At(s, now, time.UTC, "", Style{Theme: draw.Dark, Language: "en", Hand: Tick})
}

// TestUntrustedLooksUntrusted: on every face the figures or hands of each state have another colour, and where the time is
// not known, a bar goes through them.
func TestUntrustedLooksUntrusted(t *testing.T) {
	dark := draw.Dark
	for _, face := range faces {
		colours := func(change func(*status.Status)) map[string]int {
			all := map[string]int{}
			for _, s := range face.Draw(someFrame(change), draw.Box{X: 10, Y: 10, W: 600, H: 400}) {
				switch s := s.(type) {
				case draw.Polygon:
					all[draw.Hex(s.Fill)]++
				case draw.Circle:
					all[draw.Hex(s.Fill)]++
				}
			}
			return all
		}
		well := colours(nil)
		holdover := colours(func(s *status.Status) { s.State = status.Holdover })
		untrusted := colours(func(s *status.Status) { s.MaxError = 2 * time.Second })
		never := colours(func(s *status.Status) { *s = status.Status{} })
		if accent := draw.Hex(dark.Accent); well[accent] == 0 || holdover[accent] > 0 || never[accent] > 0 {
			t.Errorf("%s: the accent is for the synchronised clock: %v, %v, %v", face.Name, well, holdover, never)
		}
		if warn := draw.Hex(dark.Warn); well[warn] > 0 || holdover[warn] == 0 || untrusted[warn] > 0 {
			t.Errorf("%s: amber is for holdover: %v, %v, %v", face.Name, well, holdover, untrusted)
		}
		if bad := draw.Hex(dark.Bad); untrusted[bad] != 1 {
			t.Errorf("%s: the bar is missing: %v", face.Name, untrusted)
		}
	}
}

// TestFacesStayInTheirBox, whatever its shape.
func TestFacesStayInTheirBox(t *testing.T) {
	for _, face := range faces {
		for _, box := range []draw.Box{{X: 10, Y: 20, W: 600, H: 400}, {X: 7, Y: 3, W: 300, H: 900}, {X: 1, W: 1800, H: 200}, {W: 61, H: 47}} {
			for second := range 60 {
				f := someFrame(nil)
				f.Second = f.Second.Add(time.Duration(second) * time.Second)
				for i, s := range face.Draw(f, box) {
					b := s.Bounds()
					const rounding = 1
					if b.X < box.X-rounding || b.Y < box.Y-rounding || b.Right() > box.Right()+rounding || b.Bottom() > box.Bottom()+rounding {
						t.Fatalf("%s: shape %d leaves %v: %+v", face.Name, i, box, s)
					}
				}
			}
		}
	}
}

// TestSecondHandGoesItsWay: ticking, sweeping, and round in 58.5 s to wait for the minute.
func TestSecondHandGoesItsWay(t *testing.T) {
	for _, test := range []struct {
		hand   Hand
		second int
		part   time.Duration
		want   float64 // seconds of the dial
	}{
		{Tick, 37, 900 * time.Millisecond, 37}, {Sweep, 37, 500 * time.Millisecond, 37.5},
		{StopToGo, 0, 0, 0}, {StopToGo, 29, 250 * time.Millisecond, 30}, {StopToGo, 58, 500 * time.Millisecond, 60}, {StopToGo, 59, 900 * time.Millisecond, 60},
	} {
		f := someFrame(nil)
		f.Style.Hand, f.Part = test.hand, test.part
		f.Second = refclock.Date(2026, 11, 22, 13, 8, test.second, 0).Instant(37)
		_, _, angle := f.hands()
		if got := angle * 60 / (2 * math.Pi); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s at %d s + %v stands at %.2f, want %.2f", test.hand, test.second, test.part, got, test.want)
		}
	}
	f := someFrame(nil)
	f.Second = refclock.Date(2016, 12, 31, 23, 59, 60, 0).Instant(36)
	for _, h := range []Hand{Tick, Sweep, StopToGo} {
		f.Style.Hand = h
		if _, _, angle := f.hands(); angle < 2*math.Pi*59/60-1e-9 || angle > 2*math.Pi+1e-9 {
			t.Errorf("%s in the leap second stands at %.2f", h, angle*60/(2*math.Pi))
		}
	}
}

func TestWordsOfTheZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	kathmandu, err := time.LoadLocation("Asia/Kathmandu")
	if err != nil {
		t.Fatal(err)
	}
	f := someFrame(nil)
	for _, test := range []struct {
		loc  *time.Location
		want string
	}{{berlin, "Europe/Berlin · CET · UTC+1"}, {kathmandu, "Asia/Kathmandu · UTC+5:45"}, {time.UTC, "UTC"}} {
		f.Location = test.loc
		if got := f.ZoneWords(); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}
