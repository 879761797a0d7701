package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"timestation/logbook"
)

const wanted = 100 * time.Microsecond

func build(t testing.TB, w *world, o Options) *Document {
	t.Helper()
	d, err := Build(t.Context(), w, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// gathered is what Build counts before it writes.
func gathered(t testing.TB, w *world, o Options) *findings {
	t.Helper()
	first, last, _ := w.Span(t.Context())
	o.From, o.To = first, last.Add(interval)
	f := &findings{options: o, first: first, last: last}
	if err := f.gather(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	f.count()
	return f
}

// text is everything that a document says, but for its plots.
func (d *Document) text() string {
	var b strings.Builder
	for _, s := range d.Sections {
		b.WriteString(s.Heading + "\n")
		for _, block := range s.Blocks {
			b.WriteString(block.Text + "\n")
			if block.Table != nil {
				for _, row := range append([][]string{block.Table.Head}, block.Table.Rows...) {
					b.WriteString(strings.Join(row, " | ") + "\n")
				}
			}
		}
	}
	return b.String()
}

// Every second of the span is told of exactly once, as the rows have it.
func TestShares(t *testing.T) {
	w := newWorld(7)
	var within, synchronised, holdover, unsynchronised float64
	for _, r := range w.rows {
		if r.Source != logbook.StationName {
			continue
		}
		switch r.State {
		case "synchronised":
			synchronised += interval.Seconds()
		case "holdover":
			holdover += interval.Seconds()
		default:
			unsynchronised += interval.Seconds()
		}
		if r.State != "unsynchronised" && r.MaxErrorSeconds.V <= wanted.Seconds() {
			within += interval.Seconds()
		}
	}
	f := gathered(t, w, Options{Bound: wanted})
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"span", f.shares.span, 7 * 86400}, {"within", f.shares.within, within},
		{"synchronised", f.shares.synchronised, synchronised}, {"holdover", f.shares.holdover, holdover},
		{"unsynchronised", f.shares.unsynchronised, unsynchronised}, {"lost", f.shares.lost, 3 * 3600},
	} {
		if math.Abs(c.got-c.want) > 1e-6 {
			t.Errorf("%s: %v s, want %v s", c.name, c.got, c.want)
		}
	}
	if len(f.gaps) != 1 || !f.gaps[0].from.Equal(w.begin.Add(101*time.Hour)) || f.gaps[0].long != 3*time.Hour {
		t.Errorf("gaps %v", f.gaps)
	}
	if len(f.phase.ADEV) == 0 || f.phase.Breaks != 1 || math.Abs(f.phase.ppm+12.4) > 0.01 {
		t.Errorf("phase of %s: %d breaks, %.3f ppm, %d taus", f.phase.source, f.phase.Breaks, f.phase.ppm, len(f.phase.ADEV))
	}
	// 8 µs of white phase noise and a phase step of 0.25 s at the restart, which must not show: σ_y = √3·σ_x/τ.
	if a, want := f.phase.ADEV[0].Deviation, math.Sqrt(3)*8e-6/16; math.Abs(a/want-1) > 0.05 {
		t.Errorf("ADEV at %v s is %v, want %v", f.phase.ADEV[0].TauSeconds, a, want)
	}
}

// What is claimed of minutes and hours is never more than what the rows say.
func TestCondensedClaimsLess(t *testing.T) {
	raw := gathered(t, newWorld(7), Options{Bound: wanted}).shares
	for resolution, length := range map[logbook.Resolution]time.Duration{logbook.Minute: time.Minute, logbook.Hour: time.Hour} {
		w := newWorld(7)
		w.condense(resolution, length)
		got := gathered(t, w, Options{Bound: wanted}).shares
		if got.within > raw.within || got.within < raw.within-float64(7*3600) {
			t.Errorf("%s: %v s within, the rows have %v s", resolution, got.within, raw.within)
		}
		if math.Abs(got.lost-raw.lost) > 3600 || got.worst < raw.worst {
			t.Errorf("%s: %v s lost and a worst bound of %v s; the rows have %v s and %v s", resolution, got.lost, got.worst,
				raw.lost, raw.worst)
		}
	}
}

func TestReportSays(t *testing.T) {
	said := build(t, newWorld(7), Options{Bound: wanted, Station: "Studio 2", Version: "0.2.0", Chain: "The log is whole."}).text()
	for _, want := range []string{
		"gps0 | u-blox NEO-M8N | UTC as the navigation satellites broadcast it (GPS: UTC(USNO))",
		"dcf77 | its own | UTC(PTB) by the transmitter DCF77 | 0 % | ±25.0 ms",
		"Program versions that wrote the log: 0.1.0, 0.1.1.", "sha256 5f70bf18", "The log is whole.",
		"2026-11-06 05:00:00 | 3 h",
		"2026-11-04 02:00:00 | 2026-11-04 10:00:00 | gps0 | source-lost, warning",
		"2 stretches were not inside the wanted bound of ±100 µs",
		"2026-11-06 08:00:00 | 4 min 48 s | 2026-11-06 08:00:00 | unsynchronised | ±1.20 s",
		"not recorded | 1.785 % | 3 h",
		"ran 12.39", "ppm fast on average", "written by Timestation 0.2.0",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(said)
	}
	always := build(t, newWorld(1), Options{Bound: time.Second}).text()
	for _, want := range []string{"The stated bound never exceeded ±1.00 s", "inside the wanted bound of ±1.00 s | 100 %",
		"None: there is a row for every interval", "Whether the log was altered was not looked into"} {
		if !strings.Contains(always, want) {
			t.Errorf("of a good day it does not say %q", want)
		}
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(1)
	for _, c := range []struct {
		w    *world
		o    Options
		want []string
	}{
		{w, Options{}, []string{"bound:", "1ms"}},
		{&world{}, Options{Bound: wanted}, []string{"no row"}},
		{w, Options{Bound: wanted, From: w.begin.Add(48 * time.Hour)}, []string{"from:", "2026-11-02 23:59:44"}},
		{w, Options{Bound: wanted, From: w.begin.Add(-48 * time.Hour), To: w.begin}, []string{"no row between", "2026-11-02 00:00:00"}},
		{w, Options{Bound: wanted, Source: "gps9"}, []string{"source:", `"gps9"`}},
	} {
		_, err := Build(t.Context(), c.w, c.o)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: %v does not say %q", c.o, err, want)
			}
		}
	}
}

// The page asks for nothing outside itself, escapes what it did not write, names nothing twice, and is well-formed.
func TestHTML(t *testing.T) {
	w := newWorld(2)
	w.event(time.Hour, "operator", "x<script>alert(1)</script>", `"quoted" & <b>`)
	var out bytes.Buffer
	if err := build(t, w, Options{Bound: wanted, Station: "<i>", Source: "gps0"}).WriteHTML(&out); err != nil {
		t.Fatal(err)
	}
	html := out.String()
	for _, never := range []string{"<script", "<link", "<img", "src=", "href=", "@import", "<i>", "<b>", "ZgotmplZ"} {
		if strings.Contains(html, never) {
			t.Errorf("the page has %q", never)
		}
	}
	links := regexp.MustCompile(`https?://[^"]*`)
	if outside := links.FindAllString(strings.ReplaceAll(html, "http://www.w3.org/2000/svg", ""), -1); outside != nil {
		t.Errorf("the page points outside: %q", outside)
	}
	ids := regexp.MustCompile(`id="[^"]*"`).FindAllString(html, -1)
	if slices.Sort(ids); len(slices.Compact(slices.Clone(ids))) != len(ids) || len(ids) == 0 {
		t.Errorf("names %q", ids)
	}
	if n := strings.Count(html, "<svg"); n != 6 {
		t.Errorf("%d plots, want bound, offset, frequency, temperature, deviations and TDEV with MTIE", n)
	}
	d := xml.NewDecoder(strings.NewReader(html))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// Plots are on paper: a colour of the dark screen must not be left.
func TestPlotsAreOnPaper(t *testing.T) {
	known := []string{paper, shade, hairline, ink, quietInk, blue, amber, red}
	for _, s := range build(t, newWorld(7), Options{Bound: wanted}).Sections {
		for _, b := range s.Blocks {
			for _, c := range regexp.MustCompile(`"#[0-9a-fA-F]{3,8}"`).FindAllString(b.Plot, -1) {
				if !slices.Contains(known, strings.Trim(c, `"`)) {
					t.Errorf("%s: colour %s", s.Heading, c)
				}
			}
		}
	}
}

// A PDF is made of everything that a page has, and the same one each time.
func TestPDF(t *testing.T) {
	d := build(t, newWorld(7), Options{Bound: wanted, Station: "Küche"})
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := d.WritePDF(out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same report makes two different files")
	}
	pages := len(regexp.MustCompile(`/Type /Page\b`).FindAll(first.Bytes(), -1))
	if !bytes.HasPrefix(first.Bytes(), []byte("%PDF-")) || pages < 3 || pages > 8 {
		t.Errorf("%q…, %d pages", first.Bytes()[:8], pages)
	}
}

// What a PDF cannot draw is an error: a plot that silently lost a part would lie.
func TestPDFRefusesUnknownShapes(t *testing.T) {
	for _, svg := range []string{
		`<svg width="9" height="9"><ellipse/></svg>`,
		`<svg width="9" height="9"><path d="M0 0C1 1 2 2 3 3" stroke="#000000"/></svg>`,
		`<svg width="9" height="9"><path d="M0" stroke="#000000"/></svg>`,
		`<svg width="9" height="9"><text transform="scale(2)">x</text></svg>`, `<svg`,
	} {
		d := &Document{Sections: []Section{{Blocks: []Block{{Plot: svg}}}}}
		if err := d.WritePDF(io.Discard); err == nil {
			t.Errorf("%s was drawn", svg)
		}
	}
}

func TestParsePath(t *testing.T) {
	steps, err := parsePath("M1 2.5V-3h10l-5 8.5-1 1zM0,0L4 4")
	want := []pathStep{{'M', 1, 2.5}, {'L', 1, -3}, {'L', 11, -3}, {'L', 6, 5.5}, {'L', 5, 6.5}, {'Z', 1, 2.5}, {'M', 0, 0},
		{'L', 4, 4}}
	if err != nil || !slices.Equal(steps, want) {
		t.Errorf("%v, %v", steps, err)
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{percent(999999, 1000000), "99.999 %"}, {percent(1-1e-7, 1), "99.999 %"}, {percent(1, 1), "100 %"},
		{percent(1, 1e9), "under 0.001 %"},
		{percent(0, 1), "0 %"}, {percent(0, 0), "0 %"},
		{size(0.0116), "11.6 ms"}, {size(1.2), "1.20 s"}, {size(4.5e-5), "45.0 µs"}, {size(9.996e-7), "1.00 µs"},
		{size(0), "0 ns"}, {size(350e-3), "350 ms"},
		{signed(-2e-6), "−2.00 µs"}, {long(25 * time.Hour), "1 d 1 h"}, {long(3 * time.Hour), "3 h"}, {long(288 * time.Second), "4 min 48 s"},
		{long(24*time.Hour + time.Minute), "1 d"}, {long(16 * time.Second), "16 s"}, {long(0), "0 s"},
		{grouped(1234567), "1 234 567"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// A tick is in the span, they are at most ten or so, and each is as far from the one before.
func TestTimeTicks(t *testing.T) {
	from := time.Date(2026, time.January, 30, 22, 17, 3, 0, time.UTC)
	for _, span := range []time.Duration{5 * time.Second, time.Minute, time.Hour, 26 * time.Hour, 9 * 24 * time.Hour,
		40 * 24 * time.Hour, 400 * 24 * time.Hour, 3000 * 24 * time.Hour, 36500 * 24 * time.Hour} {
		ticks := timeTicks(from, from.Add(span))
		if len(ticks) < 1 || len(ticks) > 13 {
			t.Errorf("%v: %d ticks %v", span, len(ticks), ticks)
		}
		for _, tick := range ticks {
			if tick.at.Before(from) || tick.at.After(from.Add(span)) {
				t.Errorf("%v: a tick at %v", span, tick.at)
			}
		}
	}
}
