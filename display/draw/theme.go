package draw

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"
)

// Theme is all the colours there are: a ground, two inks, an accent for the digits and four state colours, each of which
// always comes with a shape and a word of its own.
type Theme struct {
	// Ground is behind everything, Panel behind what belongs together, Hairline parts things.
	Ground, Panel, Hairline color.NRGBA
	// Ink is for what matters, Quiet for what explains it.
	Ink, Quiet color.NRGBA
	// Accent is the colour of the digits while the time is synchronised.
	Accent color.NRGBA
	// Good, Warn, Bad and Info are the states.
	Good, Warn, Bad, Info color.NRGBA
	// Light tells that the ground is brighter than the ink.
	Light bool
}

// Dark is the theme of a studio at work.
var Dark = Theme{
	Ground: rgb(0x0b0d10), Panel: rgb(0x14181d), Hairline: rgb(0x232a32), Ink: rgb(0xe8edf2), Quiet: rgb(0x8a95a3),
	Accent: rgb(0xff3b30), Good: rgb(0x34d17a), Warn: rgb(0xffb020), Bad: rgb(0xff3b30), Info: rgb(0x4aa8ff),
}

// Light is the theme of a bright room.
var Light = Theme{
	Ground: rgb(0xf4f6f8), Panel: rgb(0xffffff), Hairline: rgb(0xd4dae1), Ink: rgb(0x12161b), Quiet: rgb(0x55616e),
	Accent: rgb(0xc4161c), Good: rgb(0x0b7a3e), Warn: rgb(0x9a5b00), Bad: rgb(0xc4161c), Info: rgb(0x0a63b8), Light: true,
}

// Clear is no colour at all.
var Clear = color.NRGBA{}

// On is the ink that can be read on an area of a colour: white, unless it would be too faint for large text, else nearly
// black.
func On(fill color.NRGBA) color.NRGBA {
	if white := rgb(0xffffff); Contrast(white, fill) >= 3 {
		return white
	}
	return Dark.Ground
}

// Tint is the ground with a breath of a colour: the area behind a text of that colour.
func (t Theme) Tint(c color.NRGBA) color.NRGBA { return Mix(t.Ground, c, 0.14) }

// Faint is a colour as an unlit lamp of it looks.
func (t Theme) Faint(c color.NRGBA) color.NRGBA { return Mix(t.Ground, c, 0.10) }

func rgb(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xff}
}

// Mix is a with the share t (0…1) of b.
func Mix(a, b color.NRGBA, t float64) color.NRGBA {
	part := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + (float64(y)-float64(x))*t)) }
	return color.NRGBA{R: part(a.R, b.R), G: part(a.G, b.G), B: part(a.B, b.B), A: 0xff}
}

// ParseColour reads a colour written as #rrggbb.
func ParseColour(s string) (color.NRGBA, error) {
	if v, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 24); err == nil && len(s) == 7 && s[0] == '#' {
		return rgb(uint32(v)), nil
	}
	return Clear, fmt.Errorf("%q is not a colour; write for instance %q", s, Hex(Dark.Accent))
}

// Hex is a colour as #rrggbb, and "none" where there is none.
func Hex(c color.NRGBA) string {
	if c.A == 0 {
		return "none"
	}
	return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
}

// Contrast is how far two colours stand out from each other, 1 (not at all) to 21, by the formula of the Web Content
// Accessibility Guidelines 2.1.
func Contrast(a, b color.NRGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

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
