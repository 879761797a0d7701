package readback

import (
	"image"
	"image/color"
	imagedraw "image/draw"
	"math"
	"testing"
	"time"

	"golang.org/x/image/vector"

	"timestation/display"
	"timestation/display/draw"
	"timestation/display/face"
	"timestation/display/panel"
	"timestation/engine/status"
	"timestation/refclock"
)

// paint draws circles, polygons and rectangles; text is left out.
func paint(shapes []draw.Shape, size draw.Size) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, int(size.W), int(size.H)))
	for _, s := range shapes {
		box := s.Bounds()
		// Only as large as the shape: that is the work of it.
		area := image.Rect(int(box.X), int(box.Y), int(box.Right())+1, int(box.Bottom())+1).Intersect(img.Rect)
		x, y := float32(area.Min.X), float32(area.Min.Y)
		r := vector.NewRasterizer(area.Dx(), area.Dy())
		var fill color.NRGBA
		switch s := s.(type) {
		case draw.Circle:
			fill = s.Fill
			for n := range 48 {
				sin, cos := math.Sincos(2 * math.Pi * float64(n) / 48)
				px, py := s.Centre.X+s.Radius*float32(cos)-x, s.Centre.Y+s.Radius*float32(sin)-y
				if n == 0 {
					r.MoveTo(px, py)
				} else {
					r.LineTo(px, py)
				}
			}
		case draw.Polygon:
			fill = s.Fill
			r.MoveTo(s.Points[0].X-x, s.Points[0].Y-y)
			for _, p := range s.Points[1:] {
				r.LineTo(p.X-x, p.Y-y)
			}
		case draw.Rect:
			imagedraw.Draw(img, area, image.NewUniform(s.Fill), image.Point{}, imagedraw.Over)
			continue
		default:
			continue
		}
		r.ClosePath()
		r.Draw(img, area, image.NewUniform(fill), image.Point{})
	}
	return img
}

// TestHandsAreReadAtAnyTime: the hands hide each other at some times of the day, and are read all the same.
func TestHandsAreReadAtAnyTime(t *testing.T) {
	size := draw.Size{W: 800, H: 480}
	studio, _ := panel.Named("studio")
	cfg := display.DefaultConfig()
	cfg.Face = "analogue"
	style := cfg.Style()
	for n := range 60 {
		second := n * 8693 % 43200 // spread over half a day
		now := refclock.Date(2026, 11, 22, second/3600, second/60%60, second%60, 0).Instant(37)
		s := &status.Status{EpochInstant: now, State: status.Synchronised, MaxError: time.Millisecond}
		f := face.At(s, now, time.UTC, "", style)
		h, m, sec, err := Read(paint(studio.Picture(panel.Input{Frame: f}, size).Shapes, size), "analogue")
		if err != nil || h != second/3600 || m != second/60%60 || sec != second%60 {
			t.Errorf("%02d:%02d:%02d is read as %02d:%02d:%02d (%v)", second/3600, second/60%60, second%60, h, m, sec, err)
		}
	}
}
