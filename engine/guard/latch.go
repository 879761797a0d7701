package guard

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"timestation/refclock"
)

// The policies by which a latched jump is released.
const (
	// ByPerson: somebody must accept the jump.
	ByPerson = "person"
	// ByAgreement: a person, or enough independent sources that say the same as the one that jumped.
	ByAgreement = "agreement"
)

// LatchConfig says what counts as a jump and who may release it.
type LatchConfig struct {
	// Limit is how far from the station's time a source may turn up and still be followed, where the station's own error
	// bound does not allow more.
	Limit time.Duration
	// Release is ByPerson or ByAgreement.
	Release string
	// Voices is how many independent voices beside the source's own must agree with it, for AgreeFor without a break.
	Voices   int
	AgreeFor time.Duration
	// ReturnFor is for how long a source must have been back at the station's time to be followed again without anybody's
	// word: nothing jumps then.
	ReturnFor time.Duration
}

// DefaultLatchConfig waits for a person.
func DefaultLatchConfig() LatchConfig {
	return LatchConfig{
		Limit: 50 * time.Millisecond, Release: ByPerson, Voices: 2, AgreeFor: 5 * time.Minute, ReturnFor: 10 * time.Minute,
	}
}

// TheVote is the name under which the combination of all sources is judged.
const TheVote = ""

// Claim is what a source, or TheVote, says of the time now.
type Claim struct {
	Source string
	// Receiver is the hardware behind it: claims that share one are one voice.
	Receiver string
	// Offset is the source's time minus the station's; the true time is within MaxError of the source's.
	Offset, MaxError time.Duration
	// CompareOnly: it has no voice.
	CompareOnly bool
}

// Held is one latched jump. It goes into the state file as it is.
type Held struct {
	Source string `json:"source"`
	// Since is the station's time when it was latched.
	Since refclock.UTC `json:"since"`
	// JumpSeconds is how far it jumped, OffsetSeconds how far from the station's time it is now, fast positive.
	JumpSeconds   float64 `json:"jump_seconds"`
	OffsetSeconds float64 `json:"offset_seconds"`
	// LimitSeconds is what was allowed when it jumped: the station's bound grows later, and must not swallow the jump.
	LimitSeconds float64 `json:"limit_seconds"`

	// agreed and back are since when it has been agreed with, or back at the station's time, by the elapsed time of
	// Judge; never while nil.
	agreed, back *time.Duration
}

// Explain says the matter in one sentence.
func (h Held) Explain() string {
	who := h.Source
	if h.Source == TheVote {
		who = "the sources together"
	}
	return fmt.Sprintf("%s jumped by %s at %s, more than the %s allowed, and is not followed", who,
		amount(h.JumpSeconds), h.Since, amount(h.LimitSeconds))
}

// Release says that a latched jump was released.
type Release struct {
	Held
	// How is accepted, agreement or returned; By is the person or the sources.
	How, By string
}

// The ways a latched jump ends.
const (
	ReleasedAccepted  = "accepted"
	ReleasedAgreement = "agreement"
	ReleasedReturned  = "returned"
)

// Latch refuses to follow what jumps. It is pure and for one goroutine.
type Latch struct {
	config  LatchConfig
	held    []Held
	passes  []pass
	elapsed time.Duration // of the last Judge
}

// pass lets a source through at an offset that was accepted, until the station has followed it there.
type pass struct {
	source string
	offset float64
	until  time.Duration
}

// passFor is how long the station may take to follow what was accepted: the source has to settle again first.
const passFor = 15 * time.Minute

// NewLatch makes an open latch.
func NewLatch(config LatchConfig) *Latch { return &Latch{config: config} }

// Held gives what is latched, the first first. The state file keeps it.
func (l *Latch) Held() []Held { return slices.Clone(l.held) }

// Restore takes back what Held gave before a restart.
func (l *Latch) Restore(held []Held) {
	l.held = nil
	for _, h := range held {
		if !l.Holds(h.Source) && h.LimitSeconds >= 0 {
			h.agreed, h.back = nil, nil
			l.held = append(l.held, h)
		}
	}
}

// Holds tells whether a source, or TheVote, must not be followed.
func (l *Latch) Holds(source string) bool { return l.index(source) >= 0 }

// Accept releases a source's jump on a person's word: its new time may be followed, for which the station has 15 min. It is
// an error when none is latched.
func (l *Latch) Accept(source, by string) (Release, error) {
	i := l.index(source)
	if i < 0 {
		if source == "" {
			return Release{}, errors.New("no jump is held back; there is nothing to accept")
		}
		return Release{}, fmt.Errorf("no jump of %q is held back; `timestation status` shows what is", source)
	}
	if by == "" {
		return Release{}, fmt.Errorf("the jump of %q is held back: say who accepts it", source)
	}
	return l.release(i, ReleasedAccepted, by), nil
}

// Judge looks at what the sources claim, once a publication, while the station has a time: now is that time, elapsed any
// clock that never goes back, bound the station's own error bound. It gives what has been latched anew and what
// released. Before the first lock there is nothing to jump from, and it must not be called.
func (l *Latch) Judge(now refclock.UTC, elapsed, bound time.Duration, claims []Claim) (latched []Held, released []Release) {
	limit := max(l.config.Limit, bound)
	l.elapsed = elapsed
	for _, c := range claims {
		if c.CompareOnly {
			continue
		}
		i := l.index(c.Source)
		if i < 0 && c.Offset.Abs() > limit && !l.mayPass(c, limit) {
			h := Held{
				Source: c.Source, Since: now, LimitSeconds: limit.Seconds(),
				JumpSeconds: c.Offset.Seconds(), OffsetSeconds: c.Offset.Seconds(),
			}
			l.held = append(l.held, h)
			latched = append(latched, h)
		}
		if i < 0 {
			continue
		}
		h := &l.held[i]
		h.OffsetSeconds = c.Offset.Seconds()
		supporters := supporters(c, claims)
		agrees := l.config.Release == ByAgreement && len(supporters) >= max(l.config.Voices, 1)
		// Half-way back is not back: with a wide limit the latch would never have closed.
		back := c.Offset.Abs().Seconds() <= min(h.LimitSeconds, math.Abs(h.JumpSeconds)/2)
		switch {
		case lasts(&h.back, back, elapsed, l.config.ReturnFor):
			released = append(released, l.release(i, ReleasedReturned, "its own return to the station's time"))
		case lasts(&h.agreed, agrees, elapsed, l.config.AgreeFor):
			released = append(released, l.release(i, ReleasedAgreement, sentence(supporters)))
		}
	}
	return latched, released
}

// mayPass tells whether a claim is what was accepted a while ago.
func (l *Latch) mayPass(c Claim, limit time.Duration) bool {
	return slices.ContainsFunc(l.passes, func(p pass) bool {
		return p.source == c.Source && l.elapsed < p.until && math.Abs(c.Offset.Seconds()-p.offset) <= limit.Seconds()
	})
}

// supporters names the independent voices whose intervals meet the claim's, one name a voice.
func supporters(c Claim, claims []Claim) []string {
	heard := map[string]bool{c.voice(): true}
	var names []string
	for _, other := range claims {
		apart := (other.Offset - c.Offset).Abs()
		if other.CompareOnly || other.Source == TheVote || heard[other.voice()] || apart > c.MaxError+other.MaxError {
			continue
		}
		heard[other.voice()] = true
		names = append(names, other.Source)
	}
	return names
}

func (c Claim) voice() string { return cmp.Or(c.Receiver, "source "+c.Source) }

// lasts keeps in since when a condition began, and tells whether it has held for long enough.
func lasts(since **time.Duration, holds bool, elapsed, enough time.Duration) bool {
	switch {
	case !holds:
		*since = nil
	case *since == nil:
		*since = &elapsed
	default:
		return elapsed-**since >= enough
	}
	return false
}

func (l *Latch) index(source string) int {
	return slices.IndexFunc(l.held, func(h Held) bool { return h.Source == source })
}

func (l *Latch) release(i int, how, by string) Release {
	r := Release{Held: l.held[i], How: how, By: by}
	l.held = slices.Delete(l.held, i, i+1)
	l.passes = slices.DeleteFunc(l.passes, func(p pass) bool { return p.source == r.Source || l.elapsed >= p.until })
	if how != ReleasedReturned {
		l.passes = append(l.passes, pass{r.Source, r.OffsetSeconds, l.elapsed + passFor})
	}
	return r
}
