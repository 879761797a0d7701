package serve

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A socket that is asked a thousand times a second is not listened to but looked after in rounds. Being woken costs the
// program many times what answering does, and a round answers some requests for one wake. No client is told a worse time for
// it: arrivals are stamped by the kernel, each answer says when it leaves, and what lies between the two is no part of the
// delay that the client reckons with (RFC 5905, section 8). A socket that is asked more seldom would gain nothing, and one
// that is asked more often is hardly ever asleep.
const (
	// roundsFrom and roundsTo are the requests a second between which there are rounds.
	roundsFrom, roundsTo = 400, 4000
	// perRound is how many requests a round is to answer, within the limits of its length.
	perRound                    = 3
	shortestRound, longestRound = time.Millisecond, 4 * time.Millisecond
	// stretch is how many requests, or rounds, it takes to decide anew; manyInRound requests do it at once.
	stretch, manyInRound = 32, 16
)

// rounds decides whether a socket is looked after in rounds, and how long one is.
type rounds struct {
	on             bool
	length         time.Duration
	since          time.Time // this stretch began
	requests, done int       // in this stretch; done are the rounds
}

// note takes in that n requests lay in the socket, the last time one did at now, and reports whether on has changed.
func (r *rounds) note(n int, now time.Time) (changed bool) {
	r.requests += n
	if r.on {
		if r.done++; r.done < stretch && n < manyInRound {
			return false
		}
	} else if r.requests < stretch {
		return false
	}
	rate := float64(r.requests) / now.Sub(r.since).Seconds()
	next := rounds{on: n < manyInRound && rate > roundsFrom && rate < roundsTo, since: now}
	if next.on {
		next.length = min(max(time.Duration(perRound/rate*1e9), shortestRound), longestRound)
	}
	changed = next.on != r.on
	*r = next
	return changed
}

// rest has the next round told after a while; the socket is not listened to meanwhile.
func (s *socket) rest(length time.Duration) error {
	due := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(length))}
	return os.NewSyscallError("timerfd_settime", unix.TimerfdSettime(s.timer, 0, &due, nil))
}
