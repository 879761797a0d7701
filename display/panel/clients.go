package panel

import (
	"cmp"
	"fmt"
	"image/color"
	"maps"
	"slices"
	"strings"
	"time"

	"timestation/display/draw"
	"timestation/engine/status"
)

// Clients shows who asks the NTP server.
func Clients(in Input, g draw.Grid, body draw.Box) Picture {
	p := newPen(in, g)
	rest := p.header(body, "Clients", "Who asks this station for the time")
	var refused uint64
	for _, n := range in.Clients.Refused {
		refused += n
	}
	switch {
	case in.ClientsError != "":
		p.nothing(rest, "The clients are not known.", in.ClientsError)
		return p.Picture
	case len(in.Clients.Clients) == 0 && in.Clients.Known == 0 && refused == 0:
		p.nothing(rest, "Nobody has asked yet.",
			"NTP clients ask this machine's address, UDP port 123, as a [[listener]] section of the configuration allows them.")
		return p.Picture
	}
	gap := g.U(1.6)
	var side, table draw.Box
	if g.Portrait {
		side, table = rest.Top(draw.Round(min(rest.H*0.3, g.U(36))), gap)
		halves := side.Columns(2, gap)
		p.load(halves[0])
		p.refusals(halves[1])
	} else {
		side, table = rest.Left(draw.Round(rest.W*0.29), gap)
		above, below := side.Top(draw.Round(side.H*0.52), gap)
		p.load(above)
		p.refusals(below)
	}
	p.askers(table)
	return p.Picture
}

// load is how busy the server is.
func (p *pen) load(box draw.Box) {
	rest := p.card(box, p.Say("Requests per second"))
	c := p.Clients
	size := min(p.g.U(11), draw.Round(rest.H*0.5))
	figure, rest := rest.Top(size*0.95, p.g.U(0.8))
	p.text(draw.Point{X: figure.X, Y: draw.Baseline(figure.Y, figure.Bottom(), size)}, draw.Start, figure.W, size, draw.SemiBold, p.t.Ink,
		p.number(rate(c.RequestsPerSecond)))
	var requests, signed uint64
	for _, k := range c.Clients {
		requests, signed = requests+k.Requests, signed+k.Authenticated
	}
	lines := []string{p.Say("over the last minute"), p.Style.Language.Count(c.Known, "client known", "clients known")}
	if requests > 0 {
		lines = append(lines, p.sayf("%s authenticated", p.percent(signed, requests)))
	}
	size = p.body()
	for _, line := range lines {
		row, below := rest.Top(draw.Round(1.4*size), 0)
		if row.H < draw.Round(1.4*size) {
			return
		}
		p.text(draw.Point{X: row.X, Y: draw.Baseline(row.Y, row.Bottom(), size)}, draw.Start, row.W, size, draw.Regular, p.t.Quiet, line)
		rest = below
	}
}

func rate(perSecond float64) string {
	switch {
	case !finite(perSecond):
		return "–"
	case perSecond < 0.005:
		return "0"
	case perSecond < 9.95:
		return fmt.Sprintf("%.2g", perSecond)
	case perSecond < 99.95:
		return fmt.Sprintf("%.1f", perSecond)
	}
	return grouped(uint64(perSecond + 0.5))
}

// percent never says that all are when some are not, nor none when some are.
func (p *pen) percent(part, all uint64) string {
	switch share := 100 * float64(part) / float64(all); {
	case part == all:
		return "100 %"
	case part == 0:
		return p.Say("none")
	case share < 1:
		return "< 1 %"
	case share > 99:
		return "> 99 %"
	default:
		return fmt.Sprintf("%.0f %%", share)
	}
}

// grouped is a number with a thin space between thousands.
func grouped(n uint64) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + " " + text[at:]
	}
	return text
}

// reasonWords say in a few words why the server kept silent; see serve.Reason.
var reasonWords = map[string]string{
	"denied": "address not allowed", "malformed": "not an NTP packet", "version": "unknown version", "mode": "not a request",
	"extension": "malformed extension", "ms-sntp": "wants a domain controller", "unknown-key": "unknown key",
	"key-address": "key of another address", "bad-mac": "wrong signature", "nts-malformed": "malformed NTS", "nts-nak": "stale NTS cookie",
	"rate-limited": "asks too often", "clock-stepped": "system clock was set", "late": "waited too long", "no-room": "answer too long",
	"send-failed": "no way back",
}

func (p *pen) reason(code string) string {
	if words, ok := reasonWords[code]; ok {
		return p.Say(words)
	}
	return code
}

// refusals are how many requests met with silence, by reason, the most frequent first.
func (p *pen) refusals(box draw.Box) {
	rest := p.card(box, p.Say("Refused, and why"))
	reasons := slices.SortedFunc(maps.Keys(p.Clients.Refused), func(a, b string) int {
		return cmp.Or(cmp.Compare(p.Clients.Refused[b], p.Clients.Refused[a]), cmp.Compare(a, b))
	})
	reasons = slices.DeleteFunc(reasons, func(r string) bool { return p.Clients.Refused[r] == 0 })
	size := p.body()
	if len(reasons) == 0 {
		base := draw.Baseline(rest.Y, rest.Y+p.g.U(4), size)
		p.add(draw.MarkAt(draw.Disc, draw.Point{X: rest.X, Y: base}, size, p.t.Good)...)
		p.text(draw.Point{X: rest.X + draw.Round(1.5*size), Y: base}, draw.Start, rest.W-draw.Round(1.5*size), size, draw.Regular, p.t.Quiet,
			p.Say("Nobody was refused."))
		return
	}
	most := float32(p.Clients.Refused[reasons[0]])
	step := min(p.g.U(6), max(p.g.U(5), rest.H/float32(len(reasons))))
	for _, r := range reasons {
		row, below := rest.Top(step, 0)
		if row.H < step {
			return
		}
		rest = below
		count := p.Clients.Refused[r]
		base := draw.Round(row.Y + 1.05*size)
		used := p.text(draw.Point{X: row.Right(), Y: base}, draw.End, row.W*0.4, size, draw.SemiBold, p.t.Ink, grouped(count))
		p.text(draw.Point{X: row.X, Y: base}, draw.Start, row.W-used-size, size, draw.Regular, p.t.Quiet, p.reason(r))
		y := base + draw.Round(0.55*size)
		p.bar(row.X, y, row.W, y+max(2, p.g.U(0.5)), p.t.Hairline)
		p.bar(row.X, y, max(2, row.W*float32(count)/most), y+max(2, p.g.U(0.5)), p.t.Warn)
	}
}

// askers is the table of clients, the busiest first.
func (p *pen) askers(box draw.Box) {
	card := p.card(box, "")
	all := p.Clients.Clients
	head, rows := card.Top(p.g.U(4.4), p.g.U(0.4))
	names, rows := rows.Top(draw.Round(1.5*p.small()), p.g.U(0.2))
	step := p.g.U(5)
	fit := max(1, int(rows.H/step+0.01))
	first := max(0, min(p.View.Row, len(all)-fit))
	x := head.X
	if len(all) > fit {
		p.LastRow = len(all) - fit
		p.scroll(head, first, fit, len(all))
		x += 2*(p.g.U(4)+p.g.U(2.4)) + p.g.U(24)
	}
	base := draw.Baseline(head.Y, head.Bottom(), p.strong())
	title := p.Say("The busiest first")
	if hidden := p.Clients.Known - len(all); hidden > 0 {
		title += ", " + p.sayf("%d more not listed", hidden)
	}
	p.text(draw.Point{X: head.Right(), Y: base}, draw.End, head.Right()-x, p.small(), draw.Regular, p.t.Quiet, title)
	if len(all) == 0 {
		return
	}
	most := all[0].Requests
	for _, c := range all {
		most = max(most, c.Requests)
	}
	step = min(step, rows.H/float32(fit))
	columns := p.clientColumns(card)
	base = draw.Baseline(names.Y, names.Bottom(), p.small())
	name := func(c draw.Box, anchor draw.Anchor, word string) {
		at := draw.Point{X: c.X, Y: base}
		if anchor == draw.End {
			at.X = c.Right()
		}
		p.text(at, anchor, c.W, p.small(), draw.Regular, p.t.Quiet, p.Say(word))
	}
	name(columns.address, draw.Start, "address")
	name(columns.requests, draw.End, "requests")
	name(columns.often, draw.Start, "how often")
	name(columns.how, draw.Start, "how answered")
	for i, c := range all[first:min(len(all), first+fit)] {
		row := draw.Box{X: rows.X, Y: draw.Round(rows.Y + float32(i)*step), W: rows.W, H: draw.Round(step)}
		p.rule(draw.Point{X: row.X, Y: row.Y}, draw.Point{X: row.Right(), Y: row.Y}, p.t.Hairline)
		p.asker(row, columns, c, float32(c.Requests)/float32(max(most, 1)))
	}
}

// clientColumns are the places in a row of the table.
type clientColumns struct{ address, requests, often, how draw.Box }

func (p *pen) clientColumns(card draw.Box) (c clientColumns) {
	gap := p.g.U(1.6)
	rest := card
	share := float32(0.3)
	if card.W < p.g.U(100) {
		share = 0.4
	}
	c.address, rest = rest.Left(draw.Round(card.W*share), gap)
	if card.W >= p.g.U(100) {
		c.requests, rest = rest.Left(draw.Round(card.W*0.17), gap)
		c.often, rest = rest.Left(draw.Round(card.W*0.13), gap)
	} else {
		c.requests, rest = rest.Left(draw.Round(card.W*0.22), gap)
	}
	c.how = rest
	return c
}

func (p *pen) asker(row draw.Box, c clientColumns, k status.Client, share float32) {
	size := p.body()
	base := draw.Baseline(row.Y, row.Bottom(), size)
	sign, colour, words := p.clientLook(k)
	p.add(draw.MarkAt(sign, draw.Point{X: c.address.X, Y: base}, draw.Round(0.85*size), colour)...)
	indent := draw.Round(1.4 * size)
	p.text(draw.Point{X: c.address.X + indent, Y: base}, draw.Start, c.address.W-indent, size, draw.SemiBold, p.t.Ink, k.Address.String())
	thick := max(2, p.g.U(0.4))
	foot := row.Bottom() - p.g.U(0.5)
	p.bar(c.requests.X, foot-thick, max(1, c.requests.W*share), foot, draw.Mix(p.t.Panel, p.t.Info, 0.8))
	p.text(draw.Point{X: c.requests.Right(), Y: base}, draw.End, c.requests.W, size, draw.Regular, p.t.Ink, grouped(k.Requests))
	p.text(draw.Point{X: c.often.X, Y: base}, draw.Start, c.often.W, size, draw.Regular, p.t.Quiet, p.often(k))
	p.text(draw.Point{X: c.how.X, Y: base}, draw.Start, c.how.W, size, draw.Regular, colour, words)
}

// often is how far apart the requests are on average.
func (p *pen) often(k status.Client) string {
	if k.Requests < 2 || k.LastSeen <= k.FirstSeen {
		return p.Say("once")
	}
	every := k.LastSeen.Sub(k.FirstSeen) / time.Duration(k.Requests-1)
	if every < time.Second {
		return p.sayf("%s per second", p.number(rate(float64(time.Second)/float64(max(every, 1)))))
	}
	return p.sayf("every %s", lasting(every))
}

// clientLook says how a client is served.
func (p *pen) clientLook(k status.Client) (draw.Sign, color.NRGBA, string) {
	switch {
	case k.Refused > 0:
		words := p.sayf("%s refused", grouped(k.Refused))
		if k.LastRefused != "" {
			words += ": " + p.reason(k.LastRefused)
		}
		return draw.Triangle, p.t.Warn, words
	case k.Authenticated > 0 && k.Authenticated >= k.Answered:
		return draw.Disc, p.t.Good, p.Say("authenticated")
	case k.Authenticated > 0:
		return draw.Disc, p.t.Good, strings.TrimSpace(p.sayf("%s authenticated", p.percent(k.Authenticated, k.Answered)))
	}
	return draw.Ring, p.t.Quiet, p.Say("not authenticated")
}
