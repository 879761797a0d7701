package longwave

import "time"

// civil gives the telegram of the minute that begins at a UTC minute.
func (p *plan) civil(minute int64, contrary bool) Civil {
	t := time.Unix(minute*60, 0).UTC()
	c := p.code.At(t)
	if contrary {
		summer := !c.Summer
		announced := t.Add(time.Duration(p.code.LeadMinutes) * time.Minute)
		c = civilOf(announced.Add(p.code.offset(summer)))
		c.Summer = summer
	}
	return c
}

// fit compares the evidence with what a hypothesis predicts.
func (p *plan) fit(all []evidence, h hypothesis, from, to int) (found, expected, variance float64) {
	n := h.phase - 60
	for minute := h.minute; n < to; minute++ {
		symbols := p.encode(minute, h.contrary)
		for _, y := range symbols {
			if n >= from && n < to && int(y) < len(p.code.Shapes) {
				found += all[n].of[y]
				expected += all[n].expected
				variance += all[n].variance
			}
			n++
		}
	}
	return found, expected, variance
}

// score is the log likelihood of a hypothesis over some of the seconds of its window.
func (p *plan) score(all []evidence, h hypothesis, from, to int) float64 {
	sum := 0.0
	n := h.phase - 60
	for minute := h.minute; n < to; minute++ {
		symbols := p.encode(minute, h.contrary)
		for _, y := range symbols {
			if n >= from && n < to {
				sum += all[n].of[y]
			}
			n++
		}
	}
	return sum
}

// encode gives the symbols of the minute that begins at a UTC minute; announcements are left open.
func (p *plan) encode(minute int64, contrary bool) [60]Symbol {
	symbols := p.code.Encode(p.civil(minute, contrary))
	for _, i := range p.announcements {
		symbols[i] = p.code.Rare
	}
	return symbols
}
