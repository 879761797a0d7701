package page

import (
	"errors"
	"image"
	"image/draw"
	"slices"
	"testing"

	"fyne.io/fyne/v2"

	"timestation/display/readback"
	"timestation/refclock"
)

// levels is how far a colour of a pixel may be off, of 255: processors round differently.
const levels = 2

// differences counts the pixels of two pictures of one size that are more than so many levels apart.
func differences(a, b image.Image, levels uint8) int {
	p, q := pixels(a), pixels(b)
	n := 0
	for i := 0; i < len(p); i += 4 {
		for j := i; j < i+3; j++ {
			if max(p[j], q[j])-min(p[j], q[j]) > levels {
				n++
				break
			}
		}
	}
	return n
}

// pixels gives a picture as red, green, blue, alpha.
func pixels(img image.Image) []uint8 {
	out := image.NewNRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	return out.Pix
}

// named finds a scene.
func named(t *testing.T, name string) scene {
	t.Helper()
	for _, sc := range scenes {
		if sc.name == name {
			return sc
		}
	}
	t.Fatalf("there is no scene %s", name)
	return scene{}
}

// TestPageChangesOnlyWhatChanged: the page must come from one frame to the next with the objects it has, and look as if it
// had been drawn afresh.
func TestPageChangesOnlyWhatChanged(t *testing.T) {
	const width, height = 800, 480
	p := New(Hand{})
	c := canvasOf(p, width, height)
	for _, name := range []string{"led", "alert", "holdover", "analogue", "unsynchronised", "never", "led"} {
		sc := named(t, name)
		if !p.Draw(sc.drawing(t)) {
			t.Errorf("%s: nothing changed", name)
		}
		if p.Draw(sc.drawing(t)) {
			t.Errorf("%s: the same frame changed something", name)
		}
		same(t, name, c.Capture(), sc.render(t, width, height))
	}
	sc := named(t, "led-idle")
	p.Draw(sc.drawing(t))
	objects := p.objects
	sc.at = refclock.Date(2026, 11, 22, 13, 8, 38, 0)
	p.Draw(sc.drawing(t))
	if !slices.Equal(objects, p.objects) {
		t.Error("one second later some of the objects are new")
	}
	same(t, "one second later", c.Capture(), sc.render(t, width, height))
}

func same(t *testing.T, what string, a, b image.Image) {
	t.Helper()
	if n := differences(a, b, levels); n > 0 {
		t.Errorf("%s: %d pixels are not what a new page shows", what, n)
	}
}

// TestPageFollowsTheWindow: a new size is drawn at once, not a second later.
func TestPageFollowsTheWindow(t *testing.T) {
	sc := scenes[0]
	p := New(Hand{})
	c := canvasOf(p, 640, 400)
	p.Draw(sc.drawing(t))
	c.Resize(fyne.NewSize(1024, 600))
	same(t, "resized", c.Capture(), sc.render(t, 1024, 600))
}

// TestDashesAreNotATime: what reads the wall must not take a station without time, or a blank screen, for midnight.
func TestDashesAreNotATime(t *testing.T) {
	for _, name := range []string{"never", "digital-never"} {
		sc := named(t, name)
		if _, _, _, err := readback.Read(sc.render(t, 800, 480), sc.face()); !errors.Is(err, readback.ErrNoTime) {
			t.Errorf("dashes are read as %v", err)
		}
	}
	for _, name := range []string{"led", "digital", "analogue"} {
		if _, _, _, err := readback.Read(image.NewNRGBA(image.Rect(0, 0, 800, 480)), name); err == nil {
			t.Errorf("%s: a time is read from a blank screen", name)
		}
	}
}
