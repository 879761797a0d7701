package longwave

import "time"

// Acquire looks for the time in the last seconds, whether it may be believed or not: the UTC that began at a bin, and the log
// odds against all others.
func (d *Decoder) Acquire(seconds int) (bin float64, utc time.Time, odds float64, ok bool) {
	a := d.acquire(seconds)
	if a == nil || a.hypothesis.minute == 0 {
		return 0, time.Time{}, 0, false
	}
	return a.at(a.phase), time.Unix(a.hypothesis.start()*60, 0).UTC(), a.odds, true
}

// Hear takes a bin and looks for nothing.
func (d *Decoder) Hear(v uint8) {
	d.history.add(v)
	if d.history.end()%blockBins == 0 {
		d.blocks.add(&d.history)
	}
}
