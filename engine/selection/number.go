package selection

import "time"

// SecondKnownWithin is how well the companion of a pulse must know the time for the pulse to be numbered: with half a
// second less a tenth, no pulse can be taken for its neighbour.
const SecondKnownWithin = 400 * time.Millisecond

// Number says which second a pulse marks: the multiple of period in TAI that is nearest to what the companion says the
// time was at its edge. It is false while the companion does not know the time to better than SecondKnownWithin, or, for
// other periods, to the same share of it.
func Number(companion int64, maxError, period time.Duration) (tai int64, ok bool) {
	if period <= 0 || !within(maxError, period) {
		return 0, false
	}
	p := int64(period)
	second := companion - mod(companion, p)
	if companion-second > p/2 {
		second += p
	}
	return second, true
}

func within(maxError, period time.Duration) bool {
	return maxError.Seconds() < SecondKnownWithin.Seconds()*period.Seconds()
}

func mod(a, b int64) int64 {
	m := a % b
	if m < 0 {
		m += b
	}
	return m
}
