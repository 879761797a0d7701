package notify

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"sync"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"timestation/assets"
)

// The plot's size, and the frame that the values are drawn in, in pixels: twice what a mail shows, for sharp screens.
const (
	plotWidth, plotHeight   = 1440, 540
	frameLeft, frameRight   = 170, 1400
	frameTop, frameBottom   = 30, 470
	plotFontPixels          = 26
	longestGap              = 3 * historyEvery
	leastRangeSeconds       = 10e-9
	plotMargin              = 1.15
	lineWidth, hairlineSize = 4, 2
)

var (
	paper    = color.RGBA{0xff, 0xff, 0xff, 0xff}
	band     = color.RGBA{0xd6, 0xe6, 0xf7, 0xff}
	hairline = color.RGBA{0xd5, 0xdb, 0xe1, 0xff}
	ink      = color.RGBA{0x1a, 0x20, 0x26, 0xff}
	quietInk = color.RGBA{0x56, 0x62, 0x70, 0xff}
)

// plotFont is parsed once; a face of it serves one picture, for it is not safe for two at a time.
var plotFont = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(assets.InterRegular) })

// drawPlot draws the last hour as PNG: the offset of the followed source, and the station's bound around zero. The
// sentence says what it shows; both are empty while there is nothing to show.
func drawPlot(w words, points []Point) (picture []byte, sentence string, err error) {
	if len(points) < 2 {
		return nil, "", nil
	}
	parsed, err := plotFont()
	if err != nil {
		return nil, "", err
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: plotFontPixels, DPI: 72})
	if err != nil {
		return nil, "", err
	}
	greatest, bound := leastRangeSeconds, 0.0
	for _, p := range points {
		bound = max(bound, p.MaxErrorSeconds)
		if p.Followed {
			greatest = max(greatest, math.Abs(p.OffsetSeconds))
		}
	}
	greatest = max(greatest, bound) * plotMargin
	p := plot{picture: image.NewRGBA(image.Rect(0, 0, plotWidth, plotHeight)), face: face, greatest: greatest,
		from: points[0].At.Time(), to: points[len(points)-1].At.Time()}
	if !p.to.After(p.from) {
		return nil, "", nil
	}
	draw.Draw(p.picture, p.picture.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	p.bound(points)
	p.axes()
	p.offsets(points)
	var b bytes.Buffer
	if err := png.Encode(&b, p.picture); err != nil {
		return nil, "", err
	}
	return b.Bytes(), fmt.Sprintf(w.plot, inUnits(bound)), nil
}

// plot is a picture in the making.
type plot struct {
	picture  *image.RGBA
	face     font.Face
	from, to time.Time
	greatest float64 // seconds at the frame's upper edge
}

func (p *plot) x(at time.Time) float32 {
	return frameLeft + float32(float64(at.Sub(p.from))/float64(p.to.Sub(p.from)))*(frameRight-frameLeft)
}

func (p *plot) y(seconds float64) float32 {
	const middle, half = (frameTop + frameBottom) / 2, (frameBottom - frameTop) / 2
	return middle - float32(seconds/p.greatest)*half
}

// fill paints a polygon. Only the box around it is touched: a whole picture for each stroke takes a Pi a minute.
func (p *plot) fill(c color.Color, corners ...[2]float32) {
	left, top, right, bottom := float32(plotWidth), float32(plotHeight), float32(0), float32(0)
	for _, corner := range corners {
		left, right = min(left, corner[0]), max(right, corner[0])
		top, bottom = min(top, corner[1]), max(bottom, corner[1])
	}
	box := image.Rect(int(left), int(top), int(right)+1, int(bottom)+1).Intersect(p.picture.Bounds())
	r := vector.NewRasterizer(box.Dx(), box.Dy())
	for i, corner := range corners {
		x, y := corner[0]-float32(box.Min.X), corner[1]-float32(box.Min.Y)
		if i == 0 {
			r.MoveTo(x, y)
		} else {
			r.LineTo(x, y)
		}
	}
	r.ClosePath()
	r.Draw(p.picture, box, image.NewUniform(c), image.Point{})
}

// line paints a straight stroke.
func (p *plot) line(c color.Color, width, x1, y1, x2, y2 float32) {
	length := float32(math.Hypot(float64(x2-x1), float64(y2-y1)))
	if length == 0 {
		return
	}
	dx, dy := (x2-x1)/length*width/2, (y2-y1)/length*width/2
	p.fill(c, [2]float32{x1 - dx - dy, y1 - dy + dx}, [2]float32{x1 - dx + dy, y1 - dy - dx},
		[2]float32{x2 + dx + dy, y2 + dy - dx}, [2]float32{x2 + dx - dy, y2 + dy + dx})
}

// bound paints the bound around zero, as far as it is known: each stretch without a gap as one polygon.
func (p *plot) bound(points []Point) {
	for len(points) > 0 {
		n := 1
		for n < len(points) && points[n].At.Time().Sub(points[n-1].At.Time()) <= longestGap {
			n++
		}
		corners := make([][2]float32, 2*n)
		for i, point := range points[:n] {
			x := p.x(point.At.Time())
			corners[i] = [2]float32{x, p.y(point.MaxErrorSeconds)}
			corners[2*n-1-i] = [2]float32{x, p.y(-point.MaxErrorSeconds)}
		}
		p.fill(band, corners...)
		points = points[n:]
	}
}

// offsets joins the followed source's offsets.
func (p *plot) offsets(points []Point) {
	for i := range len(points) - 1 {
		a, b := points[i], points[i+1]
		if a.Followed && b.Followed && b.At.Time().Sub(a.At.Time()) <= longestGap {
			p.line(ink, lineWidth, p.x(a.At.Time()), p.y(a.OffsetSeconds), p.x(b.At.Time()), p.y(b.OffsetSeconds))
		}
	}
}

// axes draws the frame, zero, and what the ends are.
func (p *plot) axes() {
	half := p.greatest / plotMargin
	for _, v := range []float64{half, half / 2, 0, -half / 2, -half} {
		y := p.y(v)
		p.line(hairline, hairlineSize, frameLeft, y, frameRight, y)
		p.text(inUnits(v), frameLeft-14, y+plotFontPixels/3, 1)
	}
	const marks = 4
	for i := range marks + 1 {
		at := p.from.Add(p.to.Sub(p.from) * time.Duration(i) / marks)
		x := p.x(at)
		p.line(hairline, hairlineSize, x, frameTop, x, frameBottom)
		p.text(at.UTC().Format("15:04"), x, frameBottom+plotFontPixels+14, 0.5)
	}
	p.text("UTC", 40, frameBottom+plotFontPixels+14, 0)
}

// text writes a line whose share of its width lies left of x.
func (p *plot) text(text string, x, y, share float32) {
	d := font.Drawer{Dst: p.picture, Src: image.NewUniform(quietInk), Face: p.face}
	width := float32(d.MeasureString(text)) / 64
	d.Dot = fixed.P(int(x-share*width), int(y))
	d.DrawString(text)
}

// inUnits writes seconds with the unit that fits.
func inUnits(seconds float64) string {
	size := math.Abs(seconds)
	switch {
	case size == 0:
		return "0"
	case size >= 1:
		return fmt.Sprintf("%.3g s", seconds)
	case size >= 1e-3:
		return fmt.Sprintf("%.3g ms", seconds*1e3)
	case size >= 1e-6:
		return fmt.Sprintf("%.3g µs", seconds*1e6)
	}
	return fmt.Sprintf("%.3g ns", seconds*1e9)
}
