package draw

import (
	"bytes"
	"encoding/xml"
	"image"
	"image/color"
	"io"
	"math"
	"testing"
)

// all is one of every shape.
func all() []Shape {
	pixels := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	pixels.SetNRGBA(0, 0, color.NRGBA{200, 100, 50, 255})
	return []Shape{
		Rect{Box: Box{0, 0, 100, 80}, Fill: Dark.Ground},
		Circle{Centre: Point{20, 20}, Radius: 5, Fill: Dark.Good, Stroke: Dark.Ink, Width: 1},
		Polygon{Points: []Point{{10, 10}, {30, 10}, {20, 30}}, Fill: Dark.Warn},
		Rect{Box: Box{0, 70, 100, 10}, Fill: Dark.Panel},
		Line{From: Point{5, 5}, To: Point{50, 40}, Width: 2, Stroke: Dark.Info},
		Image{Box: Box{40, 20, 20, 10}, Key: "two", Pixels: func() *image.NRGBA { return pixels }},
		Text{At: Point{50, 60}, String: `<"Studio" & Söhne>`, Size: 12, Weight: SemiBold, Anchor: Middle, Fill: Dark.Ink},
	}
}

func TestSVGIsWellFormed(t *testing.T) {
	var b bytes.Buffer
	if err := SVG(all(), Size{100, 80}, &b); err != nil {
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
			named = named || string(token) == `<"Studio" & Söhne>`
		}
	}
	if elements != len(all())+1 || !named {
		t.Errorf("%d elements for %d shapes; the text is there: %v", elements, len(all()), named)
	}
}

// TestShiftMovesAllButTheEdges: everything goes along, and what reached to an edge still does.
func TestShiftMovesAllButTheEdges(t *testing.T) {
	size := Size{100, 80}
	for _, by := range []Point{{2, 3}, {-2, -3}} {
		for i, s := range Shift(all(), size, by) {
			was, is := all()[i].Bounds(), s.Bounds()
			if _, ok := s.(Rect); ok {
				if was.X == 0 && is.X != 0 || was.Right() == size.W && is.Right() != size.W || was.Bottom() == size.H && is.Bottom() != size.H {
					t.Errorf("shape %d no longer reaches the edge: %v", i, is)
				}
				continue
			}
			if is.X-was.X != by.X || is.Y-was.Y != by.Y {
				t.Errorf("shape %d went from %v to %v", i, was, is)
			}
		}
	}
}

func TestDimTakesLightFromAll(t *testing.T) {
	for i, s := range Dim(all(), 0.5) {
		if Same(s, all()[i]) {
			t.Errorf("shape %d is as bright as before", i)
		}
		if img, ok := s.(Image); ok {
			if c := img.Pixels().NRGBAAt(0, 0); c != (color.NRGBA{100, 50, 25, 255}) {
				t.Errorf("its pixels are %v", c)
			}
		}
	}
	for i, s := range Dim(all(), 1) {
		if !Same(s, all()[i]) {
			t.Errorf("shape %d changed by nothing", i)
		}
	}
}

func TestAxisTicksAreRoundAndInside(t *testing.T) {
	for _, a := range []Axis{{From: 0, To: 1}, {From: -3.2e-8, To: 4.1e-8}, {From: 1e9, To: 1e9 + 1}, {From: 7, To: -5}, {From: 2, To: 2}, {From: 0, To: math.Inf(1)}} {
		a.Low, a.High = 100, 300
		for most := 1; most < 12; most++ {
			ticks, step := a.Ticks(most)
			if len(ticks) > most+1 {
				t.Errorf("%v: %d ticks, at most %d were asked for", a, len(ticks), most)
			}
			for _, v := range ticks {
				low, high := min(a.From, a.To), max(a.From, a.To)
				if v < low-1e-9*step || v > high+1e-9*step {
					t.Errorf("%v: %v lies outside", a, v)
				}
			}
			if step > 0 {
				if m := step / math.Pow(10, math.Floor(math.Log10(step*1.0000001))); math.Abs(m-1) > 1e-6 && math.Abs(m-2) > 1e-6 && math.Abs(m-5) > 1e-6 {
					t.Errorf("%v: a step of %v is not round", a, step)
				}
			}
		}
		if a.To != a.From && !math.IsInf(a.To, 0) {
			if v := a.Value(a.At((a.From + a.To) / 2)); math.Abs(v-(a.From+a.To)/2) > 1e-5*math.Abs(a.To-a.From)+1e-6*math.Abs(a.From) {
				t.Errorf("%v: there and back is %v", a, v)
			}
		}
	}
}

func TestBoxesDivideWhole(t *testing.T) {
	b := Box{X: 3, Y: 5, W: 101, H: 53}
	for n := 1; n < 9; n++ {
		columns, rows := b.Columns(n, 4), b.Rows(n, 4)
		if columns[0].X != b.X || columns[n-1].Right() != b.Right() || rows[0].Y != b.Y || rows[n-1].Bottom() != b.Bottom() {
			t.Errorf("%d parts do not fill the box: %v %v", n, columns, rows)
		}
		for i := 1; i < n; i++ {
			if columns[i].Overlaps(columns[i-1]) || rows[i].Overlaps(rows[i-1]) {
				t.Errorf("part %d of %d meets the one before", i, n)
			}
		}
	}
}

// TestInksCanBeRead: on every colour of a theme that fills an area, and for every word of a state.
func TestInksCanBeRead(t *testing.T) {
	for _, theme := range []Theme{Dark, Light} {
		for _, fill := range []color.NRGBA{theme.Good, theme.Warn, theme.Bad, theme.Info} {
			if c := Contrast(On(fill), fill); c < 3 {
				t.Errorf("on %s the contrast is %.1f", Hex(fill), c)
			}
			if c := Contrast(fill, theme.Panel); c < 4.5 {
				t.Errorf("%s on a panel has the contrast %.1f", Hex(fill), c)
			}
		}
		for _, ink := range []color.NRGBA{theme.Ink, theme.Quiet} {
			if c := min(Contrast(ink, theme.Ground), Contrast(ink, theme.Panel)); c < 4.5 {
				t.Errorf("the ink %s has the contrast %.1f", Hex(ink), c)
			}
		}
	}
}
