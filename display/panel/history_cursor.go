package panel

import (
	"cmp"
	"slices"
	"time"

	"timestation/display"
	"timestation/display/draw"
)

// pointed is the point that the cursor stands nearest to; ok is false without a cursor within the plot.
func (p *pen) pointed(x draw.Axis) (q display.Point, ok bool) {
	at := unix(p.View.Cursor)
	if p.View.Cursor.IsZero() || at < x.From || at > x.To || len(p.History.Points) == 0 {
		return q, false
	}
	return slices.MinFunc(p.History.Points, func(a, b display.Point) int {
		return cmp.Compare(a.Time.Sub(p.View.Cursor).Abs(), b.Time.Sub(p.View.Cursor).Abs())
	}), true
}

func (p *pen) nearCursor(x draw.Axis, at, within float32) bool {
	q, ok := p.pointed(x)
	if !ok {
		return false
	}
	middle, half := p.cursorPlace(x, q.Time)
	return at+within > middle-half && at-within < middle+half
}

func (p *pen) cursorName(t time.Time) string {
	t = t.In(p.Location)
	if p.History.To.Sub(p.History.From) > 300*24*time.Hour {
		return t.Format("2006-01-02")
	}
	return p.dayName(t) + t.Format(" 15:04")
}

// cursorPlace is where the name of the cursor stands: below it, but within the plot.
func (p *pen) cursorPlace(x draw.Axis, t time.Time) (middle, half float32) {
	half = draw.TextWidth(p.cursorName(t), p.small(), draw.SemiBold)/2 + 1
	return draw.Round(max(x.Low+half, min(x.High-half, x.At(unix(t))))), half
}

// cursor is a line at the moment that was pointed at, named at the foot.
func (p *pen) cursor(plot draw.Box, base float32, x draw.Axis, moment time.Time) {
	at := draw.Round(x.At(unix(moment)))
	p.add(draw.Rect{Box: draw.Box{X: at, Y: plot.Y, W: max(1, draw.Round(p.g.U(0.2))), H: plot.H}, Fill: p.t.Ink})
	middle, _ := p.cursorPlace(x, moment)
	p.add(draw.Text{At: draw.Point{X: middle, Y: base}, String: p.cursorName(moment), Size: p.small(), Weight: draw.SemiBold, Anchor: draw.Middle, Fill: p.t.Ink})
}
