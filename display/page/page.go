// Package page shows what faces draw through Fyne. It needs no screen, and its tests none either; package window gives it
// one.
package page

import (
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"timestation/assets"
	"timestation/display/face"
)

// The embedded fonts, as Fyne wants them.
var (
	regular  = fyne.NewStaticResource("Inter-Regular.otf", assets.InterRegular)
	semiBold = fyne.NewStaticResource("Inter-SemiBold.otf", assets.InterSemiBold)
)

// Page shows what a face draws, as one Fyne widget. Between frames only what changed is touched. Its methods are for
// Fyne's own goroutine.
type Page struct {
	widget.BaseWidget
	face    face.Face
	frame   face.Frame
	drawn   bool
	shapes  []face.Shape
	objects []fyne.CanvasObject
}

// New makes a page that is empty until the first Draw.
func New(f face.Face) *Page {
	p := &Page{face: f}
	p.ExtendBaseWidget(p)
	return p
}

// Draw shows a frame; it reports whether anything on the page changed.
func (p *Page) Draw(f face.Frame) bool {
	p.frame, p.drawn = f, true
	changed := p.apply()
	if changed {
		canvas.Refresh(p)
	}
	return changed
}

// apply brings the canvas objects in line with what the face draws now.
func (p *Page) apply() (changed bool) {
	size := p.Size()
	if !p.drawn || size.Width < 1 || size.Height < 1 {
		return false
	}
	shapes := p.face(p.frame, face.Size{W: size.Width, H: size.Height})
	if len(shapes) != len(p.shapes) {
		changed = true
	}
	objects := make([]fyne.CanvasObject, len(shapes))
	for i, s := range shapes {
		if i < len(p.shapes) {
			if objects[i] = p.objects[i]; face.Same(s, p.shapes[i]) {
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
func place(s face.Shape, old fyne.CanvasObject) fyne.CanvasObject {
	switch s := s.(type) {
	case face.Circle:
		o, ok := old.(*canvas.Circle)
		if !ok {
			o = &canvas.Circle{}
		}
		o.FillColor = s.Fill
		set(o, s.Bounds())
		return o
	case face.Polygon:
		o, ok := old.(*canvas.ArbitraryPolygon)
		if !ok {
			o = &canvas.ArbitraryPolygon{}
		}
		box := s.Bounds()
		o.FillColor = s.Fill
		o.Points = make([]fyne.Position, len(s.Points))
		for i, p := range s.Points {
			o.Points[i] = fyne.NewPos(p.X-box.X, p.Y-box.Y)
		}
		set(o, box)
		return o
	case face.Rect:
		o, ok := old.(*canvas.Rectangle)
		if !ok {
			o = &canvas.Rectangle{}
		}
		o.FillColor, o.StrokeColor, o.StrokeWidth, o.CornerRadius = s.Fill, visible(s.Stroke), s.Width, s.Radius
		set(o, s.Box)
		return o
	case face.Text:
		o, ok := old.(*canvas.Text)
		if !ok {
			o = &canvas.Text{}
		}
		setText(o, s)
		return o
	}
	panic("page: a face drew an unknown shape")
}

func set(o fyne.CanvasObject, b face.Box) {
	o.Move(fyne.NewPos(b.X, b.Y))
	o.Resize(fyne.NewSize(b.W, b.H))
}

// setText measures a text as it will be rendered, kerning included, and puts it on whole pixels: a texture between two
// of them would be blurred.
func setText(o *canvas.Text, s face.Text) {
	o.FontSource = regular
	if s.Weight == face.SemiBold {
		o.FontSource = semiBold
	}
	o.Text, o.TextSize, o.Color = s.String, s.Size, s.Fill
	size, baseline := fyne.CurrentApp().Driver().RenderedTextSize(s.String, s.Size, fyne.TextStyle{}, o.FontSource)
	x := s.At.X
	switch s.Anchor {
	case face.Middle:
		x -= size.Width / 2
	case face.End:
		x -= size.Width
	}
	o.Move(fyne.NewPos(round(x), s.At.Y-float32(math.Ceil(float64(baseline)))))
	o.Resize(size)
}

func round(v float32) float32 { return float32(math.Round(float64(v))) }

// visible is nil for a colour that cannot be seen, which spares the painter an outline.
func visible(c color.NRGBA) color.Color {
	if c.A == 0 {
		return nil
	}
	return c
}

// Cursor implements desktop.Cursorable: a wall clock has no pointer.
func (p *Page) Cursor() desktop.Cursor { return desktop.HiddenCursor }

// CreateRenderer implements fyne.Widget.
func (p *Page) CreateRenderer() fyne.WidgetRenderer { return pageRenderer{p} }

type pageRenderer struct{ page *Page }

// Objects leaves out the ground where the window is of that colour anyway; see [Theme].
func (r pageRenderer) Objects() []fyne.CanvasObject {
	objects := r.page.objects
	if len(objects) > 0 && theme.Color(theme.ColorNameBackground) == color.Color(face.Ground()) {
		return objects[1:]
	}
	return objects
}

// Layout draws the last frame for the new size.
func (r pageRenderer) Layout(fyne.Size)   { r.page.apply() }
func (r pageRenderer) MinSize() fyne.Size { return fyne.NewSize(160, 120) }
func (r pageRenderer) Refresh()           { r.page.apply(); canvas.Refresh(r.page) }
func (r pageRenderer) Destroy()           {}
