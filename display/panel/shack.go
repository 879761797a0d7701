package panel

import (
	"fmt"
	"image/color"
	"math"
	"time"

	"timestation/display/draw"
	"timestation/display/face"
	"timestation/refclock"
)

// Shack is the page of a radio amateur: UTC, the slots of the digital modes and whether the clock is good enough for them,
// where the station is, and where on the earth it is day.
func Shack(in Input, g draw.Grid, body draw.Box) Picture {
	margin, gap := g.U(4.4), g.U(2.2)
	inside := draw.Box{X: margin, Y: body.Y + g.U(2.8), W: body.W - 2*margin, H: body.H - g.U(5.6)}
	var shapes []draw.Shape
	utc := in.Frame
	utc.Location, utc.Name, utc.Style.TwelveHour = time.UTC, "UTC", false
	if g.Portrait {
		clock, rest := inside.Top(draw.Round(0.16*inside.H), 0)
		shapes = face.Digital(utc, clock)
		date, rest := rest.Top(g.U(5), gap)
		shapes = append(shapes, in.utcDate(date, g)...)
		cells, rest := rest.Top(draw.Round(0.26*rest.H), gap)
		shapes = append(shapes, in.facts(g, cells)...)
		world, slots := rest.Top(draw.Round(rest.W/mapShape), gap)
		shapes = append(shapes, in.world(g, world)...)
		return Picture{Shapes: append(shapes, in.slots(g, slots.Rows(len(modes), gap))...)}
	}
	left, right := inside.Left(draw.Round(min(0.66*inside.W, inside.W-g.U(53))), g.U(3))
	wide := draw.Box{X: left.X, W: left.W, H: draw.Round(left.W / mapShape)}
	if most := draw.Round(0.56 * left.H); wide.H > most {
		wide = draw.Box{X: draw.Round(left.X + (left.W-most*mapShape)/2), W: draw.Round(most * mapShape), H: most}
	}
	wide.Y = left.Bottom() - wide.H
	shapes = append(shapes, in.world(g, wide)...)
	date := draw.Box{X: left.X, Y: wide.Y - g.U(9), W: left.W, H: g.U(6)}
	shapes = append(shapes, in.utcDate(date, g)...)
	shapes = append(shapes, face.Digital(utc, draw.Box{X: left.X, Y: left.Y, W: left.W, H: date.Y - left.Y})...)
	facts, slots := right.Top(draw.Round(0.36*right.H), gap)
	shapes = append(shapes, in.facts(g, facts)...)
	return Picture{Shapes: append(shapes, in.slots(g, slots.Rows(len(modes), gap))...)}
}

// utcDate is the date of the large digits, in the middle of a box.
func (in Input) utcDate(box draw.Box, g draw.Grid) []draw.Shape {
	if in.Standing() == face.Timeless {
		return nil
	}
	s := in.strong()
	s.Text, s.Size = in.Style.Language.DayAndDate(in.Second.UTC().Time()), g.U(4)
	s = draw.Fit(s, box.W, draw.Smallest)
	return draw.Row(draw.At(box.Centre().X, draw.Baseline(box.Y, box.Bottom(), s.Size)), draw.Middle, s)
}

// position is where the satellite receiver says that the station is, or else its configuration.
func (in Input) position() (place, bool) {
	if s := in.Satellites(); s != nil && s.Fix != refclock.NoFix && s.Fix != "" {
		return place{s.Latitude, s.Longitude}, true
	}
	if in.Position != nil {
		return place{in.Position.Latitude, in.Position.Longitude}, true
	}
	return place{}, false
}

// facts are local time, locator, sunrise and sunset.
func (in Input) facts(g draw.Grid, box draw.Box) []draw.Shape {
	const unknown = "–"
	known := in.Standing() != face.Timeless
	local, here, rise, set := unknown, unknown, unknown, unknown
	riseLabel, setLabel := in.Say("sunrise"), in.Say("sunset")
	at, found := in.position()
	if found {
		here = locator(at)
	}
	if known {
		local = in.timeOfDay()
	}
	if known && found {
		d := sunshine(at, in.Local())
		clock := func(t time.Time) string {
			if t.IsZero() {
				return map[bool]string{true: in.Say("up all day"), false: in.Say("down all day")}[d.up]
			}
			return t.Round(time.Minute).Format("15:04")
		}
		rise, set = clock(d.rise), clock(d.set)
	}
	rows := box.Rows(2, g.U(1.4))
	upper, lower := rows[0].Columns(2, g.U(1.4)), rows[1].Columns(2, g.U(1.4))
	strong := in.strong()
	u := unit(g.Unit * min(1.25, box.H/g.U(21)))
	zone, _ := in.Local().Zone()
	label := in.Say("local time")
	if known {
		label += " · " + in.Say(zone)
	}
	var shapes []draw.Shape
	for _, c := range []struct {
		box          draw.Box
		label, value string
	}{
		{upper[0], label, local}, {upper[1], in.Say("locator"), here}, {lower[0], riseLabel, rise}, {lower[1], setLabel, set},
	} {
		if c.value == local && known {
			shapes = append(shapes, in.clockCell(c.box, u, c.label, c.value)...)
			continue
		}
		shapes = append(shapes, in.cell(c.box, u, c.label, c.value, strong)...)
	}
	return shapes
}

// world is the map, with the station, the sun and, where the station does not know where it is, how it could.
func (in Input) world(g draw.Grid, box draw.Box) []draw.Shape {
	t := in.Style.Theme
	var now time.Time
	if in.Standing() != face.Timeless {
		now = in.Second.UTC().Time()
	}
	shapes := []draw.Shape{world(t, box, now)}
	if !now.IsZero() {
		sun := onMap(box, overhead(now))
		r := max(3, g.U(1.2))
		sun.X, sun.Y = min(max(sun.X, box.X+r), box.Right()-r), min(max(sun.Y, box.Y+r), box.Bottom()-r)
		shapes = append(shapes, draw.Circle{Centre: sun, Radius: r, Fill: t.Warn, Stroke: t.Ground, Width: max(1, g.U(0.25))})
	}
	if at, ok := in.position(); ok {
		p, r := onMap(box, at), max(3, g.U(1))
		p.X, p.Y = min(max(p.X, box.X+2*r), box.Right()-2*r), min(max(p.Y, box.Y+2*r), box.Bottom()-2*r)
		shapes = append(shapes,
			draw.Circle{Centre: p, Radius: 2 * r, Stroke: t.Accent, Width: max(1, g.U(0.3))},
			draw.Circle{Centre: p, Radius: r, Fill: t.Accent, Stroke: t.Ground, Width: max(1, g.U(0.25))})
		return shapes
	}
	words := in.Say("No position yet: a GPS receiver with a fix, or position in the configuration, gives locator, sunrise and sunset.")
	size := max(draw.Smallest, g.U(2.6))
	lines := draw.Wrap(words, size, draw.Regular, box.W-2*size, box.W-2*size)
	height := draw.Round(1.35*size)*float32(len(lines)) + size
	foot := draw.Box{X: box.X, Y: box.Bottom() - height, W: box.W, H: height}
	shapes = append(shapes, draw.Rect{Box: foot, Fill: t.Panel})
	return append(shapes, centred(lines, draw.Span{Size: size, Weight: draw.Regular, Fill: t.Ink}, foot.Inset(size, 0))...)
}

// mode is a digital mode whose transmissions begin at fixed seconds of UTC.
type mode struct {
	name string
	// slot is how long a transmission and the pause after it take.
	slot time.Duration
	// dots is how many lamps its ring has.
	dots int
	// needs is how far the clock may be off.
	needs time.Duration
	// halves tells that stations take turns in even and odd slots.
	halves bool
}

// modes are the modes of the page. The WSJT-X User Guide asks of the computer, for all of them, "a means for synchronizing
// the computer clock to UTC within ±1 second" (section 2, System Requirements); it gives the lengths of the slots in section 17,
// Protocol Specifications.
var modes = []mode{
	{"FT8", 15 * time.Second, 15, time.Second, true},
	{"FT4", 7500 * time.Millisecond, 15, time.Second, true},
	{"WSPR", 2 * time.Minute, 24, time.Second, false},
}

// slots draws each mode into its box: a ring that fills up in the course of the slot, and in words what is left of it and
// how good the clock is for the mode.
func (in Input) slots(g draw.Grid, boxes []draw.Box) []draw.Shape {
	t := in.Style.Theme
	known := in.Standing() != face.Timeless
	var shapes []draw.Shape
	for i, m := range modes {
		box := boxes[i]
		shapes = append(shapes, draw.Rect{Box: box, Radius: g.U(1), Fill: t.Panel, Stroke: t.Hairline, Width: max(1, g.U(0.15))})
		inside := box.Inset(g.U(1.4), g.U(1))
		side := draw.Even(min(inside.H, 0.36*inside.W))
		ring := draw.Box{X: inside.X, Y: draw.Round(inside.Y + (inside.H-side)/2), W: side, H: side}
		_, words := inside.Left(side, g.U(2.4))
		var gone time.Duration
		if known {
			gone = in.sinceMidnight() % m.slot
		}
		shapes = append(shapes, in.slot(ring, m, gone, known)...)

		title := draw.Span{Text: m.name, Size: max(draw.Smallest, min(g.U(4), draw.Round(0.3*words.H))), Weight: draw.SemiBold, Fill: t.Ink}
		size := max(draw.Smallest, min(g.U(2.7), draw.Round(0.22*words.H)))
		rows := words.Rows(3, 0)
		put := func(row draw.Box, s draw.Span) {
			s = draw.Fit(s, row.W, draw.Smallest)
			shapes = append(shapes, draw.Row(draw.At(row.X, draw.Baseline(row.Y, row.Bottom(), s.Size)), draw.Start, s)...)
		}
		put(rows[0], title)
		left := "–"
		if known {
			left = in.Style.Language.Sayf("next in %s s", in.Style.Language.Number(seconds(m.slot-gone)))
			if m.halves {
				left += " · " + in.Say([]string{"even slot", "odd slot"}[int64((in.sinceMidnight()/m.slot)%2)])
			}
		}
		put(rows[1], draw.Span{Text: left, Size: size, Weight: draw.Regular, Fill: t.Quiet, Steady: true})

		sign, colour, verdict := in.fitness(m)
		mark := draw.Round(0.9 * size)
		y := draw.Baseline(rows[2].Y, rows[2].Bottom(), size)
		shapes = append(shapes, draw.MarkAt(sign, draw.At(rows[2].X, y), mark, colour)...)
		_, rest := rows[2].Left(draw.Round(1.5*mark), 0)
		put(rest, draw.Span{Text: verdict, Size: size, Weight: draw.SemiBold, Fill: colour, Steady: true})
	}
	return shapes
}

// sinceMidnight is the time of day in UTC; a leap second repeats 23:59:59, as it does for those who transmit.
func (in Input) sinceMidnight() time.Duration {
	return time.Duration(in.Second.UTC().Seconds%86400) * time.Second
}

// seconds writes a time to a tenth of a second, whole seconds without.
func seconds(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprint(int64(d / time.Second))
	}
	return fmt.Sprintf("%.1f", d.Seconds())
}

// fitness says whether the clock is good enough for a mode.
func (in Input) fitness(m mode) (draw.Sign, color.NRGBA, string) {
	t, l := in.Style.Theme, in.Style.Language
	if s := in.Standing(); s == face.Untrusted || s == face.Timeless {
		return draw.Square, t.Bad, in.SourceWords()
	}
	words := l.Sayf("%s, needs ±%s s", in.Bound(in.Reading.MaxError), seconds(m.needs))
	switch margin := m.needs.Seconds() / max(in.Reading.MaxError.Seconds(), 1e-9); {
	case margin < 1:
		return draw.Square, t.Bad, words
	case margin < 2:
		return draw.Triangle, t.Warn, words
	default:
		return draw.Disc, t.Good, words
	}
}

// slot draws the ring of a mode.
func (in Input) slot(box draw.Box, m mode, gone time.Duration, known bool) []draw.Shape {
	on := in.DigitColour()
	off := draw.Mix(in.Style.Theme.Panel, on, 0.18)
	lamp := draw.Even(min(0.11*box.W, 0.6*math.Pi*box.W/float32(m.dots)))
	centre, radius := box.Centre(), box.W/2-lamp/2
	lit := int(float64(m.dots) * float64(gone) / float64(m.slot))
	var shapes []draw.Shape
	for n := range m.dots {
		angle := 2 * math.Pi * float64(n) / float64(m.dots)
		c := draw.Circle{Radius: lamp / 2, Fill: off}
		c.Centre = draw.At(draw.Round(centre.X+radius*float32(math.Sin(angle))), draw.Round(centre.Y-radius*float32(math.Cos(angle))))
		if known && n <= lit {
			c.Fill = on
		}
		shapes = append(shapes, c)
	}
	if !known {
		return shapes
	}
	size := draw.Round(0.26 * box.W)
	left := draw.Span{Text: fmt.Sprint(int64((m.slot - gone + time.Second - 1) / time.Second)), Size: size, Weight: draw.SemiBold,
		Fill: in.strong().Fill, Steady: true}
	left = draw.Fit(left, 0.55*box.W, draw.Smallest)
	return append(shapes, draw.Row(draw.At(centre.X, draw.Baseline(box.Y, box.Bottom(), left.Size)), draw.Middle, left)...)
}
