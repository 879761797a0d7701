package face

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"timestation/engine/status"
	"timestation/refclock"
)

// sizes are screens that exist, and a few that should not break anything.
var sizes = []Size{
	{800, 480}, {1024, 600}, {1280, 720}, {1280, 800}, {1366, 768}, {1920, 1080}, {1920, 1200}, {2560, 1080}, {3840, 2160},
	{1024, 768}, {1280, 1024}, {1000, 1000}, {320, 240}, {640, 400}, {1921, 1079},
	{480, 800}, {600, 1024}, {720, 1280}, {768, 1024}, {1080, 1920}, {2160, 3840}, {481, 799},
}

// someFrame makes up a station in any state, with names and texts of any length.
func someFrame(r *rand.Rand) Frame {
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	now := refclock.Date(2026, time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), 0).Instant(37)
	long := "The receiver at /dev/serial/by-id/usb-u-blox_AG_C099__ZED-F9P_DBSPYNHE-if00-port0 has sent nothing since this morning, at 09:02."
	s := &status.Status{
		Epoch: 5, EpochInstant: now, MaxError: time.Duration(r.Int64N(1 << r.IntN(40))), MaxErrorLimit: time.Duration(r.Int64N(1 << 41)),
		State: status.State(pick("synchronised", "holdover", "unsynchronised")), Reason: pick("", "the station is starting", long),
		Since: now.Add(-time.Duration(r.Int64N(1 << r.IntN(52)))), Stratum: uint8(1 + r.IntN(16)),
		Leap: refclock.LeapNotice(r.IntN(4)), LeapAt: now.Add(time.Hour), Demonstration: r.IntN(3) == 0,
	}
	for n := r.IntN(4); n > 0; n-- {
		source := status.Source{Name: pick("gps0", "dcf77", "roof"), Driver: pick("gps", "dcf77", "upstream", "pps"),
			State: status.SourceState(pick("selected", "agreeing", "silent")), Explanation: pick("", "followed", long),
			Signal: refclock.Signal{State: refclock.SourceState(pick("timing", "lost")), Text: pick("", long)}}
		if r.IntN(2) == 0 {
			source.Signal.GNSS = &refclock.GNSS{SatellitesUsed: r.IntN(40), Satellites: make([]refclock.Satellite, r.IntN(60))}
		}
		s.Sources = append(s.Sources, source)
	}
	for n := r.IntN(4); n > 0; n-- {
		s.Alerts = append(s.Alerts, status.Alert{Severity: status.Severity(pick("info", "warning", "critical")),
			Text: pick("Short.", long), Mend: pick("", "Replace it.", long)})
	}
	if r.IntN(4) == 0 {
		s.EpochInstant = refclock.Instant{}
	}
	zone, err := time.LoadLocation(pick("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Argentina/ComodRivadavia", "Pacific/Chatham"))
	if err != nil {
		panic(err)
	}
	name := pick("", "Studio 2", "Internationaler Rundfunk, Sendezentrum Nord, Regie 14 (Ersatz)")
	return At(s, now, zone, name, Style{Accent: red, TwelveHour: r.IntN(2) == 0})
}

// TestEveryShapeHasItsPlace: on any screen, whatever the station says, nothing leaves the screen or reaches into the trust
// strip, no two texts meet, everything stands on whole pixels.
func TestEveryShapeHasItsPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 60 {
		f := someFrame(r)
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%d/%vx%v", round, size.W, size.H), func(t *testing.T) {
				shapes := LED(f, size)
				strip := newGrid(size).strip
				if shapes[0].Bounds() != (Box{0, 0, size.W, size.H}) {
					t.Error("the first shape does not cover the screen")
				}
				var texts []Text
				inStrip := false
				for i, s := range shapes[1:] {
					box := s.Bounds()
					if box.X < 0 || box.Y < 0 || box.Right() > size.W || box.Bottom() > size.H {
						t.Errorf("shape %d leaves the screen: %+v", i, s)
					}
					inStrip = inStrip || box == strip
					if !inStrip && box.Overlaps(strip) {
						t.Errorf("shape %d reaches into the trust strip: %+v", i, s)
					}
					if p, ok := s.(Polygon); ok && (len(p.Points) < 3 || len(p.Points) > MaxVertices) {
						t.Errorf("a polygon has %d corners", len(p.Points))
					}
					if text, ok := s.(Text); ok {
						if text.At.X != float32(int(text.At.X)) || text.At.Y != float32(int(text.At.Y)) || text.Size != float32(int(text.Size)) {
							t.Errorf("a text is not on whole pixels: %+v", text)
						}
						texts = append(texts, text)
					}
				}
				if !inStrip {
					t.Error("there is no trust strip")
				}
				for i, a := range texts {
					for _, b := range texts[:i] {
						if inner(a).Overlaps(inner(b)) {
							t.Errorf("%q (%v) and %q (%v) meet", a.String, a.Bounds(), b.String, b.Bounds())
						}
					}
				}
			})
		}
	}
}

// inner is a text's area without the pixel by which rounding may move it.
func inner(t Text) Box {
	b := t.Bounds()
	return Box{b.X + 1, b.Y + 1, b.W - 2, b.H - 2}
}

// said is all that a face says, in the order it is drawn and without spaces.
func said(shapes []Shape) string {
	var b strings.Builder
	for _, s := range shapes {
		if t, ok := s.(Text); ok {
			b.WriteString(t.String + " ")
		}
	}
	return strings.ReplaceAll(b.String(), " ", "")
}

// TestUntrustedLooksUntrusted: each state differs in word, shape and colour, and the digits with it.
func TestUntrustedLooksUntrusted(t *testing.T) {
	now := refclock.Date(2026, 11, 22, 13, 8, 37, 0).Instant(37)
	base := status.Status{EpochInstant: now, State: status.Synchronised, MaxError: 178 * time.Millisecond, MaxErrorLimit: time.Second,
		Since: now.Add(-12 * time.Minute), Stratum: 1, Leap: refclock.LeapNone,
		Sources: []status.Source{{Name: "gps0", Driver: "gps", State: status.Selected,
			Signal: refclock.Signal{GNSS: &refclock.GNSS{SatellitesUsed: 9, Satellites: make([]refclock.Satellite, 14)}}}}}
	for _, test := range []struct {
		name   string
		change func(*status.Status)
		want   []string
		digits string
	}{
		{"synchronised", func(*status.Status) {}, []string{"SYNCHRONISED", "GPS · 9 satellites · ±180 ms", "Sunday 22 November 2026",
			"Europe/Berlin · CET · UTC+1", "UTC 13:08:37", "9 of 14", "leap none"}, "#4aa8ff"},
		{"holdover", func(s *status.Status) { s.State = status.Holdover }, []string{"HOLDOVER 00:12", "±180 ms"}, "#ffb020"},
		{"bound", func(s *status.Status) { s.MaxError = 2 * time.Second },
			[]string{"NOT SYNCHRONISED", "The time is not known", "passed its limit of ±1.0 s", "stratum 16"}, "#71201d"},
		{"engine", func(s *status.Status) { s.Epoch = -3e9; s.EpochInstant = now.Add(-3 * time.Second) },
			[]string{"NOT SYNCHRONISED", "time engine has been silent"}, "#71201d"},
		{"never", func(s *status.Status) {
			*s = status.Status{State: status.Unsynchronised, Reason: "the station is starting"}
		},
			[]string{"NOT SYNCHRONISED", "No time yet", "The station is starting"}, "#71201d"},
		{"demonstration", func(s *status.Status) { s.Demonstration = true }, []string{"DEMONSTRATION", "Recorded GPS"}, "#4aa8ff"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := base
			test.change(&s)
			berlin, err := time.LoadLocation("Europe/Berlin")
			if err != nil {
				t.Fatal(err)
			}
			shapes := LED(At(&s, now, berlin, "", Style{Accent: blue}), Size{800, 480})
			all := said(shapes)
			for _, w := range test.want {
				if !strings.Contains(all, strings.ReplaceAll(w, " ", "")) {
					t.Errorf("%q is not on the screen: %s", w, all)
				}
			}
			lit := map[string]bool{}
			for _, s := range shapes {
				if p, ok := s.(Polygon); ok {
					lit[hex(p.Fill)] = true
				}
			}
			if !lit[test.digits] {
				t.Errorf("no digit has the colour %s: %v", test.digits, lit)
			}
		})
	}
	if all := said(LED(At(&status.Status{}, now, time.UTC, "", Style{Accent: red}), Size{800, 480})); strings.Contains(all, "2026") {
		t.Errorf("a station that never knew the time shows a date: %s", all)
	}
}

func TestSVGIsWellFormed(t *testing.T) {
	f := someFrame(rand.New(rand.NewPCG(3, 4)))
	f.Name = `<"Studio" & Söhne>`
	shapes := LED(f, Size{1920, 1080})
	var b bytes.Buffer
	if err := SVG(shapes, Size{1920, 1080}, &b); err != nil {
		t.Fatal(err)
	}
	elements, named := 0, false
	for d := xml.NewDecoder(&b); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			elements++
		case xml.CharData:
			named = named || string(token) == f.Name
		}
	}
	if elements != len(shapes)+1 {
		t.Errorf("%d elements for %d shapes", elements, len(shapes))
	}
	if !named {
		t.Error("the name of the station is not in the picture")
	}
}
