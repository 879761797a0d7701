package panel

import (
	"slices"
	"testing"
	"time"

	"timestation/display"
	"timestation/display/draw"
	"timestation/display/words"
	"timestation/engine/status"
)

// logged is an input with a day of history in which one offset stands out.
func logged(l words.Language) Input {
	in := inputOf(judged(), l)
	to := in.Second.UTC().Time()
	h := display.History{From: to.Add(-24 * time.Hour), To: to, StepSeconds: 144}
	for i := range 600 {
		at := h.From.Add(time.Duration(i)*144*time.Second + 72*time.Second)
		offset, low, high, ppm, bound := 1e-6, -2e-6, 2e-6, 3.1, 1e-4
		if i == 300 {
			high = 9e-6
		}
		p := display.Point{Time: at, OffsetSeconds: &offset, OffsetLowSeconds: &low, OffsetHighSeconds: &high, FrequencyPPM: &ppm, MaxErrorSeconds: &bound,
			State: status.Synchronised}
		if i >= 400 && i < 420 {
			p.State = status.Holdover
		}
		h.Points = append(h.Points, p)
	}
	in.History = h
	return in
}

// Thinning keeps the extremes and the worst state, and never shows more points than asked for.
func TestThinningKeepsExtremes(t *testing.T) {
	p := newPen(logged(words.English), draw.NewGrid(wall))
	for _, most := range []int{10, 77, 320, 10000} {
		points, width := p.thinned(p.timeAxis(draw.Box{W: 1000}), most)
		if len(points) > most || len(points) > len(p.History.Points) {
			t.Errorf("%d points of %d", len(points), most)
		}
		high, held := 0.0, 0.0
		for i, q := range points {
			high = max(high, *q.OffsetHighSeconds)
			if q.State == status.Holdover {
				held += width
			}
			if i > 0 && (q.Time.Sub(points[i-1].Time).Seconds()-width) > 1e-3 {
				t.Errorf("a gap after point %d where there is none in the log", i)
			}
		}
		if high != 9e-6 || held < 20*144 {
			t.Errorf("%d points: highest %v, %v s of holdover", most, high, held)
		}
	}
}

// A simplified line stays within what it may be off, and is much shorter where it is smooth.
func TestSimplifiedLineKeepsItsShape(t *testing.T) {
	r := testRandom()
	for range 200 {
		var line []draw.Point
		for i := range 2 + r.IntN(200) {
			line = append(line, draw.Point{X: float32(i * 3), Y: draw.Round(100 + 50*float32(r.NormFloat64()))})
		}
		short := simplified(line, 2)
		if short[0] != line[0] || short[len(short)-1] != line[len(line)-1] {
			t.Fatal("the ends moved")
		}
		k := 0
		for _, q := range line {
			for k+2 < len(short) && short[k+1].X < q.X {
				k++
			}
			if d := offLine(q, short[k], short[min(k+1, len(short)-1)]); d > 2.01 {
				t.Fatalf("%v is %v pixels off", q, d)
			}
		}
	}
	var slope []draw.Point
	for i := range 300 {
		slope = append(slope, draw.Point{X: float32(i), Y: draw.Round(float32(i) * 0.3)})
	}
	if short := simplified(slope, 1); len(short) > 3 {
		t.Errorf("a straight line has %d points", len(short))
	}
}

func TestHistorySaysWhatItShows(t *testing.T) {
	in := logged(words.English)
	p := pictureOf(t, "history", in, wall)
	says(t, p, "Offset", "+1.0 µs", "100 µs", "+3.100 ppm", "not logged in this time", "holdover", "No source was heard throughout")
	if p.Plot == nil || p.Plot.Axis.From != float64(in.History.From.Unix()) {
		t.Fatalf("the plot cannot be moved: %+v", p.Plot)
	}
	var saves []string
	for _, s := range p.Spots {
		if s.Do.Save != "" {
			saves = append(saves, s.Do.Save)
		}
	}
	if !slices.Equal(saves, []string{"png", "svg"}) {
		t.Errorf("it can be saved as %v", saves)
	}
	in.View.Told = "Saved as history.svg"
	in.View.Cursor = in.History.Points[300].Time
	says(t, pictureOf(t, "history", in, wall), "Saved as history.svg", "22 Nov 01:09")

	in.HistoryError = "/var/lib/timestation/timestation.db: there is no log"
	says(t, pictureOf(t, "history", in, wall), "The log cannot be read", "there is no log")
	in.HistoryError, in.History = "", display.History{}
	says(t, pictureOf(t, "history", in, wall), "being read")
	in.History.To = in.Second.UTC().Time()
	says(t, pictureOf(t, "history", in, wall), "Nothing was logged")
}

// The buttons move as far as they say, never into the future, and the cursor stays within the plot.
func TestHistoryMoves(t *testing.T) {
	in := logged(words.English)
	press := func(label string) {
		t.Helper()
		p := pictureOf(t, "history", in, wall)
		i := slices.IndexFunc(p.Spots, func(s Spot) bool { return s.Label == label })
		if i < 0 || p.Spots[i].Do.View == nil {
			t.Fatalf("there is no %q", label)
		}
		in.View = *p.Spots[i].Do.View
	}
	press("show 1 h")
	press("earlier")
	press("earlier")
	press("later")
	if in.View.Span != time.Hour || in.View.Back != 30*time.Minute {
		t.Errorf("span %v, back %v", in.View.Span, in.View.Back)
	}
	for range 5 {
		press("later")
	}
	if in.View.Back != 0 {
		t.Errorf("%v into the past after going forward", in.View.Back)
	}
	press("show 1 d")
	press("cursor to the right")
	first := in.View.Cursor
	press("cursor to the right")
	if got := in.View.Cursor.Sub(first); got < 10*time.Minute || got > 15*time.Minute {
		t.Errorf("the cursor moved by %v", got)
	}
}

// Ticks are round moments of the wall's zone, in order, and far enough apart, also on the day the clocks change.
func TestTimeTicks(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	in := logged(words.English)
	in.Location = berlin
	p := newPen(in, draw.NewGrid(wall))
	for _, long := range []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 366 * 24 * time.Hour} {
		to := time.Date(2026, time.October, 25, 13, 0, 0, 0, berlin)
		x := draw.Axis{From: float64(to.Add(-long).Unix()), To: float64(to.Unix()), Low: 0, High: 1000}
		ticks, names := p.timeTicksOf(x, 90)
		if len(ticks) < 2 || len(ticks) > 12 {
			t.Errorf("%v: %d ticks", long, len(ticks))
		}
		for i, v := range ticks {
			at := time.Unix(int64(v), 0).In(berlin)
			if at.Second() != 0 || at.Minute()%5 != 0 || v < x.From || v > x.To || names[i] == "" {
				t.Errorf("%v: a tick at %v, %q", long, at, names[i])
			}
			if i > 0 && x.At(v)-x.At(ticks[i-1]) < 40 {
				t.Errorf("%v: %v and %v are too close", long, names[i-1], names[i])
			}
		}
	}
}
