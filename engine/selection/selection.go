// Package selection decides which sources tell the truth and which of them the station follows. It is pure.
package selection

import (
	"fmt"
	"time"

	"timestation/engine/status"
)

// Candidate is one source's claim: the true time lies within MaxError of Offset.
type Candidate struct {
	Name string
	// Receiver is the piece of hardware behind the source: two sources of one receiver are one voice.
	Receiver string
	// Offset is the source's time minus any reference common to all candidates.
	Offset   time.Duration
	MaxError time.Duration
	// CompareOnly sources are judged but have no vote.
	CompareOnly bool
}

// Verdict is the decision on one candidate.
type Verdict struct {
	State       status.SourceState
	Explanation string
}

// Result is the decision on all.
type Result struct {
	// Selected is the source to follow; empty when there is none, or no majority.
	Selected string
	Verdicts map[string]Verdict
	// Contradiction is set when candidates with a vote exist but no majority of them agrees.
	Contradiction bool
}

// keepFactor is how much wider than the best the bound of the source followed so far may be before it is left: changing
// over costs a small jump each time.
const keepFactor = 1.5

// Select finds the largest set of voices whose intervals share a point (K. Marzullo's algorithm as in RFC 5905, section
// 11.2.1), demands that it is more than half of all voices, and follows the one of them with the smallest bound.
func Select(candidates []Candidate, followed string) Result {
	result := Result{Verdicts: map[string]Verdict{}}
	var voters []Candidate
	all := map[string]bool{}
	for _, c := range candidates {
		if !c.CompareOnly {
			voters = append(voters, c)
			all[c.voice()] = true
		}
	}
	members, voices := largestAgreement(voters)
	if len(voters) > 0 && 2*voices <= len(all) {
		result.Contradiction = true
		for _, c := range candidates {
			result.Verdicts[c.Name] = Verdict{status.Falseticker,
				fmt.Sprintf("%d sources contradict each other and none has a majority", len(all))}
		}
		return result
	}
	best := Candidate{}
	for _, c := range members {
		if best.Name == "" || c.MaxError < best.MaxError {
			best = c
		}
	}
	for _, c := range members {
		if c.Name == followed && float64(c.MaxError) <= keepFactor*float64(best.MaxError) {
			best = c
		}
	}
	result.Selected = best.Name
	for _, c := range candidates {
		result.Verdicts[c.Name] = judge(c, best, isMember(c, members), voices)
	}
	return result
}

func judge(c, best Candidate, agrees bool, voices int) Verdict {
	distance := (c.Offset - best.Offset).Abs().Round(time.Microsecond)
	switch {
	case best.Name == "":
		return Verdict{status.Compared, "compared only, and there is nothing to compare it with"}
	case c.CompareOnly:
		return Verdict{status.Compared, fmt.Sprintf("compared only: %v from %s", distance, best.Name)}
	case c.Name == best.Name && voices == 1:
		return Verdict{status.Selected, "followed; it is alone, so nothing checks it"}
	case c.Name == best.Name:
		return Verdict{status.Selected, fmt.Sprintf("followed: the smallest error bound of %d that agree", voices)}
	case agrees:
		return Verdict{status.Agreeing, fmt.Sprintf("agrees with %s within %v", best.Name, distance)}
	}
	return Verdict{status.Falseticker, fmt.Sprintf("%v away from %s, more than both bounds allow", distance, best.Name)}
}

// largestAgreement returns the candidates around the point that most voices contain. The left end of some interval is
// always such a point.
func largestAgreement(voters []Candidate) (members []Candidate, voices int) {
	for _, at := range voters {
		point := at.Offset - at.MaxError
		var here []Candidate
		heard := map[string]bool{}
		for _, c := range voters {
			if c.Offset-c.MaxError <= point && point <= c.Offset+c.MaxError {
				here = append(here, c)
				heard[c.voice()] = true
			}
		}
		if len(heard) > voices {
			members, voices = here, len(heard)
		}
	}
	return
}

func isMember(c Candidate, members []Candidate) bool {
	for _, m := range members {
		if m.Name == c.Name {
			return true
		}
	}
	return false
}

func (c Candidate) voice() string {
	if c.Receiver != "" {
		return "receiver " + c.Receiver
	}
	return "source " + c.Name
}
