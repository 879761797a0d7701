package face

// grid places the parts of a clock page. Its unit is a hundredth of the smaller side, so that a page looks the same on a
// 7-inch panel and on a television.
type grid struct {
	unit     float32
	size     Size
	portrait bool
	// ring is the square of the clock itself, info the words beside or below it, alert the foot of info, and strip the
	// trust strip, which has the same place on every page.
	ring, info, alert, strip Box
}

func newGrid(size Size) grid {
	// Up to a little higher than wide, words beside the clock leave it larger than words below it.
	const upright = 1.3
	g := grid{unit: min(size.W, size.H) / 100, size: size, portrait: size.H > upright*size.W}
	g.strip = stripBox(g)
	margin, top := g.u(4.4), g.u(2.8)
	main := g.strip.Y
	if g.portrait {
		side := even(min(size.W-2*g.u(4), main-g.u(60)))
		g.ring = Box{round((size.W - side) / 2), g.u(4), side, side}
		g.alert = Box{margin, 0, size.W - 2*margin, g.u(15)}
		g.alert.Y = main - g.u(2.6) - g.alert.H
		y := g.ring.Bottom() + g.u(1.4)
		g.info = Box{margin, y, size.W - 2*margin, g.alert.Y - g.u(1.4) - y}
		return g
	}
	gap := g.u(6)
	side := even(min(main-2*top, 0.54*size.W))
	width := min(size.W-2*margin-gap-side, g.u(68))
	left := round((size.W - side - gap - width) / 2)
	g.ring = Box{left, round((main - side) / 2), side, side}
	x := left + side + gap
	g.alert = Box{x, main - top - g.u(18.8), width, g.u(18.8)}
	g.info = Box{x, top, width, g.alert.Y - g.u(1) - top}
	return g
}

// u is a length of so many units, in whole pixels.
func (g grid) u(units float32) float32 { return round(units * g.unit) }
