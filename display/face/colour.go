package face

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"
)

// The palette: a near-black ground, two inks, and four state colours, each of which always comes with a shape and a
// word of its own.
var (
	ground   = rgb(0x0b0d10)
	panel    = rgb(0x14181d)
	hairline = rgb(0x232a32)
	ink      = rgb(0xe8edf2)
	quietInk = rgb(0x8a95a3)
	green    = rgb(0x34d17a)
	amber    = rgb(0xffb020)
	red      = rgb(0xff3b30)
	blue     = rgb(0x4aa8ff)
	none     = color.NRGBA{}
)

// Ground is the colour behind every face.
func Ground() color.NRGBA { return ground }

// DefaultAccent is the colour of the digits while all is well.
const DefaultAccent = "#ff3b30"

func rgb(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xff}
}

// mix is a with the share t (0…1) of b.
func mix(a, b color.NRGBA, t float64) color.NRGBA {
	part := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + (float64(y)-float64(x))*t)) }
	return color.NRGBA{R: part(a.R, b.R), G: part(a.G, b.G), B: part(a.B, b.B), A: 0xff}
}

// ParseColour reads a colour written as #rrggbb.
func ParseColour(s string) (color.NRGBA, error) {
	if v, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 24); err == nil && len(s) == 7 && s[0] == '#' {
		return rgb(uint32(v)), nil
	}
	return none, fmt.Errorf("%q is not a colour; write for instance %q", s, DefaultAccent)
}

// Contrast is how far a colour stands out from the ground, 1 (not at all) to about 19 (white), by the formula of the
// Web Content Accessibility Guidelines 2.1.
func Contrast(c color.NRGBA) float64 { return (luminance(c) + 0.05) / (luminance(ground) + 0.05) }

func luminance(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}
