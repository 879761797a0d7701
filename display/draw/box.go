package draw

// Box is an upright rectangle in pixels.
type Box struct{ X, Y, W, H float32 }

// Right is the edge opposite to X.
func (b Box) Right() float32 { return b.X + b.W }

// Bottom is the lower edge.
func (b Box) Bottom() float32 { return b.Y + b.H }

// Centre is the middle of the box.
func (b Box) Centre() Point { return Point{b.X + b.W/2, b.Y + b.H/2} }

// Overlaps reports whether the two boxes share an area.
func (b Box) Overlaps(c Box) bool {
	return b.X < c.Right() && c.X < b.Right() && b.Y < c.Bottom() && c.Y < b.Bottom()
}

// Holds reports whether a point lies in the box.
func (b Box) Holds(p Point) bool {
	return p.X >= b.X && p.X < b.Right() && p.Y >= b.Y && p.Y < b.Bottom()
}

// Inset is the box without so many pixels at each of its left and right, and its upper and lower edges.
func (b Box) Inset(x, y float32) Box { return Box{b.X + x, b.Y + y, max(0, b.W-2*x), max(0, b.H-2*y)} }

// Left cuts so many pixels off the left; Rest is what remains beyond a gap.
func (b Box) Left(w, gap float32) (left, rest Box) {
	w = min(w, b.W)
	return Box{b.X, b.Y, w, b.H}, Box{b.X + w + gap, b.Y, max(0, b.W-w-gap), b.H}
}

// Top cuts so many pixels off the top; rest is what remains beyond a gap.
func (b Box) Top(h, gap float32) (top, rest Box) {
	h = min(h, b.H)
	return Box{b.X, b.Y, b.W, h}, Box{b.X, b.Y + h + gap, b.W, max(0, b.H-h-gap)}
}

// Columns divides the box into n columns of one width, on whole pixels, with a gap between them.
func (b Box) Columns(n int, gap float32) []Box {
	out := make([]Box, n)
	for i := range out {
		from := Round(b.X + float32(i)*(b.W+gap)/float32(n))
		to := Round(b.X + float32(i+1)*(b.W+gap)/float32(n) - gap)
		out[i] = Box{from, b.Y, max(0, to-from), b.H}
	}
	return out
}

// Rows divides the box into n rows of one height, on whole pixels, with a gap between them.
func (b Box) Rows(n int, gap float32) []Box {
	out := make([]Box, n)
	for i := range out {
		from := Round(b.Y + float32(i)*(b.H+gap)/float32(n))
		to := Round(b.Y + float32(i+1)*(b.H+gap)/float32(n) - gap)
		out[i] = Box{b.X, from, b.W, max(0, to-from)}
	}
	return out
}
