package panel

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"sync"
	"time"

	"timestation/assets"
	"timestation/display/draw"
)

// The part of the world on the map, in degrees: what lies beyond has no radio amateurs to speak of.
const (
	mapNorth, mapSouth = 84, -58
	// mapShape is the width of the map in heights.
	mapShape = 360.0 / (mapNorth - mapSouth)
	// twilight is how far below the horizon the sun gives some light, in degrees: nautical twilight.
	twilight = 12
	// greyLine is how broad the line between day and night is drawn, 1σ in degrees of the sun's altitude.
	greyLine = 0.7
)

// land is how much of each pixel of the world is land.
var land = sync.OnceValue(func() *image.Gray {
	world, err := png.Decode(bytes.NewReader(assets.Land))
	if err != nil {
		panic(err) // it is embedded
	}
	gray := image.NewGray(world.Bounds())
	for y := range gray.Rect.Dy() {
		for x := range gray.Rect.Dx() {
			gray.Set(x, y, world.At(x, y))
		}
	}
	return gray
})

// world draws the map with day and night at a moment, which is not known if it is zero.
func world(t draw.Theme, box draw.Box, now time.Time) draw.Shape {
	// The sun moves by a quarter of a degree in a minute, about a pixel.
	now = now.Truncate(time.Minute)
	return draw.Image{Box: box, Key: fmt.Sprintf("world %d %v", now.Unix(), t.Light), Pixels: func() *image.NRGBA {
		return paintWorld(t, int(box.W), int(box.H), now)
	}}
}

// shades is how many altitudes of the sun have a colour of their own.
const shades = 2048

// worldColours are those of sea and land, by the sine of the sun's altitude from -1 to 1.
func worldColours(t draw.Theme, known bool) (colours [shades + 1][2]color.NRGBA) {
	day := [2]color.NRGBA{draw.Mix(t.Ground, t.Info, 0.24), draw.Mix(t.Ground, t.Quiet, 0.72)}
	night := [2]color.NRGBA{draw.Mix(t.Ground, t.Info, 0.07), draw.Mix(t.Ground, t.Quiet, 0.26)}
	if t.Light {
		day = [2]color.NRGBA{draw.Mix(t.Panel, t.Info, 0.16), draw.Mix(t.Panel, t.Quiet, 0.42)}
		night = [2]color.NRGBA{draw.Mix(t.Quiet, t.Ink, 0.75), draw.Mix(t.Quiet, t.Ink, 0.35)}
	}
	for i := range colours {
		height := math.Asin(2*float64(i)/shades-1) / degree
		light := min(max(1+height/twilight, 0), 1)
		for ground := range day {
			c := day[ground]
			if known {
				c = draw.Mix(draw.Mix(night[ground], c, light*light), t.Warn, 0.75*math.Exp(-height*height/(2*greyLine*greyLine)))
			}
			colours[i][ground] = c
		}
	}
	return colours
}

// paintWorld paints the map w × h pixels large. It is quick, for all other painting waits for it.
func paintWorld(t draw.Theme, w, h int, now time.Time) *image.NRGBA {
	all, out := land(), image.NewNRGBA(image.Rect(0, 0, w, h))
	colours := worldColours(t, !now.IsZero())
	sun := overhead(now)
	sinSun, cosSun := math.Sincos(sun.lat * degree)
	perDegree := float64(all.Rect.Dx()) / 360
	// Where each column lies: between which pixels of the land, and what it adds to the sine of the sun's altitude.
	type column struct {
		at, next int
		share    float64
		towards  float64
	}
	columns := make([]column, w)
	for x := range columns {
		lon := (float64(x)+0.5)/float64(w)*360 - 180
		left := math.Max((lon+180)*perDegree-0.5, 0)
		c := column{at: int(left), towards: cosSun * math.Cos((lon-sun.lon)*degree)}
		c.share, c.next = left-float64(c.at), min(c.at+1, all.Rect.Dx()-1)
		columns[x] = c
	}
	for y := range h {
		lat := mapNorth - (float64(y)+0.5)/float64(h)*(mapNorth-mapSouth)
		sine, cosine := math.Sincos(lat * degree)
		top := (90-lat)*perDegree - 0.5
		upper, lower := all.Pix[int(top)*all.Stride:], all.Pix[(int(top)+1)*all.Stride:]
		below := top - math.Floor(top)
		for x, c := range columns {
			shade := colours[int((min(max(sine*sinSun+cosine*c.towards, -1), 1)+1)/2*shades+0.5)]
			a := float64(upper[c.at])*(1-c.share) + float64(upper[c.next])*c.share
			b := float64(lower[c.at])*(1-c.share) + float64(lower[c.next])*c.share
			switch ground := a*(1-below) + b*below; ground {
			case 0:
				setPixel(out, x, y, shade[0])
			case 255:
				setPixel(out, x, y, shade[1])
			default:
				setPixel(out, x, y, draw.Mix(shade[0], shade[1], ground/255))
			}
		}
	}
	return out
}

func setPixel(img *image.NRGBA, x, y int, c color.NRGBA) {
	i := img.PixOffset(x, y)
	img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = c.R, c.G, c.B, c.A
}

// onMap is where a place stands on the map.
func onMap(box draw.Box, at place) draw.Point {
	lat := min(max(at.lat, mapSouth), mapNorth)
	return draw.At(draw.Round(box.X+box.W*float32((at.lon+180)/360)),
		draw.Round(box.Y+box.H*float32((mapNorth-lat)/(mapNorth-mapSouth))))
}
