package panel

import (
	"fmt"
	"time"

	"timestation/display/draw"
	"timestation/display/face"
	"timestation/display/studio"
	"timestation/refclock"
)

// strong is the ink of a date and of clocks: quiet, like the digits, when they are not to be trusted.
func (in Input) strong() draw.Span {
	s := draw.Span{Weight: draw.SemiBold, Fill: in.Style.Theme.Ink}
	if in.Standing() == face.Untrusted {
		s.Fill = in.Style.Theme.Quiet
	}
	return s
}

// noTime says what a station without any time waits for.
func (in Input) noTime() section {
	return section{
		height: func(across float32) float32 { return 30 },
		draw: func(box draw.Box, u unit) []draw.Shape {
			t := in.Style.Theme
			head, rest := box.Top(u.of(8), u.of(1))
			title := draw.Fit(draw.Span{Text: in.SourceWords(), Size: u.of(5.6), Weight: draw.SemiBold, Fill: t.Bad}, box.W, draw.Smallest)
			shapes := draw.Row(draw.At(head.X, draw.Baseline(head.Y, head.Bottom(), title.Size)), draw.Start, title)
			text, _ := draw.Paragraph(in.Because(), rest, max(draw.Smallest, u.of(3.1)), draw.Regular, t.Quiet)
			return append(shapes, text...)
		},
	}
}

// calendar is the date in words, the ISO week and the zone.
func (in Input) calendar() section {
	return section{
		height: func(across float32) float32 {
			if across > 66 {
				return 11.6
			}
			return 17
		},
		draw: func(box draw.Box, u unit) []draw.Shape {
			l, local := in.Style.Language, in.Local()
			strong := in.strong()
			strong.Size = max(draw.Smallest, u.of(5.6))
			_, week := local.ISOWeek()
			zone := draw.Span{Text: l.Sayf("week %d", week) + " · " + in.ZoneWords(), Size: max(draw.Smallest, u.of(2.9)), Weight: draw.Regular, Fill: in.Style.Theme.Quiet}
			var shapes []draw.Shape
			y := box.Y
			line := func(height float32, s draw.Span) {
				s = draw.Fit(s, box.W, draw.Smallest)
				shapes = append(shapes, draw.Row(draw.At(box.X, draw.Baseline(y, y+u.of(height), s.Size)), draw.Start, s)...)
				y += u.of(height)
			}
			day, date := strong, strong
			day.Text, date.Text = l.Weekday(local), l.Date(local)
			if box.W/float32(u) > 66 {
				// One line, of the size that the longest date needs, so that it stays the same all year.
				whole := strong
				whole.Text = l.DayAndDate(time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC))
				strong.Size = draw.Fit(whole, box.W, draw.Smallest).Size
				strong.Text = l.DayAndDate(local)
				line(6.8, strong)
			} else {
				longest := strong
				longest.Text = l.LongestDate()
				day.Size = draw.Fit(longest, box.W, draw.Smallest).Size
				date.Size = day.Size
				line(6.2, day)
				line(6.2, date)
			}
			line(4.6, zone)
			return shapes
		},
	}
}

// clocks are UTC and the further time zones.
func (in Input) clocks() (section, bool) {
	var zones []*time.Location
	if !in.IsUTC() {
		zones = append(zones, time.UTC)
	}
	for _, z := range in.Style.Zones {
		if z.String() != in.Location.String() {
			zones = append(zones, z)
		}
	}
	if len(zones) == 0 {
		return section{}, false
	}
	return in.cells(len(zones), 9.4, func(i int, box draw.Box, u unit) []draw.Shape {
		h, m, s := in.Second.UTC().Clock(zones[i])
		label := face.Place(zones[i])
		if here, there := in.Local(), in.Second.UTC().Time().In(zones[i]); here.Day() != there.Day() {
			label += " · " + in.Style.Language.Weekday(there)
		}
		return in.clockCell(box, u, label, fmt.Sprintf("%02d:%02d:%02d", h, m, s))
	}), true
}

// cells are n places of a height in units, side by side where there is room for it.
func (in Input) cells(n int, height float32, each func(i int, box draw.Box, u unit) []draw.Shape) section {
	const narrowest, gap = 22, 1.4
	shape := func(across float32) (columns, rows int) {
		columns = min(n, max(1, int((across+gap)/(narrowest+gap))))
		if rows = (n + columns - 1) / columns; rows > 0 {
			columns = (n + rows - 1) / rows
		}
		return columns, rows
	}
	return section{
		height: func(across float32) float32 {
			_, rows := shape(across)
			return float32(rows)*(height+gap) - gap
		},
		draw: func(box draw.Box, u unit) []draw.Shape {
			columns, rows := shape(box.W / float32(u))
			var shapes []draw.Shape
			i := 0
			for _, row := range box.Rows(rows, u.of(gap)) {
				for _, place := range row.Columns(min(columns, n-i), u.of(gap)) {
					shapes = append(shapes, each(i, place, u)...)
					i++
				}
			}
			return shapes
		},
	}
}

// clockCell is a cell with a time of day, which is struck out like the large one.
func (in Input) clockCell(box draw.Box, u unit, label, value string) []draw.Shape {
	shapes := in.cell(box, u, label, value, in.strong())
	if in.Standing() != face.Untrusted {
		return shapes
	}
	from, to, y, size := box.Right(), box.X, float32(0), float32(0)
	for _, s := range shapes {
		if s, ok := s.(draw.Text); ok && s.Weight == draw.SemiBold {
			b := s.Bounds()
			from, to, y, size = min(from, b.X), max(to, b.Right()), s.At.Y, s.Size
		}
	}
	return append(shapes, in.strike(from, to, y, size))
}

// strike is the line through a time that is not known, from one end of its text to the other.
func (in Input) strike(from, to, baseline, size float32) draw.Shape {
	y := draw.Round(baseline - draw.CapHeight/2*size)
	return draw.Line{From: draw.At(draw.Round(from-0.1*size), y), To: draw.At(draw.Round(to+0.1*size), y), Width: max(2, draw.Round(0.14*size)),
		Stroke: in.Style.Theme.Bad}
}

// cell is a quiet label over a value.
func (in Input) cell(box draw.Box, u unit, label, value string, strong draw.Span) []draw.Shape {
	t := in.Style.Theme
	shapes := []draw.Shape{draw.Rect{Box: box, Radius: u.of(1), Fill: t.Panel, Stroke: t.Hairline, Width: max(1, u.of(0.15))}}
	inside := box.Inset(u.of(1.8), u.of(1.2))
	name := draw.Span{Text: label, Size: max(draw.Smallest, u.of(2.5)), Weight: draw.Regular, Fill: t.Quiet}
	strong.Text, strong.Steady = value, true
	strong.Size = max(draw.Smallest, u.of(4.4))
	if longest := inside.W - strong.Width() - u.of(2); box.W > 5*box.H && longest > 0 {
		// Side by side.
		name.Size = max(draw.Smallest, u.of(3.2))
		strong.Size = max(draw.Smallest, u.of(5.2))
		name = draw.Fit(name, inside.W-strong.Width()-u.of(2), draw.Smallest)
		shapes = append(shapes, draw.Row(draw.At(inside.X, draw.Baseline(box.Y, box.Bottom(), name.Size)), draw.Start, name)...)
		return append(shapes, draw.Row(draw.At(inside.Right(), draw.Baseline(box.Y, box.Bottom(), strong.Size)), draw.End, strong)...)
	}
	name = draw.Fit(name, inside.W, draw.Smallest)
	head, rest := inside.Top(draw.Round(0.32*inside.H), draw.Round(0.12*inside.H))
	shapes = append(shapes, draw.Row(draw.At(inside.X, draw.Baseline(head.Y, head.Bottom(), name.Size)), draw.Start, name)...)
	strong = draw.Fit(strong, inside.W, draw.Smallest)
	return append(shapes, draw.Row(draw.At(inside.X, draw.Baseline(rest.Y, inside.Bottom(), strong.Size)), draw.Start, strong)...)
}

// lights are the on-air lights that have a name.
func (in Input) lights() (section, bool) {
	var all []studio.Light
	for _, l := range in.Studio.Lights {
		if l.Name != "" {
			all = append(all, l)
		}
	}
	if len(all) == 0 {
		return section{}, false
	}
	return in.cells(len(all), 10.6, func(i int, box draw.Box, u unit) []draw.Shape { return in.light(all[i], box, u) }), true
}

// light draws a light: lit ones are filled, which tells them from unlit ones without colour.
func (in Input) light(l studio.Light, box draw.Box, u unit) []draw.Shape {
	t := in.Style.Theme
	colour, err := draw.ParseColour(l.Colour)
	if err != nil {
		colour = t.Bad
	}
	fill, ink, stroke := t.Panel, draw.Mix(t.Panel, t.Quiet, 0.6), t.Hairline
	if l.On {
		fill, ink, stroke = colour, draw.On(colour), colour
		if l.Blink && in.Part >= time.Second/2 {
			fill, ink = draw.Mix(t.Ground, colour, 0.25), t.Ink
		}
	}
	shapes := []draw.Shape{draw.Rect{Box: box, Radius: u.of(1), Fill: fill, Stroke: stroke, Width: max(1, u.of(0.15))}}
	inside := box.Inset(u.of(1.2), u.of(1))
	name := draw.Span{Text: l.Name, Size: max(draw.Smallest, u.of(4)), Weight: draw.SemiBold, Fill: ink}
	middle := inside.Centre().X
	if l.On && l.Timed && !l.Since.IsZero() && in.Reading.Known {
		upper, lower := inside.Top(draw.Round(0.58*inside.H), 0)
		name = draw.Fit(name, inside.W, draw.Smallest)
		gone := draw.Span{Text: stopwatch(in.Second.Sub(l.Since)), Size: max(draw.Smallest, u.of(3)), Weight: draw.SemiBold, Fill: ink, Steady: true}
		gone = draw.Fit(gone, inside.W, draw.Smallest)
		shapes = append(shapes, draw.Row(draw.At(middle, draw.Baseline(upper.Y, upper.Bottom(), name.Size)), draw.Middle, name)...)
		return append(shapes, draw.Row(draw.At(middle, draw.Baseline(lower.Y, lower.Bottom(), gone.Size)), draw.Middle, gone)...)
	}
	name.Size = max(draw.Smallest, u.of(4.4))
	name = draw.Fit(name, inside.W, draw.Smallest)
	return append(shapes, draw.Row(draw.At(middle, draw.Baseline(inside.Y, inside.Bottom(), name.Size)), draw.Middle, name)...)
}

// stopwatch is hours, minutes and seconds of what has passed; minutes and seconds alone below an hour.
func stopwatch(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "−", -d
	}
	s := int64(d / time.Second)
	if s < 3600 {
		return fmt.Sprintf("%s%02d:%02d", sign, s/60, s%60)
	}
	return fmt.Sprintf("%s%d:%02d:%02d", sign, s/3600, s/60%60, s%60)
}

// timers are the countdown to the top of the hour and the timers that people started.
func (in Input) timers() (section, bool) {
	type one struct {
		label, value string
		over         bool
	}
	var all []one
	if in.Style.TopOfHour && in.Standing() != face.Timeless {
		left := int64(toTheHour(in.Frame) / time.Second)
		all = append(all, one{label: in.Say("to the hour"), value: fmt.Sprintf("%02d:%02d", left/60, left%60)})
	}
	if in.Standing() != face.Timeless {
		for _, timer := range in.Studio.Timers {
			shows := timer.Shows(in.Second)
			label := timer.Name
			switch timer.Kind {
			case studio.Until:
				target := timer.Target
				h, m, s := refclock.Instant{TAI: target.TAI, TAIMinusUTC: in.Second.TAIMinusUTC}.UTC().Clock(in.Location)
				label += fmt.Sprintf(" → %02d:%02d", h, m)
				if s != 0 {
					label += fmt.Sprintf(":%02d", s)
				}
			case studio.Down:
				label += " ↓"
			default:
				label += " ↑"
			}
			if timer.Kind != studio.Up && shows > 0 {
				// What is left is over when it shows zero, not a second before.
				shows += time.Second - 1
			}
			all = append(all, one{label, stopwatch(shows), timer.Kind != studio.Up && shows <= 0})
		}
	}
	all = all[:min(len(all), mostTimers)]
	if len(all) == 0 {
		return section{}, false
	}
	return in.cells(len(all), 9.4, func(i int, box draw.Box, u unit) []draw.Shape {
		strong := in.strong()
		if all[i].over {
			strong.Fill = in.Style.Theme.Bad
		}
		return in.cell(box, u, all[i].label, all[i].value, strong)
	}), true
}

// mostTimers is how many timers there is room for.
const mostTimers = 6

// toTheHour is what is left of the hour of the large digits, a leap second counted.
func toTheHour(f face.Frame) time.Duration {
	_, m, s := f.Clock()
	left := time.Duration(3600-60*m-s) * time.Second
	if f.Reading.Leap == refclock.LeapInsert && !f.Second.InLeap {
		if d := f.Status.LeapAt.Sub(f.Second); d > 0 && d <= left {
			left += time.Second
		}
	}
	if f.Second.InLeap {
		left = time.Second
	}
	return left
}

// onAir is what is on air and what follows, as an automation says it.
func (in Input) onAir() (section, bool) {
	type one struct{ label, text string }
	var all []one
	for _, o := range []one{{in.Say("now"), in.Studio.Now}, {in.Say("next"), in.Studio.Next}} {
		if o.text != "" {
			all = append(all, o)
		}
	}
	if len(all) == 0 {
		return section{}, false
	}
	return section{
		height: func(across float32) float32 { return 5.4*float32(len(all)) + 1.2 },
		draw: func(box draw.Box, u unit) []draw.Shape {
			t := in.Style.Theme
			shapes := []draw.Shape{draw.Rect{Box: box, Radius: u.of(1), Fill: t.Panel, Stroke: t.Hairline, Width: max(1, u.of(0.15))}}
			label := draw.Span{Size: max(draw.Smallest, u.of(2.5)), Weight: draw.Regular, Fill: t.Quiet}
			var indent float32
			for _, o := range all {
				label.Text = o.label
				indent = max(indent, label.Width())
			}
			inside := box.Inset(u.of(1.6), u.of(0.6))
			for i, row := range inside.Rows(len(all), 0) {
				label.Text = all[i].label
				text := draw.Span{Text: all[i].text, Size: max(draw.Smallest, u.of(3.4)), Weight: draw.SemiBold, Fill: t.Ink}
				x := inside.X + indent + u.of(1.6)
				text = draw.Fit(text, inside.Right()-x, max(draw.Smallest, draw.Round(0.7*text.Size)))
				y := draw.Baseline(row.Y, row.Bottom(), text.Size)
				shapes = append(shapes, draw.Row(draw.At(inside.X, y), draw.Start, label)...)
				shapes = append(shapes, draw.Row(draw.At(x, y), draw.Start, text)...)
			}
			return shapes
		},
	}, true
}
