package panel

import (
	"image/color"
	"math"
	"slices"

	"timestation/display/draw"
)

// pen collects the shapes of a page.
type pen struct {
	Input
	g draw.Grid
	t draw.Theme
	// head is the right end of the line below the title.
	head float32
	Picture
}

func newPen(in Input, g draw.Grid) *pen { return &pen{Input: in, g: g, t: in.Style.Theme} }

// small, body and strong are the sizes of text in a card: labels, what is read, what is read first.
func (p *pen) small() float32  { return max(draw.Smallest, p.g.U(2.2)) }
func (p *pen) body() float32   { return max(draw.Smallest, p.g.U(2.6)) }
func (p *pen) strong() float32 { return max(draw.Smallest, p.g.U(3)) }

// fine is the size of figures along an axis.
func (p *pen) fine() float32 { return max(draw.Smallest, p.g.U(2)) }

// least is the smallest text that is still read on a small screen.
func (p *pen) least() float32 { return max(draw.Smallest, p.g.U(1.8)) }

func (p *pen) sayf(english string, args ...any) string {
	return p.Style.Language.Sayf(english, args...)
}

func (p *pen) number(s string) string { return p.Style.Language.Number(s) }

func (p *pen) add(shapes ...draw.Shape) { p.Shapes = append(p.Shapes, shapes...) }

func (p *pen) header(body draw.Box, title, question string) draw.Box {
	shapes, rest := Header(p.Input, p.g, body, p.Say(title), p.Say(question))
	p.add(shapes...)
	p.head = shapes[len(shapes)-1].Bounds().Right()
	if p.Status.Demonstration {
		p.demonstration(shapes[len(shapes)-1].Bounds(), rest.Right())
	}
	return rest
}

// demonstration marks a page of a station that plays a recording, behind the question that the page answers.
func (p *pen) demonstration(question draw.Box, right float32) {
	size, pad := p.small(), p.g.U(1.2)
	word := draw.Fit(draw.Span{Text: p.Say("DEMONSTRATION"), Size: size, Weight: draw.SemiBold, Fill: p.t.Info},
		right-question.Right()-p.g.U(2)-2*pad, draw.Smallest)
	if word.Text == "" {
		return
	}
	h := draw.Round(1.7 * size)
	box := draw.Box{X: draw.Round(question.Right() + p.g.U(2)), Y: draw.Round(question.Y + question.H/2 - h/2), W: draw.Round(word.Width() + 2*pad), H: h}
	p.add(draw.Rect{Box: box, Radius: h / 2, Fill: p.t.Tint(p.t.Info)},
		line(draw.Point{X: box.X + pad, Y: draw.Baseline(box.Y, box.Bottom(), word.Size)}, draw.Start, word))
	p.head = box.Right()
}

func (p *pen) card(box draw.Box, title string) draw.Box {
	return p.titled(box, title, "", p.t.Ink)
}

// titled is a card whose title leaves room for a remark at its right.
func (p *pen) titled(box draw.Box, title, remark string, colour color.NRGBA) draw.Box {
	shapes, rest := Card(p.Input, p.g, box, "")
	p.add(shapes...)
	if title == "" {
		return rest
	}
	head, rest := rest.Top(p.g.U(4), p.g.U(0.8))
	base := draw.Baseline(head.Y, head.Bottom(), p.strong())
	used := p.text(draw.Point{X: head.X, Y: base}, draw.Start, head.W, p.strong(), draw.SemiBold, p.t.Ink, title)
	if room := head.W - used - p.g.U(2); remark != "" && room > p.g.U(6) {
		p.text(draw.Point{X: head.Right(), Y: base}, draw.End, room, p.body(), draw.SemiBold, colour, remark)
	}
	return rest
}

// text sets a line, as small as it must be to keep within a width, and gives the width it takes.
func (p *pen) text(at draw.Point, anchor draw.Anchor, width, size float32, w draw.Weight, fill color.NRGBA, s string) float32 {
	span := draw.Fit(draw.Span{Text: s, Size: size, Weight: w, Fill: fill}, width, min(size, p.least()))
	if span.Text == "" || width <= 0 {
		return 0
	}
	p.add(line(at, anchor, span))
	return span.Width()
}

// line is a span as one text: where it ends is exact, whatever its letters.
func line(at draw.Point, anchor draw.Anchor, s draw.Span) draw.Shape {
	return draw.Text{At: draw.Point{X: draw.Round(at.X), Y: draw.Round(at.Y)}, String: s.Text, Size: s.Size, Weight: s.Weight,
		Anchor: anchor, Fill: s.Fill}
}

// whole sets a line only if all of it keeps within a width, at the size or down to the least.
func (p *pen) whole(at draw.Point, anchor draw.Anchor, width, size float32, w draw.Weight, fill color.NRGBA, s string) bool {
	span := draw.Fit(draw.Span{Text: s, Size: size, Weight: w, Fill: fill}, width, min(size, p.least()))
	if s == "" || span.Text != s {
		return false
	}
	p.add(line(at, anchor, span))
	return true
}

// paragraph sets a text from the top of a box, and gives what is left below it.
func (p *pen) paragraph(box draw.Box, size float32, w draw.Weight, fill color.NRGBA, s string) draw.Box {
	shapes, used := draw.Paragraph(s, box, size, w, fill)
	p.add(shapes...)
	_, rest := box.Top(used, 0)
	return rest
}

// noticeHeight is what a notice takes at most.
func (p *pen) noticeHeight(box draw.Box, s string) float32 {
	size := p.body()
	n := len(draw.Wrap(s, size, draw.Regular, slices.Repeat([]float32{box.W - draw.Round(1.5*size)}, 3)...))
	return float32(n) * draw.Round(1.45*size)
}

// notice sets a text with a sign in front at the foot of a box, and gives what is left above it.
func (p *pen) notice(box draw.Box, sign draw.Sign, colour color.NRGBA, s string) draw.Box {
	size := p.body()
	step := draw.Round(1.45 * size)
	indent := draw.Round(1.5 * size)
	most := max(1, min(3, int(box.H*0.5/step)))
	if box.H <= 3*step { // there is nothing else in the box
		most = max(1, int(box.H/step))
	}
	widths := slices.Repeat([]float32{box.W - indent}, most)
	lines := draw.Wrap(s, size, draw.Regular, widths...)
	top := box.Bottom() - float32(len(lines))*step
	for i, line := range lines {
		base := draw.Baseline(top+float32(i)*step, top+float32(i+1)*step, size)
		if i == 0 {
			p.add(draw.MarkAt(sign, draw.Point{X: box.X, Y: base}, size, colour)...)
		}
		p.add(draw.Text{At: draw.Point{X: box.X + indent, Y: base}, String: line, Size: size, Weight: draw.Regular, Fill: p.t.Ink})
	}
	return draw.Box{X: box.X, Y: box.Y, W: box.W, H: max(0, top-box.Y-p.g.U(1))}
}

// rule is a horizontal or vertical hairline.
func (p *pen) rule(from, to draw.Point, stroke color.NRGBA) {
	p.add(draw.Line{From: from, To: to, Width: max(1, p.g.U(0.15)), Stroke: stroke})
}

// bar is a filled rectangle on whole pixels, at least one high.
func (p *pen) bar(x, top, w, bottom float32, fill color.NRGBA) {
	x, top, bottom = draw.Round(x), draw.Round(top), draw.Round(bottom)
	p.add(draw.Rect{Box: draw.Box{X: x, Y: min(top, bottom-1), W: max(1, draw.Round(w)), H: max(1, bottom-top)}, Fill: fill})
}

// outline is an empty rectangle on whole pixels.
func (p *pen) outline(x, top, w, bottom float32, stroke color.NRGBA) {
	x, top, bottom = draw.Round(x), draw.Round(top), draw.Round(bottom)
	p.add(draw.Rect{Box: draw.Box{X: x, Y: min(top, bottom-1), W: max(1, draw.Round(w)), H: max(1, bottom-top)},
		Stroke: stroke, Width: max(1, p.g.U(0.2))})
}

// aroundPoint is a point at a distance and an angle in radians, clockwise from the top.
func aroundPoint(centre draw.Point, radius float32, angle float64) draw.Point {
	return draw.Point{X: centre.X + radius*float32(math.Sin(angle)), Y: centre.Y - radius*float32(math.Cos(angle))}
}
