package panel

import (
	"cmp"
	"image/color"
	"math"
	"slices"
	"time"

	"timestation/display"
	"timestation/display/draw"
	"timestation/engine/status"
	"timestation/refclock"
)

// jumpLatched is the alert about a jump that waits for somebody to accept it.
const jumpLatched = "jump-latched"

// alerts lists what a person should know, the most severe first, with what to do about it.
func (p *pen) alerts(box draw.Box) {
	if p.View.Confirm != nil {
		p.confirm(box, *p.View.Confirm)
		return
	}
	all := slices.Clone(p.Status.Alerts)
	slices.SortStableFunc(all, func(a, b status.Alert) int {
		return cmp.Or(cmp.Compare(severity(b), severity(a)), cmp.Compare(len(a.AcknowledgedBy), len(b.AcknowledgedBy)))
	})
	first := 0
	if len(all) > 0 {
		first = p.View.Choice % len(all)
	}
	rest := p.card(box, "")
	head, rest := rest.Top(p.g.U(4), p.g.U(0.8))
	base := draw.Baseline(head.Y, head.Bottom(), p.strong())
	used := p.text(draw.Point{X: head.X, Y: base}, draw.Start, head.W*0.5, p.strong(), draw.SemiBold, p.t.Ink, p.Say("Alerts"))
	if len(all) == 0 {
		p.text(draw.Point{X: head.Right(), Y: base}, draw.End, head.W-used-p.g.U(2), p.small(), draw.Regular, p.t.Info, p.Sentence(p.View.Told))
		base := draw.Baseline(rest.Y, rest.Y+p.g.U(4), p.body())
		p.add(draw.MarkAt(draw.Disc, draw.Point{X: rest.X, Y: base}, p.body(), p.t.Good)...)
		indent := draw.Round(1.5 * p.body())
		p.text(draw.Point{X: rest.X + indent, Y: base}, draw.Start, rest.W-indent, p.body(), draw.Regular, p.t.Quiet, p.Say("Nothing stands."))
		return
	}
	shown := 0
	for _, a := range all[first:] {
		left, ok := p.alert(rest, a, shown == 0)
		if !ok {
			break
		}
		shown, rest = shown+1, left
	}
	right := head.Right()
	if shown < len(all) {
		next := p.View
		next.Choice = (first + shown) % len(all)
		text := p.sayf("+%d more", len(all)-shown)
		width := draw.Round(draw.TextWidth(text, p.small(), draw.SemiBold) + 2*p.g.U(1.6))
		button := draw.Box{X: right - width, Y: head.Y, W: width, H: p.g.U(3.8)}
		p.button(button, text, p.t.Ink, Command{View: &next})
		p.Spots[len(p.Spots)-1].Box = draw.Box{X: button.X - p.g.U(1), Y: box.Y, W: box.Right() - button.X + p.g.U(1), H: button.Bottom() - box.Y}
		right = button.X - p.g.U(1)
	}
	p.text(draw.Point{X: right, Y: base}, draw.End, right-head.X-used-p.g.U(2), p.small(), draw.Regular, p.t.Info, p.Sentence(p.View.Told))
}

func severity(a status.Alert) int {
	return slices.Index([]status.Severity{status.Info, status.Warning, status.Critical}, a.Severity)
}

// alertLook is the shape and the colour of a severity.
func (p *pen) alertLook(s status.Severity) (draw.Sign, color.NRGBA) {
	switch s {
	case status.Critical:
		return draw.Square, p.t.Bad
	case status.Warning:
		return draw.Triangle, p.t.Warn
	}
	return draw.Disc, p.t.Info
}

// alert draws one; ok is false if there is no room for it. The first is drawn shortened rather than not at all.
func (p *pen) alert(box draw.Box, a status.Alert, must bool) (rest draw.Box, ok bool) {
	size, pad := p.body(), p.g.U(0.8)
	step, indent := draw.Round(1.4*size), draw.Round(1.5*size)
	action, command := p.alertAction(a)
	words := box.W - indent
	button := draw.Box{}
	if action != "" {
		width := draw.Round(draw.TextWidth(action, p.small(), draw.SemiBold) + 2*p.g.U(1.6))
		button = draw.Box{X: box.Right() - width, W: width, H: p.g.U(3.8)}
		words -= width + p.g.U(1.5)
	}
	said, does := p.alertWords(a)
	text := draw.Wrap(said, size, draw.SemiBold, words, words)
	if since := p.alertSince(a); does == "" {
		does = since
	} else {
		does = since + " · " + does
	}
	// What stands below the button has the whole width.
	first := box.W - indent
	if float32(len(text))*step < button.H-p.g.U(0.5) {
		first = words
	}
	widths := []float32{first, box.W - indent, box.W - indent}
	mend := draw.Wrap(does, p.small(), draw.Regular, widths...)
	small := draw.Round(1.4 * p.small())
	height := float32(len(text))*step + float32(len(mend))*small
	if height > box.H && !must {
		return box, false
	}
	if over := int(math.Ceil(float64((height - box.H) / small))); over > 0 {
		mend = draw.Wrap(does, p.small(), draw.Regular, widths[:max(0, len(mend)-over)]...)
	}
	sign, colour := p.alertLook(a.Severity)
	y := box.Y
	for i, line := range text {
		base := draw.Baseline(y, y+step, size)
		if base > box.Bottom() {
			break
		}
		if i == 0 {
			p.add(draw.MarkAt(sign, draw.Point{X: box.X, Y: base}, size, colour)...)
		}
		p.add(draw.Text{At: draw.Point{X: box.X + indent, Y: base}, String: line, Size: size, Weight: draw.SemiBold, Fill: p.t.Ink})
		y += step
	}
	for _, line := range mend {
		base := draw.Baseline(y, y+small, p.small())
		if base > box.Bottom() {
			break
		}
		p.text(draw.Point{X: box.X + indent, Y: base}, draw.Start, box.W-indent, p.small(), draw.Regular, p.t.Quiet, line)
		y += small
	}
	if action != "" {
		button.Y = box.Y
		p.button(button, action, p.t.Ink, command)
		spot := &p.Spots[len(p.Spots)-1].Box // a finger is broader than the word
		*spot = draw.Box{X: button.X - p.g.U(1), Y: box.Y - p.g.U(1), W: button.W + p.g.U(2), H: max(button.H, y-box.Y) + p.g.U(1)}
	}
	_, rest = box.Top(y-box.Y, pad)
	return rest, true
}

// alertWords are what an alert says and what to do about it.
func (in Input) alertWords(a status.Alert) (text, mend string) {
	text, mend = a.In(string(in.Style.Language))
	if text != a.Text && a.Source != "" { // a translation does not name the source
		text = a.Source + ": " + text
	}
	return text, in.Sentence(mend)
}

// alertSince says since when, and who has seen it.
func (p *pen) alertSince(a status.Alert) string {
	text := p.Say("since before the time was known")
	if a.Since != (refclock.UTC{}) {
		text = p.sayf("since %s", p.moment(a.Since.Time()))
	}
	if a.AcknowledgedBy != "" {
		text += ", " + p.sayf("acknowledged by %s", a.AcknowledgedBy)
	}
	if a.Flapping {
		text += ", " + p.Say("comes and goes")
	}
	return text
}

// moment is a time of today, or a date and a time.
func (p *pen) moment(t time.Time) string {
	t = t.In(p.Location)
	now := p.Local()
	if t.Year() == now.Year() && t.YearDay() == now.YearDay() {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// alertAction is what can be done about an alert on the screen.
func (p *pen) alertAction(a status.Alert) (string, Command) {
	if a.Code == jumpLatched {
		ask := p.View
		ask.Confirm = &display.Action{Kind: display.ActionAcceptJump, Source: a.Source}
		return p.Say("Accept …"), Command{View: &ask}
	}
	if a.AcknowledgedBy == "" {
		return p.Say("Acknowledge"), Command{Act: &display.Action{Kind: display.ActionAcknowledge, Code: a.Code, Source: a.Source}}
	}
	return "", Command{}
}

// confirm asks before something is done that changes the time.
func (p *pen) confirm(box draw.Box, a display.Action) {
	p.add(draw.Rect{Box: box, Radius: p.g.U(1.2), Fill: draw.Mix(p.t.Panel, p.t.Warn, 0.12), Stroke: p.t.Warn, Width: max(1, p.g.U(0.3))})
	rest := box.Inset(p.g.U(2.2), p.g.U(1.8))
	foot := p.g.U(6)
	buttons := draw.Box{X: rest.X, Y: rest.Bottom() - foot, W: rest.W, H: foot}
	rest.H -= foot + p.g.U(1)
	rest = p.paragraph(rest, p.strong(), draw.SemiBold, p.t.Ink, p.sayf("Take the new time of %s?", p.Say(a.Source)))
	p.paragraph(rest, p.body(), draw.Regular, p.t.Ink,
		p.Say("Every clock that asks this station will follow. Do it only if another clock says the same."))
	halves := buttons.Columns(2, p.g.U(1.6))
	no := p.View
	no.Confirm = nil
	p.button(halves[0], p.Say("No, keep the time"), p.t.Ink, Command{View: &no})
	p.button(halves[1], p.Say("Yes, take it"), p.t.Warn, Command{Act: &a})
}

// button is a frame with a word in it that can be touched.
func (p *pen) button(box draw.Box, text string, colour color.NRGBA, do Command) {
	size := p.small()
	p.Spots = append(p.Spots, Spot{Box: box, Label: text, Do: do})
	p.add(draw.Rect{Box: box, Radius: p.g.U(0.8), Stroke: draw.Mix(p.t.Hairline, colour, 0.55), Width: max(1, p.g.U(0.2))})
	at := draw.Point{X: draw.Round(box.X + box.W/2), Y: draw.Baseline(box.Y, box.Bottom(), size)}
	p.text(at, draw.Middle, box.W-p.g.U(1), size, draw.SemiBold, colour, text)
}
