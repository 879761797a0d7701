// Package page shows shapes through Fyne. It needs no screen, and its tests none either; package window gives it one.
package page

import (
	"image"
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"timestation/assets"
	"timestation/display/draw"
)

// The embedded fonts, as Fyne wants them.
var (
	regular  = fyne.NewStaticResource("Inter-Regular.otf", assets.InterRegular)
	semiBold = fyne.NewStaticResource("Inter-SemiBold.otf", assets.InterSemiBold)
)

// Drawing gives the shapes of a picture of a size, in pixels; the first of them covers all of it.
type Drawing func(size draw.Size) []draw.Shape

// Hand is what somebody's hand does to a page; places are in pixels. A nil function ignores it.
type Hand struct {
	// Tap is a click or a touch.
	Tap func(at draw.Point)
	// Drag is a movement while pressed, by so many pixels since the last; DragEnd is its end.
	Drag    func(at, by draw.Point)
	DragEnd func()
	// Scroll is the wheel, positive away from the user.
	Scroll func(at draw.Point, by float32)
}

// Page shows a drawing, as one Fyne widget. Between drawings only what changed is touched. Its methods are for Fyne's own
// goroutine.
type Page struct {
	widget.BaseWidget
	// Typed takes the keys while the page has the focus; nil ignores them.
	Typed   func(*fyne.KeyEvent)
	hand    Hand
	drawing Drawing
	shapes  []draw.Shape
	objects []fyne.CanvasObject
}

// New makes a page that is empty until the first Draw.
func New(h Hand) *Page {
	p := &Page{hand: h}
	p.ExtendBaseWidget(p)
	return p
}

// Draw shows a drawing; it reports whether anything on the page changed.
func (p *Page) Draw(d Drawing) bool {
	p.drawing = d
	changed := p.apply()
	if changed {
		canvas.Refresh(p)
	}
	return changed
}

// Paint makes a picture of shapes without a screen.
func Paint(shapes []draw.Shape, size draw.Size) image.Image {
	p := New(Hand{})
	c := software.NewCanvas()
	c.SetPadded(false)
	c.SetContent(p)
	c.Resize(fyne.NewSize(size.W, size.H))
	p.Draw(func(draw.Size) []draw.Shape { return shapes })
	return c.Capture()
}

// apply brings the canvas objects in line with what is drawn now.
func (p *Page) apply() (changed bool) {
	size := p.Size()
	if p.drawing == nil || size.Width < 1 || size.Height < 1 {
		return false
	}
	shapes := p.drawing(draw.Size{W: size.Width, H: size.Height})
	if len(shapes) != len(p.shapes) {
		changed = true
	}
	objects := make([]fyne.CanvasObject, len(shapes))
	for i, s := range shapes {
		if i < len(p.shapes) {
			if objects[i] = p.objects[i]; draw.Same(s, p.shapes[i]) {
				continue
			}
		}
		changed = true
		objects[i] = place(s, objects[i])
	}
	p.shapes, p.objects = shapes, objects
	return changed
}

// place puts a shape on the canvas, into the object that stood in its place if that is of its kind.
func place(s draw.Shape, old fyne.CanvasObject) fyne.CanvasObject {
	switch s := s.(type) {
	case draw.Circle:
		o, ok := old.(*canvas.Circle)
		if !ok {
			o = &canvas.Circle{}
		}
		o.FillColor, o.StrokeColor, o.StrokeWidth = s.Fill, visible(s.Stroke), s.Width
		set(o, s.Bounds())
		return o
	case draw.Polygon:
		o, ok := old.(*canvas.ArbitraryPolygon)
		if !ok {
			o = &canvas.ArbitraryPolygon{}
		}
		box := s.Bounds()
		o.FillColor = s.Fill
		o.Points = corners(s.Points, box)
		set(o, box)
		return o
	case draw.Rect:
		o, ok := old.(*canvas.Rectangle)
		if !ok {
			o = &canvas.Rectangle{}
		}
		o.FillColor, o.StrokeColor, o.StrokeWidth, o.CornerRadius = s.Fill, visible(s.Stroke), s.Width, s.Radius
		set(o, s.Box)
		return o
	case draw.Line:
		o, ok := old.(*canvas.Line)
		if !ok {
			o = &canvas.Line{}
		}
		o.StrokeColor, o.StrokeWidth = s.Stroke, s.Width
		o.Position1, o.Position2 = fyne.NewPos(s.From.X, s.From.Y), fyne.NewPos(s.To.X, s.To.Y)
		return o
	case draw.Image:
		// Fyne remembers the pixels of an image by the object: another picture is another object.
		o := canvas.NewImageFromImage(s.Pixels())
		o.FillMode, o.ScaleMode = canvas.ImageFillStretch, canvas.ImageScaleFastest
		set(o, s.Box)
		return o
	case draw.Text:
		o, ok := old.(*canvas.Text)
		if !ok {
			o = &canvas.Text{}
		}
		setText(o, s)
		return o
	}
	panic("page: an unknown shape was drawn")
}

// corners are the corners of a polygon within its box, on whole pixels, to which Fyne would round them anyway. Where two of
// them meet there, one is enough: the shader cannot do with an edge of no length.
func corners(points []draw.Point, box draw.Box) []fyne.Position {
	var out []fyne.Position
	for _, p := range points {
		at := fyne.NewPos(draw.Round(p.X-box.X), draw.Round(p.Y-box.Y))
		if len(out) == 0 || out[len(out)-1] != at {
			out = append(out, at)
		}
	}
	for len(out) > 1 && out[len(out)-1] == out[0] {
		out = out[:len(out)-1]
	}
	return out
}

func set(o fyne.CanvasObject, b draw.Box) {
	o.Move(fyne.NewPos(b.X, b.Y))
	o.Resize(fyne.NewSize(b.W, b.H))
}

// setText measures a text as it will be rendered, kerning included, and puts it on whole pixels: a texture between two
// of them would be blurred.
func setText(o *canvas.Text, s draw.Text) {
	o.FontSource = regular
	if s.Weight == draw.SemiBold {
		o.FontSource = semiBold
	}
	o.Text, o.TextSize, o.Color = s.String, s.Size, s.Fill
	size, baseline := fyne.CurrentApp().Driver().RenderedTextSize(s.String, s.Size, fyne.TextStyle{}, o.FontSource)
	x := s.At.X
	switch s.Anchor {
	case draw.Middle:
		x -= size.Width / 2
	case draw.End:
		x -= size.Width
	}
	o.Move(fyne.NewPos(draw.Round(x), s.At.Y-float32(math.Ceil(float64(baseline)))))
	o.Resize(size)
}

// visible is nil for a colour that cannot be seen, which spares the painter an outline.
func visible(c color.NRGBA) color.Color {
	if c.A == 0 {
		return nil
	}
	return c
}

// Cursor implements desktop.Cursorable: a wall clock has no pointer.
func (p *Page) Cursor() desktop.Cursor { return desktop.HiddenCursor }

// Tapped implements fyne.Tappable.
func (p *Page) Tapped(e *fyne.PointEvent) {
	if p.hand.Tap != nil {
		p.hand.Tap(draw.At(e.Position.X, e.Position.Y))
	}
}

// Dragged implements fyne.Draggable.
func (p *Page) Dragged(e *fyne.DragEvent) {
	if p.hand.Drag != nil {
		p.hand.Drag(draw.At(e.Position.X, e.Position.Y), draw.At(e.Dragged.DX, e.Dragged.DY))
	}
}

// DragEnd implements fyne.Draggable.
func (p *Page) DragEnd() {
	if p.hand.DragEnd != nil {
		p.hand.DragEnd()
	}
}

// Scrolled implements fyne.Scrollable.
func (p *Page) Scrolled(e *fyne.ScrollEvent) {
	if p.hand.Scroll != nil {
		p.hand.Scroll(draw.At(e.Position.X, e.Position.Y), e.Scrolled.DY)
	}
}

// FocusGained implements fyne.Focusable.
func (p *Page) FocusGained() {}

// FocusLost implements fyne.Focusable.
func (p *Page) FocusLost() {}

// TypedRune implements fyne.Focusable; keys say enough.
func (p *Page) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (p *Page) TypedKey(e *fyne.KeyEvent) {
	if p.Typed != nil {
		p.Typed(e)
	}
}

// AcceptsTab implements fyne.Tabbable: the page goes through its places by itself.
func (p *Page) AcceptsTab() bool { return true }

// CreateRenderer implements fyne.Widget.
func (p *Page) CreateRenderer() fyne.WidgetRenderer { return pageRenderer{p} }

type pageRenderer struct{ page *Page }

// Objects leaves out the ground where the window is of that colour anyway; see [Theme].
func (r pageRenderer) Objects() []fyne.CanvasObject {
	objects := r.page.objects
	if len(objects) == 0 {
		return objects
	}
	ground, ok := r.page.shapes[0].(draw.Rect)
	if ok && theme.Color(theme.ColorNameBackground) == color.Color(ground.Fill) {
		return objects[1:]
	}
	return objects
}

// Layout draws the last picture for the new size.
func (r pageRenderer) Layout(fyne.Size)   { r.page.apply() }
func (r pageRenderer) MinSize() fyne.Size { return fyne.NewSize(160, 120) }
func (r pageRenderer) Refresh()           { r.page.apply(); canvas.Refresh(r.page) }
func (r pageRenderer) Destroy()           {}
