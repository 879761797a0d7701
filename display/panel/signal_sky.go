package panel

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"timestation/display/draw"
	"timestation/engine/status"
	"timestation/refclock"
)

// constellation is how satellites of one system look. Their colours keep away from those of the states.
type constellation struct {
	name, letter string
	dark, light  uint32
}

var constellations = []constellation{
	{"GPS", "G", 0x4aa8ff, 0x0a63b8}, {"Galileo", "E", 0xb69cff, 0x6a45c9}, {"GLONASS", "R", 0xff8ab8, 0xb0246e},
	{"BeiDou", "C", 0x4fd6d0, 0x0b7480}, {"QZSS", "J", 0xc8d36a, 0x66700f}, {"NavIC", "I", 0xe0a080, 0x8a4b1d},
	{"SBAS", "S", 0x9fb0c4, 0x55616e},
}

func systemOf(name string) int {
	if i := slices.IndexFunc(constellations, func(c constellation) bool { return c.name == name }); i >= 0 {
		return i
	}
	return len(constellations) - 1
}

func (p *pen) systemColour(name string) color.NRGBA {
	c := constellations[systemOf(name)]
	v := c.dark
	if p.t.Light {
		v = c.light
	}
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xff}
}

func satelliteName(s refclock.Satellite) string {
	letter := constellations[systemOf(s.Constellation)].letter
	if systemOf(s.Constellation) == len(constellations)-1 && s.Constellation != "SBAS" {
		letter = ""
	}
	return fmt.Sprintf("%s%d", letter, s.PRN)
}

// inOrder is the satellites system by system, at most as many as a receiver can see at once.
func inOrder(all []refclock.Satellite) []refclock.Satellite {
	const most = 80
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b refclock.Satellite) int {
		return cmp.Or(cmp.Compare(systemOf(a.Constellation), systemOf(b.Constellation)), cmp.Compare(a.PRN, b.PRN))
	})
	return sorted[:min(len(sorted), most)]
}

// fixWords say how good a fix is.
func (p *pen) fixWords(g *refclock.GNSS) (string, color.NRGBA) {
	switch g.Fix {
	case refclock.Fix3D:
		return p.Say("3D fix"), p.t.Good
	case refclock.Fix2D:
		return p.Say("2D fix"), p.t.Warn
	case refclock.FixTime:
		return p.Say("time fix"), p.t.Good
	}
	return p.Say("no fix"), p.t.Warn
}

// sky is where the satellites stand.
func (p *pen) sky(box draw.Box, s status.Source, n int) {
	p.several(box, n)
	g := s.Signal.GNSS
	remark, colour := "", p.t.Quiet
	if g != nil {
		remark, colour = p.fixWords(g)
	}
	rest := p.titled(box, p.named("Sky", s, n), remark, colour)
	rest = p.unheard(rest, s, g == nil)
	if g == nil {
		return
	}
	satellites := inOrder(g.Satellites)
	if rest.W > 1.35*rest.H {
		plot, words := rest.Left(rest.H*1.06, p.g.U(2))
		p.plotSky(plot, satellites)
		p.legend(words, g, satellites, true)
		return
	}
	lines := float32(1)
	if rest.H > p.g.U(26) {
		lines = 2
	}
	plot := draw.Box{X: rest.X, Y: rest.Y, W: rest.W, H: rest.H - lines*p.g.U(3.6)}
	p.plotSky(plot, satellites)
	p.legend(draw.Box{X: rest.X, Y: plot.Bottom(), W: rest.W, H: rest.Bottom() - plot.Bottom()}, g, satellites, false)
}

// plotSky draws the sky from the zenith in the middle to the horizon, north up and east right.
func (p *pen) plotSky(box draw.Box, satellites []refclock.Satellite) {
	letters := p.small()
	radius := draw.Round(min(box.W, box.H)/2 - 1.25*letters)
	if radius < p.g.U(4) {
		return
	}
	centre := draw.Point{X: draw.Round(box.X + box.W/2), Y: draw.Round(box.Y + box.H/2)}
	line := max(1, draw.Round(p.g.U(0.15)))
	for i, share := range []float32{1, 2.0 / 3, 1.0 / 3} { // elevations of 0°, 30° and 60°
		ring := draw.Circle{Centre: centre, Radius: draw.Round(radius * share), Stroke: p.t.Hairline, Width: line}
		if i == 0 {
			ring.Fill = draw.Mix(p.t.Panel, p.t.Ground, 0.55)
		}
		p.add(ring)
	}
	p.rule(draw.Point{X: centre.X, Y: centre.Y - radius}, draw.Point{X: centre.X, Y: centre.Y + radius}, p.t.Hairline)
	p.rule(draw.Point{X: centre.X - radius, Y: centre.Y}, draw.Point{X: centre.X + radius, Y: centre.Y}, p.t.Hairline)
	for i, word := range []string{"N", "E", "S", "W"} {
		at := aroundPoint(centre, radius+0.72*letters, float64(i)*math.Pi/2)
		base := draw.Round(at.Y + draw.CapHeight*letters/2)
		p.add(draw.Text{At: draw.Point{X: draw.Round(at.X), Y: base}, String: p.Say(word), Size: letters, Weight: draw.SemiBold,
			Anchor: draw.Middle, Fill: p.t.Quiet})
	}
	p.satellites(centre, radius, satellites)
}

// placed is a satellite in the sky, in pixels.
type placed struct {
	refclock.Satellite
	at draw.Point
}

// satellites draws discs with their numbers: full where the fix uses them, hollow where they are only seen.
func (p *pen) satellites(centre draw.Point, radius float32, satellites []refclock.Satellite) {
	disc := draw.Round(min(max(p.g.U(1.9), 8), radius/6))
	var all []placed
	for _, s := range satellites {
		if s.Elevation < 0 || s.Azimuth < 0 || s.Elevation > 90 {
			continue
		}
		at := aroundPoint(centre, (radius-disc)*float32(90-s.Elevation)/90, float64(s.Azimuth)*math.Pi/180)
		all = append(all, placed{s, at})
	}
	part(all, centre, radius-disc, 2.1*disc)
	// The used ones come last, on top.
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(order(a), order(b)) })
	for i, s := range all {
		s.at = draw.Point{X: draw.Round(s.at.X), Y: draw.Round(s.at.Y)}
		colour := p.systemColour(s.Constellation)
		c, ink := draw.Circle{Centre: s.at, Radius: disc, Fill: colour}, draw.On(colour)
		if !s.Used {
			c.Fill, c.Stroke, c.Width = p.t.Panel, colour, max(1, draw.Round(disc/7))
			ink = colour
		}
		p.add(c)
		covered := slices.ContainsFunc(all[i+1:], func(o placed) bool { return distance(o.at, s.at) < 1.9*disc })
		if covered {
			continue
		}
		size := max(draw.Smallest, draw.Round(0.9*disc))
		name := draw.Fit(draw.Span{Text: satelliteName(s.Satellite), Size: size, Weight: draw.SemiBold, Fill: ink}, 1.7*disc, draw.Smallest)
		if name.Text == satelliteName(s.Satellite) {
			p.add(line(draw.At(s.at.X, draw.Baseline(s.at.Y, s.at.Y, name.Size)), draw.Middle, name))
		}
	}
}

func order(s placed) int {
	if s.Used {
		return 1
	}
	return 0
}

func distance(a, b draw.Point) float32 {
	return float32(math.Hypot(float64(a.X-b.X), float64(a.Y-b.Y)))
}

// part moves satellites that stand closely together apart by less than their size, so that each can be read; none leaves
// the sky.
func part(all []placed, centre draw.Point, radius, apart float32) {
	for range 30 {
		for i := range all {
			for j := range i {
				a, b := &all[i].at, &all[j].at
				d := distance(*a, *b)
				if d >= apart {
					continue
				}
				angle := math.Atan2(float64(a.Y-b.Y), float64(a.X-b.X))
				if d == 0 {
					angle = float64(i)
				}
				push := (apart - d) / 4
				dx, dy := push*float32(math.Cos(angle)), push*float32(math.Sin(angle))
				a.X, a.Y, b.X, b.Y = a.X+dx, a.Y+dy, b.X-dx, b.Y-dy
			}
		}
		for i := range all {
			if d := distance(all[i].at, centre); d > radius {
				all[i].at.X = centre.X + (all[i].at.X-centre.X)*radius/d
				all[i].at.Y = centre.Y + (all[i].at.Y-centre.Y)*radius/d
			}
		}
	}
}

// legend names the constellations, counts them, and says where the antenna stands.
func (p *pen) legend(box draw.Box, g *refclock.GNSS, satellites []refclock.Satellite, tall bool) {
	type entry struct {
		name       string
		used, seen int
	}
	var entries []entry
	for _, s := range satellites {
		name := constellations[systemOf(s.Constellation)].name
		if len(entries) == 0 || entries[len(entries)-1].name != name {
			entries = append(entries, entry{name: name})
		}
		e := &entries[len(entries)-1]
		e.seen++
		if s.Used {
			e.used++
		}
	}
	size, step := p.small(), p.g.U(3.6)
	if tall {
		format := "%s %d of %d"
		for _, e := range entries { // all in one way
			if draw.TextWidth(p.sayf(format, e.name, e.used, e.seen), size, draw.Regular) > box.W-1.2*p.small() {
				format = "%s %d/%d"
			}
		}
		for _, e := range entries {
			row, rest := box.Top(step, 0)
			if row.H < step {
				return
			}
			p.legendEntry(draw.Point{X: row.X, Y: draw.Baseline(row.Y, row.Bottom(), size)}, row.W, size, e.name,
				p.sayf(format, e.name, e.used, e.seen))
			box = rest
		}
		for _, line := range p.facts(g, satellites) {
			row, rest := box.Top(step, 0)
			if row.H < step {
				return
			}
			indent := 1.2 * p.small()
			p.text(draw.Point{X: row.X + indent, Y: draw.Baseline(row.Y, row.Bottom(), size)}, draw.Start, row.W-indent, size, draw.Regular, p.t.Quiet, line)
			box = rest
		}
		return
	}
	at := draw.Point{X: box.X, Y: draw.Baseline(box.Y, box.Y+step, size)}
	for _, e := range entries {
		text := fmt.Sprintf("%s %d/%d", e.name, e.used, e.seen)
		width := 1.2*p.small() + draw.TextWidth(text, size, draw.Regular)
		if at.X+width > box.Right() && at.X > box.X {
			at = draw.Point{X: box.X, Y: at.Y + step}
		}
		if at.Y > box.Bottom() {
			return
		}
		p.legendEntry(at, box.Right()-at.X, size, e.name, text)
		at.X += width + p.g.U(2)
	}
	if at = (draw.Point{X: box.X, Y: at.Y + step}); at.Y <= box.Bottom() {
		p.text(at, draw.Start, box.W, size, draw.Regular, p.t.Quiet, strings.Join(p.facts(g, satellites), " · "))
	}
}

func (p *pen) legendEntry(at draw.Point, width, size float32, system, text string) {
	p.legendEntryColour(at, width, size, p.systemColour(system), text)
}

func (p *pen) legendEntryColour(at draw.Point, width, size float32, colour color.NRGBA, text string) {
	indent := 1.2 * p.small()
	p.add(draw.MarkAt(draw.Disc, at, size, colour)...)
	p.text(draw.Point{X: at.X + indent, Y: at.Y}, draw.Start, width-indent, size, draw.Regular, p.t.Quiet, text)
}

// facts are what else the receiver says, a line each.
func (p *pen) facts(g *refclock.GNSS, satellites []refclock.Satellite) (lines []string) {
	if len(satellites) == 0 {
		lines = append(lines, p.Say("no satellite in view"))
	}
	if g.Fix != refclock.NoFix && g.Fix != "" && (g.Latitude != 0 || g.Longitude != 0) {
		lines = append(lines, p.number(degrees(g.Latitude, p.Say("N"), p.Say("S"))), p.number(degrees(g.Longitude, p.Say("E"), p.Say("W"))),
			fmt.Sprintf("%.0f m", g.AltitudeM))
	}
	if g.Antenna != "" {
		lines = append(lines, p.sayf("antenna %s", p.Say(g.Antenna)))
	}
	if g.Jamming == "ok" {
		lines = append(lines, p.Say("no interference"))
	} else if g.Jamming != "" {
		lines = append(lines, p.sayf("jamming %s", p.Say(g.Jamming)))
	}
	if g.ChecksumErrors > 0 {
		lines = append(lines, p.sayf("%d of %d sentences damaged", g.ChecksumErrors, g.Sentences))
	}
	return lines
}

func degrees(v float64, positive, negative string) string {
	if v < 0 {
		return fmt.Sprintf("%.3f° %s", -v, negative)
	}
	return fmt.Sprintf("%.3f° %s", v, positive)
}
