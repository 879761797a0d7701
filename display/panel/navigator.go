package panel

import (
	"slices"
	"time"

	"timestation/display"
	"timestation/display/draw"
)

const (
	// handsOff is how long the rotation waits after somebody touched the screen.
	handsOff = 2 * time.Minute
	// menuTime is how long the menu stays after the last touch.
	menuTime = 8 * time.Second
	// shortestSpan and longestSpan bound the zoom of a plot over time, firstSpan is where it begins.
	shortestSpan, longestSpan, firstSpan = time.Hour, 366 * 24 * time.Hour, 24 * time.Hour
)

// Key is what a key of the keyboard means.
type Key uint8

// The keys.
const (
	KeyNext Key = iota
	KeyPrevious
	KeyUp
	KeyDown
	KeyEarlier
	KeyLater
	// KeyFocus and KeyFocusBack go from spot to spot, KeyDo does what the spot in focus does.
	KeyFocus
	KeyFocusBack
	KeyDo
	// KeyMenu opens and closes the menu.
	KeyMenu
)

// Navigator is which page is on the screen, and what somebody there does to it. It is pure: moments are arguments, and
// only how far they are apart counts.
type Navigator struct {
	home     string
	rotation []string
	turn     time.Duration

	page string
	// asked is the page that the station called up last.
	asked string
	// turned is when the page was last changed, touched when the screen was.
	turned, touched time.Time
	menu            bool
	// focus is the number of the spot in focus, from 1 on.
	focus int
	views map[string]View
	// swept is how far the running drag went, outside of plots.
	swept draw.Point
	// last is what was drawn last, unit its measure.
	last Picture
	unit float32
	// menuSpots are those of the menu, while it is open.
	menuSpots []Spot
}

// NewNavigator begins with the page that the configuration names, or with the first of its rotation.
func NewNavigator(cfg display.Config, now time.Time) *Navigator {
	n := &Navigator{home: cfg.Page, rotation: cfg.Rotation, turn: cfg.Turn(), turned: now, views: map[string]View{}}
	if len(n.rotation) > 0 {
		n.home = n.rotation[0]
	}
	n.page = n.home
	return n
}

// Page is the page on the screen.
func (n *Navigator) Page() Page {
	if p, ok := Named(n.page); ok {
		return p
	}
	return pages[0]
}

// View is how that page is to be shown.
func (n *Navigator) View() View { return n.views[n.page] }

// Tick turns to the next page of the rotation when it is due, and to the page that the station calls up (none if empty). It
// reports whether anything changed.
func (n *Navigator) Tick(now time.Time, asked string) bool {
	if n.menu && now.Sub(n.touched) > menuTime {
		n.menu, n.focus = false, 0
		return true
	}
	if asked != n.asked {
		if n.asked = asked; asked == "" {
			asked = n.home
		}
		return n.show(asked, now)
	}
	idle := n.touched.IsZero() || now.Sub(n.touched) > handsOff
	if n.asked == "" && len(n.rotation) > 1 && idle && now.Sub(n.turned) >= n.turn {
		at := slices.Index(n.rotation, n.page)
		return n.show(n.rotation[(at+1)%len(n.rotation)], now)
	}
	return false
}

// show goes to a page, if there is one of the name.
func (n *Navigator) show(name string, now time.Time) bool {
	if _, ok := Named(name); !ok {
		return false
	}
	changed := n.page != name
	n.page, n.turned, n.focus = name, now, 0
	return changed
}

// Span is the stretch of the log that the page shows, given the station's time.
func (n *Navigator) Span(now time.Time) display.Span {
	v := n.View()
	to := now.Add(-v.Back)
	return display.Span{From: to.Add(-span(v)), To: to}
}

func span(v View) time.Duration {
	if v.Span == 0 {
		return firstSpan
	}
	return v.Span
}

// Picture draws the page, and over it the menu and the focus.
func (n *Navigator) Picture(in Input, size draw.Size) []draw.Shape {
	in.View = n.View()
	n.last = n.Page().Picture(in, size)
	g := draw.NewGrid(size)
	n.unit = g.Unit
	shapes := n.last.Shapes
	n.menuSpots = nil
	if n.menu {
		var bar []draw.Shape
		bar, n.menuSpots = menu(in, g, n.page)
		shapes = append(shapes, bar...)
	}
	if all := n.spots(); n.focus > 0 && n.focus <= len(all) {
		width := max(2, g.U(0.5))
		shapes = append(shapes, draw.Rect{Box: all[n.focus-1].Box, Radius: g.U(1.2), Stroke: in.Style.Theme.Ink, Width: width})
	}
	return shapes
}

// spots are all that can be touched now: while the menu is open, its own.
func (n *Navigator) spots() []Spot {
	if n.menu {
		return n.menuSpots
	}
	return n.last.Spots
}

// Tap is a touch; the command is what the navigator cannot do itself, if there is any.
func (n *Navigator) Tap(at draw.Point, now time.Time) (Command, bool) {
	n.touched = now
	for _, s := range n.spots() {
		if s.Box.Holds(at) {
			return n.do(s.Do, now)
		}
	}
	n.focus = 0
	if p := n.last.Plot; p != nil && p.Box.Holds(at) && !n.menu {
		seconds := p.Axis.Value(at.X)
		n.change(func(v *View) { v.Cursor = time.Unix(0, int64(seconds*1e9)).UTC() })
		return Command{}, false
	}
	n.menu = !n.menu
	return Command{}, false
}

func (n *Navigator) do(c Command, now time.Time) (Command, bool) {
	switch {
	case c.Page != "":
		n.show(c.Page, now)
		n.menu = false
	case c.View != nil:
		n.views[n.page] = *c.View
	default:
		return c, true
	}
	return Command{}, false
}

// change changes the view of the page on the screen.
func (n *Navigator) change(what func(*View)) {
	v := n.View()
	what(&v)
	n.views[n.page] = v
}

// Tell puts the outcome of an action onto the page that it was done on, and ends its question.
func (n *Navigator) Tell(page, text string) {
	v := n.views[page]
	v.Told, v.Confirm = text, nil
	n.views[page] = v
}

// Drag is a movement by so many pixels while pressed; DragEnd ends it.
func (n *Navigator) Drag(at, by draw.Point, now time.Time) {
	n.touched = now
	if p := n.last.Plot; p != nil && p.Box.Holds(at) {
		seconds := p.Axis.Value(at.X) - p.Axis.Value(at.X-by.X)
		n.change(func(v *View) { v.Back = max(0, v.Back+time.Duration(seconds*1e9)) })
		return
	}
	n.swept.X, n.swept.Y = n.swept.X+by.X, n.swept.Y+by.Y
}

// DragEnd turns the page if the hand went far to the side.
func (n *Navigator) DragEnd(now time.Time) {
	far, went := 15*n.unit, n.swept
	n.swept = draw.Point{}
	switch {
	case went.X > far:
		n.step(-1, now)
	case went.X < -far:
		n.step(1, now)
	case went.Y > far/3 || went.Y < -far/3:
		n.row(int(-went.Y / (far / 3)))
	}
}

// Scroll is a wheel: it zooms a plot about its end, and goes through a list.
func (n *Navigator) Scroll(at draw.Point, by float32, now time.Time) {
	n.touched = now
	if p := n.last.Plot; p != nil && p.Box.Holds(at) {
		n.zoom(by > 0)
		return
	}
	if by > 0 {
		n.row(-1)
	} else {
		n.row(1)
	}
}

// Key is a key press; the command is what the navigator cannot do itself, if there is any.
func (n *Navigator) Key(k Key, now time.Time) (Command, bool) {
	n.touched = now
	switch k {
	case KeyNext:
		n.step(1, now)
	case KeyPrevious:
		n.step(-1, now)
	case KeyUp, KeyDown:
		if n.last.Plot != nil {
			n.zoom(k == KeyUp)
		} else if k == KeyUp {
			n.row(-1)
		} else {
			n.row(1)
		}
	case KeyEarlier:
		n.change(func(v *View) { v.Back += span(*v) / 4 })
	case KeyLater:
		n.change(func(v *View) { v.Back = max(0, v.Back-span(*v)/4) })
	case KeyMenu:
		n.menu, n.focus = !n.menu, 0
	case KeyFocus, KeyFocusBack:
		all := len(n.spots())
		if all == 0 {
			n.menu = true
			break
		}
		by := 1
		if k == KeyFocusBack {
			by = all
		}
		n.focus = (n.focus + by) % (all + 1)
	case KeyDo:
		if all := n.spots(); n.focus > 0 && n.focus <= len(all) {
			return n.do(all[n.focus-1].Do, now)
		}
		n.menu = !n.menu
	}
	return Command{}, false
}

// Number goes to a page by its place in the menu, from 1 on.
func (n *Navigator) Number(i int, now time.Time) {
	n.touched = now
	if i >= 1 && i <= len(pages) {
		n.show(pages[i-1].Name, now)
		n.menu = false
	}
}

// step goes so many pages on in the order of the menu.
func (n *Navigator) step(by int, now time.Time) {
	at := slices.IndexFunc(pages, func(p Page) bool { return p.Name == n.Page().Name })
	n.show(pages[(at+by+len(pages))%len(pages)].Name, now)
}

func (n *Navigator) row(by int) {
	n.change(func(v *View) { v.Row = min(max(0, v.Row+by), n.last.LastRow) })
}

// zoom halves or doubles the span of a plot.
func (n *Navigator) zoom(closer bool) {
	n.change(func(v *View) {
		if closer {
			v.Span = max(shortestSpan, span(*v)/2)
		} else {
			v.Span = min(longestSpan, span(*v)*2)
		}
	})
}

// menu is the bar at the top from which every page can be reached.
func menu(in Input, g draw.Grid, current string) (shapes []draw.Shape, spots []Spot) {
	t := in.Style.Theme
	rows := 1
	if g.Portrait {
		rows = 2
	}
	margin := g.U(2)
	bar := draw.Box{W: g.Size.W, H: 2*margin + float32(rows)*g.U(9)}
	shapes = []draw.Shape{
		draw.Rect{Box: bar, Fill: t.Panel},
		draw.Rect{Box: draw.Box{Y: bar.Bottom() - max(1, g.U(0.2)), W: bar.W, H: max(1, g.U(0.2))}, Fill: t.Hairline},
	}
	each := (len(pages) + rows - 1) / rows
	i := 0
	for _, row := range bar.Inset(margin, margin).Rows(rows, g.U(1)) {
		for _, box := range row.Columns(each, g.U(1)) {
			if i == len(pages) {
				break
			}
			p := pages[i]
			i++
			fill, ink := t.Ground, t.Ink
			if p.Name == current {
				fill, ink = t.Ink, t.Ground
			}
			label := draw.Span{Text: in.Say(p.Title), Size: g.U(3.4), Weight: draw.SemiBold, Fill: ink}
			label = draw.Fit(label, box.W-g.U(2), draw.Smallest)
			shapes = append(shapes, draw.Rect{Box: box, Radius: g.U(1.2), Fill: fill, Stroke: t.Hairline, Width: max(1, g.U(0.15))})
			shapes = append(shapes, draw.Row(draw.At(box.Centre().X, draw.Baseline(box.Y, box.Bottom(), label.Size)), draw.Middle, label)...)
			spots = append(spots, Spot{Box: box, Label: label.Text, Do: Command{Page: p.Name}})
		}
	}
	return shapes, spots
}
