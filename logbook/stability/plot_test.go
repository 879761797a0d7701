package stability

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// checkSVG reads a document as XML, and finds no coordinate that is not a number.
func checkSVG(t *testing.T, svg string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("the SVG is not XML: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok {
			for _, a := range e.Attr {
				if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Fatalf("<%s %s=%q>", e.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
	}
}

func wantIn(t *testing.T, svg string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(svg, text) {
			t.Errorf("the plot does not say %q", text)
		}
	}
}

func TestPlotsNameWhatTheyShow(t *testing.T) {
	s := walk(rand.New(rand.NewPCG(19, 20)), 5000, 1e-9)
	for i := 100; i < 5000; i += 1000 {
		s.Phase[i] = math.NaN()
	}
	s.Breaks = []int{2500}
	a := Analyse(s, Octave.Factors(len(s.Phase)))
	frequency := a.FrequencyPlot("free-running phase: <gps0> minus oscillator")
	checkSVG(t, frequency)
	wantIn(t, frequency, "free-running phase: &lt;gps0&gt; minus oscillator", "Allan (ADEV)", "(MDEV)", "(HDEV)",
		"fractional frequency", "averaging time τ in seconds", "10⁻⁹", "5 000 points, one every 1 s", "5 missing (0.1 %)",
		"zero lost 1×", "68 % confidence")
	inTime := a.TimePlot("free-running phase: gps0 minus oscillator")
	checkSVG(t, inTime)
	wantIn(t, inTime, "(TDEV)", "(MTIE)", "10 ns", "1 h", "Hollow: at least so much")
	if strings.Contains(frequency, "Hollow") {
		t.Error("the frequency plot explains a mark that it does not have")
	}
	nothing := Analyse(Series{Phase: make([]float64, 100), Tau0Seconds: 1}, []int{1, 2})
	for _, svg := range []string{nothing.FrequencyPlot(""), nothing.TimePlot("\xff\x00")} {
		checkSVG(t, svg)
		wantIn(t, svg, "not enough points")
	}
}

// timeline is an hour at one row a second, 200 ns of noise inside a bound of 1 µs.
func timeline() Timeline {
	r := rand.New(rand.NewPCG(21, 22))
	t := Timeline{Gap: 30 * time.Second}
	for i := range int64(3600) {
		t.TimesNS = append(t.TimesNS, 1_900_000_800e9+i*1e9)
		t.OffsetSeconds = append(t.OffsetSeconds, 200e-9*min(max(r.NormFloat64(), -3), 3))
		t.BoundSeconds = append(t.BoundSeconds, 1e-6)
	}
	return t
}

func TestTimelineDrawsGapsAsGaps(t *testing.T) {
	full := timeline()
	svg := TimelinePlot("gps0 minus station", full)
	checkSVG(t, svg)
	wantIn(t, svg, "gps0 minus station", "3 600 rows. Every offset was inside the stated bound.", "offset in µs", "UTC",
		"18:00", "18:45", "stated bound")
	if n := strings.Count(svg, `class="run"`); n != 1 || strings.Contains(svg, `class="gap"`) {
		t.Errorf("an hour without a gap has %d lines", n)
	}
	holed := full
	holed.TimesNS = slices.Delete(slices.Clone(full.TimesNS), 1000, 1600)
	holed.OffsetSeconds = slices.Delete(slices.Clone(full.OffsetSeconds), 1000, 1600)
	holed.OffsetSeconds[500] = 1.5e-6
	for i := 2000; i < 2100; i++ {
		holed.OffsetSeconds[i] = math.NaN()
	}
	svg = TimelinePlot("gps0 minus station", holed)
	checkSVG(t, svg)
	wantIn(t, svg, "2 gaps of more than 30 s", "Outside the stated bound: 1 offset (under 0.1 %)", "no rows",
		`class="outside"`)
	if runs, gaps := strings.Count(svg, `class="run"`), strings.Count(svg, `class="gap"`); runs != 3 || gaps != 2 {
		t.Errorf("two gaps make %d lines with %d gaps between", runs, gaps)
	}
}

// TestTimelineStaysSmall: a year of rows is no more to draw than the columns of the picture.
func TestTimelineStaysSmall(t *testing.T) {
	times, phase := year()
	svg := TimelinePlot("x", Timeline{TimesNS: times, OffsetSeconds: phase, Gap: time.Minute})
	checkSVG(t, svg)
	if len(svg) > 100_000 {
		t.Errorf("the plot of a year has %d bytes", len(svg))
	}
	wantIn(t, svg, "Jul 2030", "mean offset", "394 gaps")
}

func TestTimeTicksAreRoundAndFew(t *testing.T) {
	start := int64(1_900_000_000e9)
	for length := time.Millisecond; length < 200*365*24*time.Hour; length += length / 2 {
		a := timeAxis{start, start + int64(length)}
		ticks := a.ticks()
		if len(ticks) > 11 || length > 15*time.Millisecond && len(ticks) < 1 {
			t.Errorf("%v has %d ticks", length, len(ticks))
		}
		for i, tick := range ticks {
			if tick.ns < a.first || tick.ns > a.last || i > 0 && tick.ns <= ticks[i-1].ns {
				t.Errorf("%v: tick %d at %d is out of place", length, i, tick.ns)
			}
		}
	}
}
