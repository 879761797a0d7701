package access

import (
	"net/netip"
	"sync"
	"time"

	"timestation/engine/status"
)

const (
	// mostGuesses is how many wrong tokens an address may show within guessWindow.
	mostGuesses = 5
	guessWindow = time.Minute
	// mostGuessers bounds the table; the one whose last guess is the longest ago makes room.
	mostGuessers = 4096
)

// Attempts counts wrong tokens by the address that they come from; of IPv6 it is the network of 64 bits, which one
// machine can have all of.
type Attempts struct {
	clock stopwatch
	mu    sync.Mutex
	all   map[netip.Prefix]guesses
}

type guesses struct {
	count int
	last  time.Duration
}

// NewAttempts has counted none.
func NewAttempts() *Attempts {
	return &Attempts{clock: startStopwatch(), all: map[netip.Prefix]guesses{}}
}

// Barred is how long an address must wait before its next try; 0 if it need not.
func (a *Attempts) Barred(from netip.Addr) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, known := a.all[status.Network(from)]
	if !known || g.count < mostGuesses {
		return 0
	}
	return max(0, g.last+guessWindow-a.clock.elapsed())
}

// Failed counts a wrong token.
func (a *Attempts) Failed(from netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now, key := a.clock.elapsed(), status.Network(from)
	g, known := a.all[key]
	if !known && len(a.all) >= mostGuessers {
		a.makeRoom(now)
	}
	if now-g.last > guessWindow {
		g.count = 0
	}
	a.all[key] = guesses{g.count + 1, now}
}

func (a *Attempts) makeRoom(now time.Duration) {
	var longest netip.Prefix
	first := now + 1
	for key, g := range a.all {
		if now-g.last > guessWindow {
			delete(a.all, key)
		} else if g.last < first {
			longest, first = key, g.last
		}
	}
	if len(a.all) >= mostGuessers {
		delete(a.all, longest)
	}
}
