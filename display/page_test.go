package display

import (
	"image"
	"image/color"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"timestation/display/face"
)

// far reports whether two pixels differ by more than the tolerance in any of the three colours.
func far(a, b color.Color) bool {
	ar, ag, ab, _ := a.RGBA()
	br, bg, bb, _ := b.RGBA()
	off := func(x, y uint32) bool { return max(x, y)>>8-min(x, y)>>8 > levels }
	return off(ar, br) || off(ag, bg) || off(ab, bb)
}

// TestPageChangesOnlyWhatChanged: the page must come from one frame to the next with the objects it has, and look as if it
// had been drawn afresh.
func TestPageChangesOnlyWhatChanged(t *testing.T) {
	const width, height = 800, 480
	p := NewPage(face.LED)
	c := canvasOf(p, width, height)
	for _, name := range []string{"synchronised", "alert", "holdover", "unsynchronised", "never", "synchronised"} {
		for _, sc := range scenes {
			if sc.name != name {
				continue
			}
			f := sc.frame(t)
			if !p.Draw(f) {
				t.Errorf("%s: nothing changed", name)
			}
			if p.Draw(f) {
				t.Errorf("%s: the same frame changed something", name)
			}
			same(t, name, c.Capture(), render(f, width, height))
		}
	}
	f := scenes[0].frame(t)
	objects := p.objects
	next := face.At(f.Status, f.Second.Add(time.Second), f.Location, f.Name, f.Style)
	p.Draw(next)
	if !slices.Equal(objects, p.objects) {
		t.Error("one second later some of the objects are new")
	}
	same(t, "one second later", c.Capture(), render(next, width, height))
}

func same(t *testing.T, what string, a, b image.Image) {
	t.Helper()
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if far(a.At(x, y), b.At(x, y)) {
				t.Fatalf("%s: pixel %d,%d is not what a new page shows", what, x, y)
			}
		}
	}
}

// TestPageFollowsTheWindow: a new size is drawn at once, not a second later.
func TestPageFollowsTheWindow(t *testing.T) {
	f := scenes[0].frame(t)
	p := NewPage(face.LED)
	c := canvasOf(p, 640, 400)
	p.Draw(f)
	c.Resize(fyne.NewSize(1024, 600))
	same(t, "resized", c.Capture(), render(f, 1024, 600))
}
