package discipline

import (
	"maps"
	"slices"
	"time"
)

// Clone gives a filter that knows the same and goes its own way from here.
func (f *Filter) Clone() *Filter {
	c := *f
	c.bank = slices.Clone(f.bank)
	c.opening = slices.Clone(f.opening)
	c.thermometer.members = slices.Clone(f.thermometer.members)
	c.watch.rivals = slices.Clone(f.watch.rivals)
	for i := range c.watch.rivals {
		c.watch.rivals[i].bank = slices.Clone(c.watch.rivals[i].bank)
	}
	c.voices = maps.Clone(f.voices)
	for name, v := range c.voices {
		own := *v
		c.voices[name] = &own
	}
	return &c
}

// Shift moves the estimate by d, and states systematic as the limit of the error its sources share: what was learned of
// their bias is taken off.
func (f *Filter) Shift(d, systematic time.Duration) {
	f.tai += int64(d)
	f.trend.last.tai += int64(d)
	f.span = span{}
	if f.before != nil {
		before := *f.before
		before.last.tai += int64(d)
		f.before = &before
	}
	for i := range f.watch.rivals {
		f.watch.rivals[i].tai += int64(d)
	}
	for i := range f.opening {
		f.opening[i].TAI += int64(d)
	}
	for _, v := range f.voices {
		v.systematic = systematic.Seconds()
	}
}
