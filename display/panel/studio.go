package panel

import (
	"math"

	"timestation/display/draw"
	"timestation/display/face"
)

// Studio is the studio clock: a face, and beside it the date, further time zones, on-air lights, timers, and what is on
// air; below it one line for whatever people must know.
func Studio(in Input, g draw.Grid, body draw.Box) Picture {
	f, _ := face.Named(in.Style.Face)
	if f.Draw == nil {
		f, _ = face.Named(face.Names()[0])
	}
	l := newLayout(g, body, f.Wide)
	shapes := f.Draw(in.Frame, l.clock)
	all := in.sections()
	parts := [][]section{all}
	if len(l.columns) > 1 {
		// What is always there goes left, what people put on the wall right.
		split := min(2, len(all))
		parts = [][]section{all[:split], all[split:]}
	}
	u := largestUnit * g.Unit
	for i, p := range parts {
		u = min(u, fitting(l.columns[i], u, p))
	}
	for i, p := range parts {
		shapes = append(shapes, stack(l.columns[i], u, p)...)
	}
	return Picture{Shapes: append(shapes, in.band(g, l.band)...)}
}

// layout is where the parts of the studio page stand. It depends on nothing but the size and the kind of face, so that
// nothing moves but the time and what changed.
type layout struct {
	clock, band draw.Box
	columns     []draw.Box
}

func newLayout(g draw.Grid, body draw.Box, wide bool) layout {
	margin, top := g.U(4.4), g.U(2.8)
	var l layout
	height := g.U(9.6)
	if g.Portrait {
		height = g.U(16)
	}
	l.band = draw.Box{X: body.X, Y: body.Bottom() - height, W: body.W, H: height}
	main := draw.Box{X: body.X, Y: body.Y, W: body.W, H: body.H - height}
	width := main.W - 2*margin
	switch {
	case g.Portrait:
		h := 0.36 * main.H
		if !wide {
			h = min(width, 0.58*main.H)
		}
		l.clock = draw.Box{X: margin, Y: top, W: width, H: draw.Round(h)}
		y := l.clock.Bottom() + g.U(2)
		l.columns = []draw.Box{{X: margin, Y: y, W: width, H: main.Bottom() - g.U(1) - y}}
	case wide:
		l.clock = draw.Box{X: margin, Y: top, W: width, H: draw.Round(0.52 * main.H)}
		y := l.clock.Bottom() + g.U(1.6)
		l.columns = draw.Box{X: margin, Y: y, W: width, H: main.Bottom() - g.U(1) - y}.Columns(2, g.U(6))
	default:
		gap := g.U(6)
		side := draw.Even(min(main.H-2*top, 0.54*main.W))
		column := min(main.W-2*margin-gap-side, g.U(90))
		left := draw.Round((main.W - side - gap - column) / 2)
		l.clock = draw.Box{X: left, Y: draw.Round((main.H - side) / 2), W: side, H: side}
		l.columns = []draw.Box{{X: left + side + gap, Y: top, W: column, H: main.H - 2*top}}
	}
	return l
}

// ClockBox is the place of the clock on the studio page of a size, for whoever reads a screen back.
func ClockBox(size draw.Size, faceName string) draw.Box {
	f, _ := face.Named(faceName)
	g := draw.NewGrid(size)
	return newLayout(g, draw.Box{W: size.W, H: StripBox(g).Y}, f.Wide).clock
}

// section is a part of a column beside the clock. Its height is in units; in a column that is too low for all of them, the
// unit shrinks.
type section struct {
	height func(across float32) float32
	draw   func(box draw.Box, u unit) []draw.Shape
}

// unit is a length in pixels that the parts of a section are multiples of.
type unit float32

func (u unit) of(n float32) float32 { return draw.Round(n * float32(u)) }

const (
	// sectionGap is between sections, in units, and largestUnit how much larger than the page's the unit of a column may be.
	sectionGap  = 2
	largestUnit = 1.3
)

// tall is how high sections are together, in units of a size.
func tall(all []section, width, u float32) (sum float32) {
	for _, s := range all {
		sum += s.height(width / u)
	}
	return sum + float32(max(0, len(all)-1))*sectionGap
}

// fitting is the largest unit up to u with which sections fit into a column.
func fitting(box draw.Box, u float32, all []section) float32 {
	for least := 0.2 * u; tall(all, box.W, u)*u > box.H && u > least; {
		u *= 0.98
	}
	return u
}

// stack draws sections one below the other, in the middle of a column.
func stack(box draw.Box, u float32, all []section) []draw.Shape {
	if len(all) == 0 {
		return nil
	}
	total := tall(all, box.W, u) * u
	// What is left over parts the sections, but not so far that they fall apart.
	gap := draw.Round(sectionGap*u + min((box.H-total)/float32(len(all)+1), 3*u))
	used := total + float32(len(all)-1)*(gap-sectionGap*u)
	y := box.Y + max(0, draw.Round((box.H-used)/2))
	var shapes []draw.Shape
	for _, s := range all {
		h := float32(math.Floor(float64(s.height(box.W/u) * u)))
		shapes = append(shapes, s.draw(draw.Box{X: box.X, Y: y, W: box.W, H: h}, unit(u))...)
		y = draw.Round(y + h + gap)
	}
	return shapes
}

// sections are the parts beside the clock that have something to say.
func (in Input) sections() []section {
	var all []section
	if in.Standing() == face.Timeless {
		all = append(all, in.noTime())
	} else {
		all = append(all, in.calendar())
		if s, ok := in.clocks(); ok {
			all = append(all, s)
		}
	}
	if s, ok := in.lights(); ok {
		all = append(all, s)
	}
	if s, ok := in.timers(); ok {
		all = append(all, s)
	}
	if s, ok := in.onAir(); ok {
		all = append(all, s)
	}
	return all
}
