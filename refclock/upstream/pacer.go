package upstream

import (
	"math"
	"math/rand/v2"
	"time"
)

// The poll interval adapts as in RFC 5905 (sections 12 and 13, and its appendix A.1.1): it doubles when the counter of good
// and bad offsets, weighed by log2 of the interval, passes LIMIT, and halves below −LIMIT.
const (
	pollGate  = 4  // PGATE: an offset is good if it surprises by no more than so many times what the path may have done
	pollLimit = 30 // LIMIT
	// leastSpread is in seconds: what offsets scatter by where the path is perfectly quiet.
	leastSpread = 20e-6
	// aStep is in seconds: beyond it, one of the clocks was set, and what was learned is void.
	aStep = 0.1
	// newest is the weight of the newest measurement in what is learned.
	newest = 0.25
	// firstBurst is how many requests begin, so that the time is known within seconds; burstGap is between them.
	firstBurst = 4
	burstGap   = 2 * time.Second
	// silentPoll is between polls of a server that has not answered for a while, within poll_min and poll_max.
	silentPoll = 64 * time.Second
	// pollSpread is by what fraction an interval is lengthened at random, so that clients do not come in step.
	pollSpread = 0.04
)

// pacer says when to ask next.
type pacer struct {
	min, max time.Duration
	interval time.Duration
	// floor is what a server has asked us to keep to by the kiss code RATE.
	floor   time.Duration
	counter int
	burst   int
	reach   uint8
	silent  bool

	// offset is the local clock's error at stamp, as measured last, and rate how it changes; quickest is the shortest round
	// trip, and spread half of what others take longer. All are in seconds.
	known            int
	stamp, offset    float64
	rate             float64
	quickest, spread float64
}

func newPacer(min, max, floor time.Duration) pacer {
	return pacer{min: min, max: max, floor: floor, interval: min}
}

// next is how long to wait after a poll.
func (p *pacer) next() time.Duration {
	d := p.interval
	switch {
	case p.burst > 0 && p.floor == 0:
		return burstGap
	case p.reach == 0 && p.silent:
		d = min(max(silentPoll, p.min), p.max)
	}
	d = max(d, p.floor)
	return d + time.Duration(rand.Float64()*pollSpread*float64(d))
}

// missed notes a poll without an answer.
func (p *pacer) missed() {
	p.reach <<= 1
	p.burst = 0
	p.turn(-2)
}

// answered notes a poll with an answer, of whatever use.
func (p *pacer) answered() {
	if p.reach == 0 {
		p.known, p.silent = 0, false
		p.burst = firstBurst
	}
	p.reach = p.reach<<1 | 1
	p.burst = max(0, p.burst-1)
}

// rest notes that a server is of no use at all: it is asked now and then, in case that changes.
func (p *pacer) rest() { p.burst, p.interval = 0, p.max }

// rated notes that the server wants to be asked less often (RFC 5905, section 7.4).
func (p *pacer) rated() {
	p.burst = 0
	p.floor = min(2*max(p.interval, p.floor), longestPoll*time.Second)
}

// measured takes an offset and its round trip, at a local stamp; all in seconds. What surprises by more than the path can
// explain is the wandering of a clock, and makes the interval shrink; otherwise it grows. A steady drift is expected,
// whatever its rate.
func (p *pacer) measured(stamp, offset, delay float64) {
	elapsed := stamp - p.stamp
	surprise := offset - (p.offset + p.rate*elapsed)
	if elapsed <= 0 || math.Abs(surprise) > aStep {
		p.known = 0
	}
	if p.known == 0 || delay < p.quickest {
		p.quickest = delay
	}
	p.spread += newest * ((delay-p.quickest)/2 - p.spread)
	switch p.known {
	case 0:
		p.rate = 0
	case 1:
		p.rate = surprise / elapsed
	default:
		if math.Abs(surprise) <= pollGate*max(p.spread, leastSpread) {
			p.turn(1)
		} else {
			p.turn(-2)
		}
		p.rate += newest * surprise / elapsed
	}
	p.known = min(p.known+1, 2)
	p.stamp, p.offset = stamp, offset
}

// turn moves the counter by so many times log2 of the interval.
func (p *pacer) turn(by int) {
	if p.burst > 0 {
		return
	}
	p.counter += by * max(1, int(math.Log2(p.interval.Seconds())))
	switch {
	case p.counter > pollLimit:
		p.interval, p.counter = min(2*p.interval, p.max), 0
	case p.counter < -pollLimit:
		p.interval, p.counter = max(p.interval/2, p.min), 0
	}
}
