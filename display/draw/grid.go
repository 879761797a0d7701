package draw

import "math"

// Grid is the measure of a page: its unit is a hundredth of the smaller side, so that a page looks the same on a 7-inch
// panel and on a television.
type Grid struct {
	// Unit is in pixels.
	Unit float32
	Size Size
	// Portrait pages have their parts below one another rather than side by side.
	Portrait bool
}

// NewGrid is the grid of a drawing area.
func NewGrid(size Size) Grid {
	// Up to a little higher than wide, words beside the clock leave it larger than words below it.
	const upright = 1.3
	return Grid{Unit: min(size.W, size.H) / 100, Size: size, Portrait: size.H > upright*size.W}
}

// U is a length of so many units, in whole pixels.
func (g Grid) U(units float32) float32 { return Round(units * g.Unit) }

// Round is the nearest whole number of pixels.
func Round(v float32) float32 { return float32(math.Round(float64(v))) }

// Even is the nearest even number of whole pixels, and at least 2: what has a middle on the grid.
func Even(v float32) float32 { return max(2, 2*Round(v/2)) }
