package panel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"timestation/display"
	"timestation/display/draw"
	"timestation/display/face"
	"timestation/display/studio"
	"timestation/display/words"
	"timestation/engine/status"
	"timestation/refclock"
)

// screens are those that exist, and a few that should not break anything.
var screens = []draw.Size{
	{W: 800, H: 480}, {W: 1024, H: 600}, {W: 1280, H: 720}, {W: 1280, H: 800}, {W: 1366, H: 768}, {W: 1920, H: 1080}, {W: 1920, H: 1200},
	{W: 2560, H: 1080}, {W: 3840, H: 2160}, {W: 1024, H: 768}, {W: 1280, H: 1024}, {W: 1000, H: 1000}, {W: 320, H: 240}, {W: 640, H: 400},
	{W: 1921, H: 1079}, {W: 480, H: 800}, {W: 600, H: 1024}, {W: 720, H: 1280}, {W: 768, H: 1024}, {W: 1080, H: 1920}, {W: 2160, H: 3840}, {W: 481, H: 799},
}

// testRandom is chance that is the same each time.
func testRandom() *rand.Rand { return rand.New(rand.NewPCG(3, 4)) }

const long = "The receiver at /dev/serial/by-id/usb-u-blox_AG_C099__ZED-F9P_DBSPYNHE-if00-port0 has sent nothing since this morning, at 09:02."

// someInput makes up a station in any state and a wall with anything on it, with names and texts of any length.
func someInput(r *rand.Rand) Input {
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	now := refclock.Date(2026, time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), 0).Instant(37)
	s := &status.Status{
		Epoch: 5, EpochInstant: now, MaxError: time.Duration(r.Int64N(1 << r.IntN(40))), MaxErrorLimit: time.Duration(r.Int64N(1 << 41)),
		State: status.State(pick("synchronised", "holdover", "unsynchronised")), Reason: pick("", "the station is starting", long),
		Since: now.Add(-time.Duration(r.Int64N(1 << r.IntN(52)))), Stratum: uint8(1 + r.IntN(16)),
		Leap: refclock.LeapNotice(r.IntN(4)), LeapAt: now.Add(time.Hour), Demonstration: r.IntN(3) == 0, Vote: pick("", "gps0 and dcf0 agree within 3 ms.", long),
	}
	for n := r.IntN(5); n > 0; n-- {
		s.Sources = append(s.Sources, someSource(r))
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
	cfg := display.DefaultConfig()
	cfg.TwelveHour, cfg.TopOfHour = r.IntN(2) == 0, r.IntN(2) == 0
	cfg.Face, cfg.Language, cfg.Theme = pick(face.Names()...), pick(words.Languages()...), pick("dark", "light")
	cfg.SecondHand = pick(face.Hands()...)
	cfg.Zones = []string{"America/Argentina/ComodRivadavia", "Asia/Tokyo", "Pacific/Chatham"}[:r.IntN(4)]
	name := pick("", "Studio 2", "Internationaler Rundfunk, Sendezentrum Nord, Regie 14 (Ersatz)")
	in := Input{Frame: face.At(s, now, zone, name, cfg.Style())}
	in.Part = time.Duration(r.IntN(4)) * 250 * time.Millisecond
	for i := range in.Studio.Lights {
		in.Studio.Lights[i] = studio.Light{Name: pick("", "ON AIR", "Rotlicht Sprecherkabine"), Colour: "#ff3b30", On: r.IntN(2) == 0,
			Timed: r.IntN(2) == 0, Blink: r.IntN(2) == 0, Since: now.Add(-time.Duration(r.Int64N(1 << 47)))}
	}
	for n := r.IntN(9); n > 0; n-- {
		in.Studio.Timers = append(in.Studio.Timers, studio.Timer{Name: pick("", "Interview", "Nachrichtenblock und Wetter"),
			Kind: studio.TimerKind(pick("up", "down", "until")), Running: true, Began: now.Add(-time.Duration(r.Int64N(1 << 45))),
			Length: time.Duration(r.Int64N(1 << 45)), Target: now.Add(time.Duration(r.Int64N(1 << 45)))})
	}
	for n := r.IntN(3); n > 0; n-- {
		in.Studio.Messages = append(in.Studio.Messages, studio.Message{Text: pick("Short.", long), Priority: studio.Priority(pick("notice", "warning", "urgent"))})
	}
	in.Studio.Now, in.Studio.Next = pick("", "Nocturne", long), pick("", "14:10 News", long)
	return in
}

func someSource(r *rand.Rand) status.Source {
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	source := status.Source{Name: pick("gps0", "dcf77", "the-one-on-the-northern-roof"), Driver: pick("gps", "dcf77", "upstream", "pps"),
		State: status.SourceState(pick("selected", "agreeing", "falseticker", "settling", "silent")), Explanation: pick("", "followed", long),
		OffsetSeconds: r.NormFloat64() * 1e-3, MaxErrorSeconds: r.Float64(), AgeSeconds: float64(r.IntN(5)) - 1,
		Signal: refclock.Signal{State: refclock.SourceState(pick("timing", "lost")), Text: pick("", long)}}
	switch r.IntN(5) {
	case 0, 1:
		g := &refclock.GNSS{Fix: refclock.Fix(pick("none", "3d")), SatellitesUsed: r.IntN(40), Latitude: 180*r.Float64() - 90, Longitude: 360*r.Float64() - 180}
		for n := r.IntN(60); n > 0; n-- {
			g.Satellites = append(g.Satellites, refclock.Satellite{Constellation: pick("GPS", "GLONASS", "Galileo", "BeiDou", "QZSS", "NavIC", "SBAS"),
				PRN: r.IntN(400), Elevation: r.IntN(92) - 1, Azimuth: r.IntN(361) - 1, CN0: 55 * r.Float64(), Used: r.IntN(2) == 0})
		}
		source.Signal.GNSS = g
	case 2:
		radio := &refclock.Radio{Confidence: -20 * r.Float64(), Coasting: r.IntN(2) == 0}
		for n := r.IntN(61); n > 0; n-- {
			radio.Marks = append(radio.Marks, refclock.Mark{Symbol: pick("0", "1", "M", "?"), Confidence: r.Float64()})
		}
		for n := r.IntN(9); n > 0; n-- {
			radio.Fields = append(radio.Fields, refclock.Field{Name: pick("minute", "announcement of a leap second"), Value: pick("8", "Wednesday")})
		}
		for n := r.IntN(60); n > 0; n-- {
			radio.Quality = append(radio.Quality, r.Float64())
		}
		source.Signal.Radio = radio
	case 3:
		source.Signal.Pulses = &refclock.Pulses{JitterSeconds: 1e-6 * r.Float64(), Seen: uint64(r.IntN(1 << 30)), Histogram: make([]uint32, 41), HistogramStepSeconds: 1e-7}
	case 4:
		source.Signal.Server = &refclock.Server{Address: pick("ptbtime1.ptb.de:123", "[2001:db8:85a3:8d3:1319:8a2e:370:7348]:123"), Reach: uint8(r.IntN(256)), DelaySeconds: r.Float64()}
	}
	return source
}

// TestEveryShapeHasItsPlace: on any screen, in any language, whatever the station says, nothing leaves the screen or reaches
// into the trust strip, no two texts meet, every text stands on whole pixels, and what can be touched is on the page.
func TestEveryShapeHasItsPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		in := someInput(r)
		for _, p := range Pages() {
			for _, size := range screens {
				if problems := misplaced(p, in, size); len(problems) > 0 {
					t.Errorf("%d, %s in %s on %v × %v (%s): %s", round, p.Name, in.Style.Language, size.W, size.H, in.Style.Face,
						strings.Join(problems[:min(len(problems), 4)], "; "))
				}
			}
		}
	}
}

// misplaced says what is wrong with a page's picture.
func misplaced(p Page, in Input, size draw.Size) (problems []string) {
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	picture := p.Picture(in, size)
	shapes := picture.Shapes
	strip := StripBox(draw.NewGrid(size))
	if shapes[0].Bounds() != size.Box() {
		complain("the first shape does not cover the screen")
	}
	begins := slices.IndexFunc(shapes, func(s draw.Shape) bool { return s.Bounds() == strip })
	if begins < 0 {
		complain("there is no trust strip")
	}
	var texts []draw.Text
	for i, s := range shapes[1:] {
		box := s.Bounds()
		if box.X < 0 || box.Y < 0 || box.Right() > size.W || box.Bottom() > size.H {
			complain("shape %d leaves the screen: %+v", i, s)
		}
		if i+1 < begins && box.Overlaps(strip) {
			complain("shape %d reaches into the trust strip: %+v", i, s)
		}
		switch s := s.(type) {
		case draw.Polygon:
			if len(s.Points) < 3 || len(s.Points) > draw.MaxVertices {
				complain("a polygon has %d corners", len(s.Points))
			}
		case draw.Text:
			if s.At.X != draw.Round(s.At.X) || s.At.Y != draw.Round(s.At.Y) || s.Size != draw.Round(s.Size) || s.Size < draw.Smallest {
				complain("a text is not on whole pixels, or too small: %+v", s)
			}
			texts = append(texts, s)
		}
	}
	for i, a := range texts {
		for _, b := range texts[:i] {
			if a.Bounds().Inset(1, 1).Overlaps(b.Bounds().Inset(1, 1)) {
				complain("%q (%v) and %q (%v) meet", a.String, a.Bounds(), b.String, b.Bounds())
			}
		}
	}
	for _, s := range picture.Spots {
		if s.Box.X < 0 || s.Box.Y < 0 || s.Box.Right() > size.W || s.Box.Bottom() > strip.Y || s.Box.W < 1 || s.Label == "" {
			complain("what can be touched is not there: %+v", s)
		}
	}
	return problems
}

// TestPagesAreThoseOfTheConfiguration: what may be written into it can be shown.
func TestPagesAreThoseOfTheConfiguration(t *testing.T) {
	var names []string
	for _, p := range Pages() {
		names = append(names, p.Name)
		if p.Title == "" || p.Draw == nil {
			t.Errorf("%s lacks a title or its drawing", p.Name)
		}
	}
	if !slices.Equal(names, display.Pages) {
		t.Errorf("the pages are %v, in the configuration %v", names, display.Pages)
	}
}

// said is all that a picture says, in the order it is drawn and without spaces.
func said(shapes []draw.Shape) string {
	var b strings.Builder
	for _, s := range shapes {
		if t, ok := s.(draw.Text); ok {
			b.WriteString(t.String + " ")
		}
	}
	return strings.ReplaceAll(b.String(), " ", "")
}
