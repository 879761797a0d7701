package page

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	_ "time/tzdata"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"timestation/display/draw"
	"timestation/display/readback"
)

var (
	update   = flag.Bool("update", false, "write the golden images anew")
	pictures = flag.String("pictures", "", "write the pictures of the scenes in full colour, and of screens of all shapes, into this folder")
)

func TestMain(m *testing.M) {
	flag.Parse()
	test.NewApp().Settings().SetTheme(Theme(draw.Dark.Ground))
	os.Exit(m.Run())
}

// canvasOf shows a page in memory.
func canvasOf(p *Page, width, height int) software.WindowlessCanvas {
	c := software.NewCanvas()
	c.SetPadded(false)
	c.SetContent(p)
	c.Resize(fyne.NewSize(float32(width), float32(height)))
	return c
}

// render shows a drawing as the window would.
func render(d Drawing, width, height int) image.Image {
	p := New(Hand{})
	c := canvasOf(p, width, height)
	p.Draw(d)
	return c.Capture()
}

// render shows the scene.
func (sc scene) render(t testing.TB, width, height int) image.Image {
	t.Helper()
	return render(sc.drawing(t), width, height)
}

// TestGolden holds every scene against stored pictures, and reads the digits back. Pictures of the largest screens are
// stored at a quarter of their size.
func TestGolden(t *testing.T) {
	for _, sc := range scenes {
		sizes := []image.Point{{800, 480}}
		if sc.tall {
			sizes = append(sizes, image.Pt(480, 800))
		}
		if sc.large {
			sizes = append(sizes, image.Pt(1920, 1080), image.Pt(3840, 2160))
		}
		for _, size := range sizes {
			name := fmt.Sprintf("%s-%dx%d", sc.name, size.X, size.Y)
			t.Run(name, func(t *testing.T) {
				img := sc.render(t, size.X, size.Y)
				stored := img
				if size.X > 2000 {
					stored = quarter(img)
				}
				compare(t, filepath.Join("testdata", name+".png"), stored)
				if sc.read == "" {
					return
				}
				h, m, s, err := readback.Read(img, sc.face())
				if got := fmt.Sprintf("%02d:%02d:%02d", h, m, s); err != nil || got != sc.read {
					t.Errorf("the clock reads %s (%v), want %s", got, err, sc.read)
				}
			})
		}
	}
}

// TestPictures paints each scene on screens of all shapes; with -pictures it leaves them for somebody to look at.
func TestPictures(t *testing.T) {
	if *pictures == "" {
		return
	}
	for _, sc := range scenes {
		t.Run(sc.name, func(t *testing.T) {
			for _, size := range []image.Point{{800, 480}, {1280, 1024}, {1920, 1080}, {1080, 1920}, {3840, 2160}} {
				if size.X > 2000 && !sc.large {
					continue
				}
				out, err := os.Create(filepath.Join(*pictures, fmt.Sprintf("%s-%dx%d.png", sc.name, size.X, size.Y)))
				if err != nil {
					t.Fatal(err)
				}
				encoder := png.Encoder{CompressionLevel: png.BestSpeed}
				if err := errors.Join(encoder.Encode(out, sc.render(t, size.X, size.Y)), out.Close()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// quarter is a picture at a quarter of its width and height.
func quarter(img image.Image) image.Image {
	const by = 4
	from, size := pixels(img), img.Bounds().Size()
	out := image.NewNRGBA(image.Rect(0, 0, size.X/by, size.Y/by))
	for i := range out.Pix {
		x, y, c := i/4%out.Rect.Dx()*by, i/4/out.Rect.Dx()*by, i%4
		sum := 0
		for j := range by * by {
			sum += int(from[4*((y+j/by)*size.X+x+j%by)+c])
		}
		out.Pix[i] = uint8(sum / (by * by))
	}
	return out
}

// few is a picture in 256 colours at most, each as near as a step of colourStep to the true one: a stored picture needs
// half of the room.
func few(img image.Image) image.Image {
	from, size := pixels(img), img.Bounds().Size()
	for step := colourStep; ; step *= 2 {
		out := image.NewPaletted(image.Rectangle{Max: size}, nil)
		index := map[color.NRGBA]uint8{}
		for i := 0; i < len(from) && len(out.Palette) <= 256; i += 4 {
			near := func(v uint8) uint8 { return uint8(min(255, (int(v)+step/2)/step*step)) }
			c := color.NRGBA{near(from[i]), near(from[i+1]), near(from[i+2]), 0xff}
			n, ok := index[c]
			if !ok {
				n = uint8(len(out.Palette))
				index[c] = n
				out.Palette = append(out.Palette, c)
			}
			out.Pix[i/4] = n
		}
		if len(out.Palette) <= 256 {
			return out
		}
		if step >= mostColourStep {
			return img // a map has too many of them
		}
	}
}

// colourStep and mostColourStep are how far the colours of a stored picture are apart, of 255.
const colourStep, mostColourStep = 8, 16

// perThousand is how many pixels of a thousand may differ: processors round differently.
const perThousand = 1

func compare(t *testing.T, file string, got image.Image) {
	t.Helper()
	if *update {
		var b bytes.Buffer
		encoder := png.Encoder{CompressionLevel: png.BestCompression}
		if err := encoder.Encode(&b, few(got)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	defer in.Close()
	want, err := png.Decode(in)
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds().Size() != want.Bounds().Size() {
		t.Fatalf("%v pixels, want %v", got.Bounds().Size(), want.Bounds().Size())
	}
	different, area := differences(got, want, levels+mostColourStep/2), want.Bounds().Dx()*want.Bounds().Dy()
	if different*1000 > area*perThousand {
		actual := filepath.Join(os.TempDir(), "timestation-"+filepath.Base(file))
		if out, err := os.Create(actual); err == nil {
			_ = png.Encode(out, got)
			out.Close()
		}
		t.Errorf("%d of %d pixels differ; look at %s, and write %s anew with -update if it is better", different, area, actual, file)
	}
}
