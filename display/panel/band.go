package panel

import (
	"cmp"
	"image/color"
	"slices"
	"strings"

	"timestation/display/draw"
	"timestation/display/face"
	"timestation/display/studio"
	"timestation/engine/status"
)

// notice is one line of the band: something that people must know.
type notice struct {
	sign   draw.Sign
	colour color.NRGBA
	// fill is the area behind it, ink that of the words on it.
	fill, ink color.NRGBA
	// head is said first and is never cut, text next, and more, in a quieter weight, last.
	head, text, more string
	// others is how many more of the kind there are.
	others int
}

// band draws the line below the clock: the state where the time is not what it should be, else the most severe alert, and
// the most important message; and where there is neither, quietly, how the sources voted.
func (in Input) band(g draw.Grid, box draw.Box) []draw.Shape {
	t := in.Style.Theme
	var all []notice
	if n, ok := in.trouble(); ok {
		all = append(all, n)
	}
	if n, ok := in.message(); ok {
		all = append(all, n)
	}
	if len(all) == 0 {
		words := in.Because()
		if words == "" {
			return nil
		}
		size := g.U(2.9)
		inside := box.Inset(g.U(4.4), 0)
		lines := draw.Wrap(words, size, draw.Regular, inside.W, inside.W)
		return centred(lines, draw.Span{Size: size, Weight: draw.Regular, Fill: t.Quiet}, inside)
	}
	var shapes []draw.Shape
	for i, row := range box.Rows(len(all), 0) {
		shapes = append(shapes, in.notice(g, row, all[i], len(all) == 1)...)
	}
	return shapes
}

// centred sets lines one below the other in the middle of a box, from its left.
func centred(lines []string, s draw.Span, box draw.Box) []draw.Shape {
	step := draw.Round(1.35 * s.Size)
	y := draw.Round(box.Y + (box.H-float32(len(lines))*step)/2)
	var shapes []draw.Shape
	for _, line := range lines {
		s.Text = line
		shapes = append(shapes, draw.Row(draw.At(box.X, draw.Baseline(y, y+step, s.Size)), draw.Start, s)...)
		y += step
	}
	return shapes
}

// trouble is what is wrong with the time, or else the most severe alert.
func (in Input) trouble() (notice, bool) {
	t := in.Style.Theme
	alerts := slices.Clone(in.Status.Alerts)
	slices.SortStableFunc(alerts, func(a, b status.Alert) int { return cmp.Compare(rank(b.Severity), rank(a.Severity)) })
	standing := in.Standing()
	n := notice{sign: standing.Sign(), colour: standing.Colour(t)}
	switch {
	case standing == face.Holdover:
		n.fill, n.ink = n.colour, draw.On(n.colour)
		n.head, n.text = in.StateWord()+" "+in.Bound(in.Reading.MaxError), in.Because()
		n.others = len(alerts)
		if len(alerts) > 0 {
			n.text, n.more = in.alertWords(alerts[0])
			n.others = len(alerts) - 1
		}
	case standing == face.Untrusted || standing == face.Timeless:
		n.fill, n.ink = n.colour, draw.On(n.colour)
		n.head, n.text = in.SourceWords(), in.Because()
		if n.others = len(alerts); standing == face.Timeless {
			n.text = ""
		}
	case len(alerts) > 0:
		a := alerts[0]
		n.colour, n.sign = SeverityLook(t, a.Severity)
		n.fill, n.ink = t.Tint(n.colour), n.colour
		n.text, n.more = in.alertWords(a)
		n.others = len(alerts) - 1
	default:
		return notice{}, false
	}
	return n, true
}

// message is the most important message that stands.
func (in Input) message() (notice, bool) {
	if len(in.Studio.Messages) == 0 {
		return notice{}, false
	}
	t, m := in.Style.Theme, in.Studio.Messages[0]
	n := notice{sign: draw.Disc, colour: t.Info, fill: t.Panel, ink: t.Ink, text: m.Text, others: len(in.Studio.Messages) - 1}
	switch m.Priority {
	case studio.Warning:
		n.sign, n.colour, n.fill, n.ink = draw.Triangle, t.Warn, t.Tint(t.Warn), t.Warn
	case studio.Urgent:
		n.sign, n.colour, n.fill, n.ink = draw.Square, t.Bad, t.Bad, draw.On(t.Bad)
	}
	return n, true
}

// notice draws one line of the band; alone it has the whole height, and may take two lines for its words.
func (in Input) notice(g draw.Grid, box draw.Box, n notice, alone bool) []draw.Shape {
	shapes := []draw.Shape{draw.Rect{Box: box, Fill: n.fill}}
	if n.fill == in.Style.Theme.Panel {
		shapes = append(shapes, draw.Rect{Box: draw.Box{X: box.X, Y: box.Y, W: box.W, H: max(1, g.U(0.15))}, Fill: in.Style.Theme.Hairline})
	}
	inside := box.Inset(g.U(4.4), g.U(0.5))
	large, small := g.U(4), g.U(3)
	lines := 2
	if g.Portrait {
		large, small, lines = g.U(4.8), g.U(3.4), 3
	}
	if !alone {
		large, small, lines = g.U(3.2), g.U(2.7), lines-1
	}
	if n.others > 0 {
		more := draw.Span{Text: in.Style.Language.Sayf("+%d more", n.others), Size: small, Weight: draw.SemiBold, Fill: n.ink}
		width := more.Width()
		shapes = append(shapes, draw.Row(draw.At(inside.Right()-draw.Round(width), draw.Baseline(inside.Y, inside.Bottom(), small)), draw.Start, more)...)
		inside.W -= draw.Round(width) + large
	}
	sign := n.colour
	if n.fill == n.colour {
		sign = n.ink
	}
	mark := draw.Round(0.9 * large)
	shapes = append(shapes, draw.Mark(n.sign, draw.Box{X: inside.X, Y: draw.Round(inside.Y + (inside.H-0.75*mark)/2), W: mark, H: 0.75 * mark}, sign)...)
	_, inside = inside.Left(draw.Round(1.4*mark), 0)

	if n.head != "" {
		head := draw.Span{Text: n.head, Size: large, Weight: draw.SemiBold, Fill: n.ink, Steady: true}
		share := float32(0.55)
		if n.text == "" {
			share = 1
		}
		if g.Portrait && alone && n.text != "" {
			// Its own line above the words.
			upper, lower := inside.Top(draw.Round(1.4*large), 0)
			head = draw.Fit(head, inside.W, draw.Smallest)
			shapes = append(shapes, draw.Row(draw.At(inside.X, draw.Baseline(upper.Y, upper.Bottom(), large)), draw.Start, head)...)
			inside, lines = lower, lines-1
		} else {
			head = draw.Fit(head, share*inside.W, draw.Smallest)
			shapes = append(shapes, draw.Row(draw.At(inside.X, draw.Baseline(inside.Y, inside.Bottom(), head.Size)), draw.Start, head)...)
			_, inside = inside.Left(draw.Round(head.Width()), large)
		}
	}
	return append(shapes, n.words(inside, large, small, lines)...)
}

// words sets the text in one line if it fits, and else, smaller, in several.
func (n notice) words(box draw.Box, large, small float32, lines int) []draw.Shape {
	if n.text == "" && n.more == "" {
		return nil
	}
	whole := strings.TrimSpace(n.text + " " + n.more)
	if draw.TextWidth(whole, large, draw.SemiBold) <= box.W {
		return n.set(box, large, 1)
	}
	return n.set(box, small, lines)
}

// set wraps text and more into at most so many lines; more begins a line of its own where there are several.
func (n notice) set(box draw.Box, size float32, lines int) []draw.Shape {
	step := draw.Round(1.3 * size)
	lines = max(1, min(lines, int(box.H/step)))
	bold := draw.Span{Size: size, Weight: draw.SemiBold, Fill: n.ink}
	plain := draw.Span{Size: size, Weight: draw.Regular, Fill: n.ink}
	if lines == 1 {
		bold.Text = draw.Clip(n.text, box.W, size, draw.SemiBold)
		spans := []draw.Span{bold}
		if left := box.W - bold.Width() - 0.4*size; bold.Text == n.text && n.more != "" && left > 4*size {
			plain.Text = " " + draw.Clip(n.more, left, size, draw.Regular)
			spans = append(spans, plain)
		}
		return draw.Row(draw.At(box.X, draw.Baseline(box.Y, box.Bottom(), size)), draw.Start, spans...)
	}
	most := lines
	if n.more != "" {
		most--
	}
	texts := draw.Wrap(n.text, size, draw.SemiBold, slices.Repeat([]float32{box.W}, most)...)
	mends := draw.Wrap(n.more, size, draw.Regular, slices.Repeat([]float32{box.W}, lines-len(texts))...)
	y := draw.Round(box.Y + (box.H-float32(len(texts)+len(mends))*step)/2)
	var shapes []draw.Shape
	put := func(s draw.Span, text string) {
		s.Text = text
		shapes = append(shapes, draw.Row(draw.At(box.X, draw.Baseline(y, y+step, size)), draw.Start, s)...)
		y += step
	}
	for _, s := range texts {
		put(bold, s)
	}
	for _, s := range mends {
		put(plain, s)
	}
	return shapes
}

func rank(s status.Severity) int {
	switch s {
	case status.Critical:
		return 2
	case status.Warning:
		return 1
	}
	return 0
}

// SeverityLook is the colour and the sign of an alert.
func SeverityLook(t draw.Theme, s status.Severity) (color.NRGBA, draw.Sign) {
	switch s {
	case status.Critical:
		return t.Bad, draw.Square
	case status.Warning:
		return t.Warn, draw.Triangle
	}
	return t.Info, draw.Disc
}
