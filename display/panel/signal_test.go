package panel

import (
	"fmt"
	"strings"
	"testing"

	"timestation/display/draw"
	"timestation/display/words"
	"timestation/engine/status"
	"timestation/refclock"
)

func hearingOf(sources ...status.Source) Input {
	s := judged()
	s.Sources = sources
	return inputOf(s, words.English)
}

// Whatever receivers there are, the page shows those; where nothing is heard, it says what is missing and invents nothing.
func TestSignalOfAnyReceivers(t *testing.T) {
	says(t, pictureOf(t, "signal", hearingOf(), wall), "No receiver is configured", "[[refclock]]", "timestation receivers")
	blue := newPen(hearingOf(), draw.NewGrid(wall)).systemColour("GPS")
	for driver, want := range map[string]string{"gps": "Sky · x", "pps": "Pulse · x", "dcf77": "DCF77 · x", "msf60": "MSF · x", "upstream": "NTP servers", "replay": "Other sources"} {
		p := pictureOf(t, "signal", hearingOf(status.Source{Name: "x", Driver: driver, State: status.Unusable}), wall)
		says(t, p, want)
		lost := pictureOf(t, "signal", hearingOf(status.Source{Name: "x", Driver: driver, State: status.Silent,
			Signal: refclock.Signal{State: refclock.Lost, Text: "x: /dev/ttyAMA0 is gone; plug it in again"}}), wall)
		says(t, lost, want, "/dev/ttyAMA0 is gone; plug it in again")
		for _, s := range append(p.Shapes, lost.Shapes...) {
			// A bar or a disc would be a reading that nobody took.
			if c, ok := s.(draw.Circle); ok && c.Fill == blue {
				t.Errorf("%s: a satellite is shown", driver)
			}
		}
	}
}

// Constellations and lines can be told from the panel in both themes, and from each other by their names.
func TestConstellationsStandOut(t *testing.T) {
	names := map[string]bool{}
	for _, theme := range []draw.Theme{draw.Dark, draw.Light} {
		in := hearingOf()
		in.Style.Theme = theme
		p := newPen(in, draw.NewGrid(wall))
		for _, c := range constellations {
			colour := p.systemColour(c.name)
			// 3 is what WCAG 2.1 asks of graphical objects, 4.5 of text.
			if got := draw.Contrast(colour, theme.Panel); got < 4.5 {
				t.Errorf("%s on the panel (light %v): contrast %.1f", c.name, theme.Light, got)
			}
			if got := draw.Contrast(draw.On(colour), colour); got < 4.5 {
				t.Errorf("its number on %s (light %v): contrast %.1f", c.name, theme.Light, got)
			}
			names[c.letter] = true
		}
	}
	if len(names) != len(constellations) {
		t.Errorf("%d letters for %d constellations", len(names), len(constellations))
	}
}

// A mark's height says the symbol and its brightness how sure it is; what has not come is neither.
func TestMarksShowSymbolAndConfidence(t *testing.T) {
	r := &refclock.Radio{Marks: []refclock.Mark{{Symbol: "0", Confidence: 0.999}, {Symbol: "1", Confidence: 0.999}, {Symbol: "1", Confidence: 0.85}, {Symbol: "?", Confidence: 0.6}}}
	p := newPen(hearingOf(), draw.NewGrid(wall))
	p.marks(draw.Box{X: 0, Y: 0, W: 1200, H: 300}, timeCodes["dcf77"], r)
	var bars []draw.Rect
	for _, s := range p.Shapes {
		if bar, ok := s.(draw.Rect); ok && bar.H > 20 {
			bars = append(bars, bar)
		}
	}
	if len(bars) != 60 {
		t.Fatalf("%d bars for 60 seconds", len(bars))
	}
	if !(bars[1].H > 1.5*bars[0].H) || bars[1].Fill != bars[0].Fill {
		t.Errorf("0 and 1 that are equally sure: %+v and %+v", bars[0], bars[1])
	}
	ground := p.t.Panel
	if bars[2].H != bars[1].H || !(draw.Contrast(bars[2].Fill, ground) < draw.Contrast(bars[1].Fill, ground)) {
		t.Errorf("a 1 that is less sure is not dimmer: %+v", bars[2])
	}
	if bars[3].Fill.A != 0 || bars[3].Stroke.A == 0 {
		t.Errorf("a mark that cannot be told: %+v", bars[3])
	}
	if !(draw.Contrast(bars[4].Fill, ground) < draw.Contrast(bars[2].Fill, ground)) {
		t.Errorf("a second that is still to come: %+v", bars[4])
	}
}

// The fields of every code lie in order, within the minute, and none upon another; DCF77's are those of its telegram.
func TestTimeCodesAreWhole(t *testing.T) {
	for code, fields := range timeCodes {
		last := 0
		for _, f := range fields {
			if f.from <= last && f.from != 1 || f.to < f.from || f.to > 59 {
				t.Errorf("%s: %s takes seconds %d to %d, the one before ends at %d", code, f.what, f.from, f.to, last)
			}
			last = f.to
		}
	}
	in := hearingOf(status.Source{Name: "dcf0", Driver: "dcf77", Signal: refclock.Signal{State: refclock.Timing, Radio: &refclock.Radio{
		Confidence: 14.2, Marks: make([]refclock.Mark, 30), Quality: []float64{1, 0.2, 0.9},
		Fields: []refclock.Field{{Name: "hour", Value: "14"}, {Name: "weekday", Value: "Sunday"}, {Name: "zone", Value: "CET"}}}}})
	says(t, pictureOf(t, "signal", in, wall), "14", "hour", "Sun", "CET", "last hour", "odds against wrong")
	in.Style.Language = words.German
	says(t, pictureOf(t, "signal", in, wall), "So", "MEZ", "Stunde")
}

// Satellites stand where they are in the sky: north up, east right, the zenith in the middle; moved by less than their
// width where they would hide each other.
func TestSkyPlot(t *testing.T) {
	p := newPen(hearingOf(), draw.NewGrid(wall))
	centre, radius := draw.Point{X: 500, Y: 500}, float32(400)
	var all []refclock.Satellite
	for i, s := range []struct{ el, az int }{{90, 0}, {0, 0}, {0, 90}, {0, 180}, {0, 270}, {45, 45}, {45, 46}} {
		all = append(all, refclock.Satellite{Constellation: "GPS", PRN: i + 1, Elevation: s.el, Azimuth: s.az, Used: true})
	}
	p.satellites(centre, radius, all)
	var discs []draw.Circle
	for _, s := range p.Shapes {
		if c, ok := s.(draw.Circle); ok {
			discs = append(discs, c)
		}
	}
	if len(discs) != len(all) {
		t.Fatalf("%d discs for %d satellites", len(discs), len(all))
	}
	edge := radius - discs[0].Radius
	for i, want := range []draw.Point{centre, {X: 500, Y: 500 - edge}, {X: 500 + edge, Y: 500}, {X: 500, Y: 500 + edge}, {X: 500 - edge, Y: 500}} {
		if distance(discs[i].Centre, want) > 1.5 {
			t.Errorf("satellite %d stands at %v, want %v", i+1, discs[i].Centre, want)
		}
	}
	if d := distance(discs[5].Centre, discs[6].Centre); d < 1.8*discs[0].Radius {
		t.Errorf("two satellites are %v apart and hide each other", d)
	}
	says(t, Picture{Shapes: p.Shapes}, "G1", "G7")
}

// With several receivers of a kind a touch shows the next, and each is reached.
func TestSeveralReceivers(t *testing.T) {
	in := hearingOf(status.Source{Name: "north", Driver: "gps"}, status.Source{Name: "south", Driver: "gps"})
	for i := range 3 {
		p := pictureOf(t, "signal", in, wall)
		says(t, p, fmt.Sprintf("Sky · %s", []string{"north", "south"}[i%2]))
		if len(p.Spots) == 0 || p.Spots[0].Do.View == nil || !strings.Contains(p.Spots[0].Label, "next") {
			t.Fatalf("nothing shows the next receiver: %+v", p.Spots)
		}
		in.View = *p.Spots[0].Do.View
	}
}
