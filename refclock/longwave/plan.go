package longwave

import (
	"fmt"
	"slices"
	"time"
)

// plan is what the search for the time needs of a code, found out by asking its encoder: which seconds tell the minute,
// the hour, the date, and every date within the bounds.
type plan struct {
	code     *Code
	symbols  int // shapes and mixes
	constant []int
	fixed    [60]Symbol // of the constant seconds
	minute   []int
	byMinute [60][]Symbol
	hour     []int
	byHour   [24][]Symbol
	// minuteBits and hourBits are the same, for speed.
	minuteBits, hourBits binary
	joint                []int // told by minute and hour together, such as a parity over both
	byTime               [][]Symbol
	summer               []int // told by summer time
	bySummer             [2][]Symbol
	date                 []dateGroup
	dates                []date
	rule                 []uint8   // summer time by the rule, by date
	told                 [60]bool  // second tells the time
	first                int64     // day number of dates[0], since 1970
	changes              []int64   // of summer time, in UTC minutes
	around               [][2]near // the telegrams that announce the minute before a change, and the changed one
	dated                []int     // seconds that depend on the date or on summer time
	// announcements are seconds that tell of a change or a leap second to come.
	announcements []int
	// A change of summer time is announced by second changeBit being changeOne instead of changeZero; 0 is never.
	changeBit             int
	changeZero, changeOne Symbol
	others                []scored // scratch
	// cost counts the work of searches, in µs of a processor of 2020.
	cost float64
	// temper is what log likelihoods are multiplied with before odds are made of them.
	temper float64
}

// dateGroup is the seconds that depend on one part of the date, or on several together.
type dateGroup struct {
	seconds []int
	of      func(*date) int
	values  [][]Symbol // by part, then second; of several parts together, each combination of symbols once
	index   []uint16   // into values, by date
}

type date struct {
	day, month, year, weekday, yearday uint16
	summer                             bool // by the rule, at noon
}

// near is a telegram near a change of summer time.
type near struct {
	hour    int
	symbols []Symbol // of the plan's dated seconds
}

// aroundChange is how many minutes before and after a change the same hour, date and zone are sent.
const aroundChange = 60

const minutesADay = 1440

func newPlan(code *Code, from, to time.Time) *plan {
	p := &plan{code: code, symbols: len(code.Shapes) + len(code.Mixes), temper: temperStrange}
	from, to = from.UTC().Truncate(24*time.Hour), to.UTC()
	p.first = from.Unix() / 86400
	for t := from; !t.After(to); t = t.AddDate(0, 0, 1) {
		c := civilOf(t)
		p.dates = append(p.dates, date{uint16(c.Day), uint16(c.Month), uint16(c.Year), uint16(c.Weekday), uint16(c.YearDay),
			code.summer(t.Add(12 * time.Hour))})
	}
	if code.SummerTime != nil {
		for i := 1; i < len(p.dates); i++ {
			if p.dates[i].summer != p.dates[i-1].summer {
				h := time.Unix((p.first+int64(i)-1)*86400, 0).UTC()
				before := code.summer(h)
				for code.summer(h) == before {
					h = h.Add(time.Hour)
				}
				p.changes = append(p.changes, h.Unix()/60)
			}
		}
	}
	base := civilOf(time.Date(2021, 6, 16, 10, 22, 0, 0, time.UTC))
	p.fixed = code.Encode(base)
	vary := func(set func(*Civil, int), n int) (changed [60]bool) {
		for _, seed := range []time.Time{time.Date(2021, 6, 16, 10, 22, 0, 0, time.UTC), time.Date(2024, 11, 3, 7, 51, 0, 0, time.UTC)} {
			c := civilOf(seed)
			was := code.Encode(c)
			for v := range n {
				set(&c, v)
				for i, s := range code.Encode(c) {
					changed[i] = changed[i] || s != was[i]
				}
			}
		}
		return changed
	}
	plainMinute := func(v int) int {
		if code.Blank != nil && code.Blank(v) {
			return v - 1
		}
		return v
	}
	byMinute := vary(func(c *Civil, v int) { c.Minute = plainMinute(v) }, 60)
	byHour := vary(func(c *Civil, v int) { c.Hour = v }, 24)
	bySummer := vary(func(c *Civil, v int) { c.Summer = v == 1 }, 2)
	parts := []struct {
		n    int
		set  func(*Civil, int)
		of   func(*date) int
		does [60]bool
	}{
		{32, func(c *Civil, v int) { c.Day = v }, func(d *date) int { return int(d.day) }, [60]bool{}},
		{13, func(c *Civil, v int) { c.Month = v }, func(d *date) int { return int(d.month) }, [60]bool{}},
		{100, func(c *Civil, v int) { c.Year = 2000 + v }, func(d *date) int { return int(d.year) % 100 }, [60]bool{}},
		{7, func(c *Civil, v int) { c.Weekday = v }, func(d *date) int { return int(d.weekday) }, [60]bool{}},
		{367, func(c *Civil, v int) { c.YearDay = v }, func(d *date) int { return int(d.yearday) }, [60]bool{}},
	}
	for i := range parts {
		parts[i].does = vary(parts[i].set, parts[i].n)
	}
	groups := make([]dateGroup, len(parts))
	var whole dateGroup
	for i := range 60 {
		depends := -1
		n := 0
		for k := range parts {
			if parts[k].does[i] {
				depends, n = k, n+1
			}
		}
		switch {
		case n > 1:
			whole.seconds = append(whole.seconds, i)
		case n == 1:
			groups[depends].seconds = append(groups[depends].seconds, i)
		case byMinute[i] && byHour[i]:
			p.joint = append(p.joint, i)
		case byMinute[i]:
			p.minute = append(p.minute, i)
		case byHour[i]:
			p.hour = append(p.hour, i)
		case bySummer[i]:
			p.summer = append(p.summer, i)
		default:
			p.constant = append(p.constant, i)
		}
	}
	announce := vary(func(c *Civil, v int) { c.Change, c.Leap = v&1 == 1, v&2 == 2 }, 4)
	for i := range 60 {
		if announce[i] || code.LeapBit > 0 && i == code.LeapBit {
			p.announcements = append(p.announcements, i)
			p.fixed[i] = code.Rare
		}
	}
	changing := base
	changing.Change = true
	for i, y := range code.Encode(changing) {
		if zero := code.Encode(base)[i]; y != zero {
			p.changeBit, p.changeZero, p.changeOne = i, zero, y
		}
	}
	pick := func(c Civil, seconds []int) []Symbol {
		all := code.Encode(c)
		some := make([]Symbol, len(seconds))
		for k, i := range seconds {
			some[k] = all[i]
		}
		return some
	}
	for v := range 60 {
		c := base
		// A blank minute still tells its minute and hour.
		c.Minute = v
		p.byMinute[v] = pick(c, p.minute)
	}
	for v := range 24 {
		c := base
		c.Hour = v
		p.byHour[v] = pick(c, p.hour)
	}
	p.minuteBits = newBinary(code, p.minute, p.byMinute[:])
	p.hourBits = newBinary(code, p.hour, p.byHour[:])
	for v := range minutesADay {
		c := base
		c.Hour, c.Minute = v/60, v%60
		p.byTime = append(p.byTime, pick(c, p.joint))
	}
	for v := range 2 {
		c := base
		c.Summer = v == 1
		p.bySummer[v] = pick(c, p.summer)
	}
	for k, g := range groups {
		if len(g.seconds) == 0 {
			continue
		}
		g.of = parts[k].of
		for v := range parts[k].n {
			c := base
			parts[k].set(&c, v)
			g.values = append(g.values, pick(c, g.seconds))
		}
		p.date = append(p.date, g)
	}
	for k := range p.date {
		g := &p.date[k]
		for d := range p.dates {
			g.index = append(g.index, uint16(g.of(&p.dates[d])))
		}
	}
	if len(whole.seconds) > 0 {
		known := map[string]uint16{}
		for i := range p.dates {
			c := civilOf(time.Unix((p.first+int64(i))*86400, 0).UTC())
			c.Hour, c.Minute = base.Hour, base.Minute
			symbols := pick(c, whole.seconds)
			text := fmt.Sprint(symbols)
			v, ok := known[text]
			if !ok {
				v = uint16(len(whole.values))
				known[text] = v
				whole.values = append(whole.values, symbols)
			}
			whole.index = append(whole.index, v)
		}
		p.date = append(p.date, whole)
	}
	for d := range p.dates {
		p.rule = append(p.rule, 0)
		if p.dates[d].summer {
			p.rule[d] = 1
		}
	}
	for i := range p.told {
		p.told[i] = !slices.Contains(p.constant, i)
	}
	p.dated = append(p.dated, p.summer...)
	for _, g := range p.date {
		p.dated = append(p.dated, g.seconds...)
	}
	p.around = make([][2]near, len(p.changes))
	for i, change := range p.changes {
		for k := range p.around[i] {
			c := p.civil(change+int64(k-1-code.LeadMinutes), false)
			p.around[i][k] = near{c.Hour, pick(c, p.dated)}
		}
	}
	return p
}
