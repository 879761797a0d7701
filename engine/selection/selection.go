// Package selection decides which sources tell the truth, which of them the station follows, which second a pulse marks
// and what constant error one source has against another. It is pure.
package selection

import (
	"sort"
	"time"
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
	// Unproven sources have a vote but do not count towards Policy.Voices: whoever is on the network can speak for an NTP
	// server without a key.
	Unproven bool
}

// Policy is what the station demands before it believes.
type Policy struct {
	// Voices is how many independent ones must agree, if it is more than one.
	Voices int
}

// Result is the decision on all.
type Result struct {
	// Selected is the source to follow; empty when there is none, or no majority, or the policy is not met.
	Selected string
	// Members are the sources that agree, Voices how many independent ones of those count.
	Members []string
	Voices  int
	// Offset ± MaxError is what all members have in common: the truth if they tell it.
	Offset, MaxError time.Duration
	Verdicts         map[string]Verdict
	// Contradiction is set when candidates with a vote exist but no majority of them agrees; Wanting when too few do for
	// the policy.
	Contradiction, Wanting bool
	// Sentence says the decision in words.
	Sentence string
	// alone: whatever agrees is of one receiver.
	alone bool
}

// keepFactor is how much wider than the best the bound of the source followed so far may be before it is left: changing
// over costs a small jump each time.
const keepFactor = 1.5

// Select finds the largest set of voices whose intervals share a point (K. Marzullo's algorithm as in RFC 5905, section
// 11.2.1), demands that it is more than half of all voices and as many as the policy wants, and follows the one of them
// with the smallest bound, or the one followed so far while it is nearly as good.
func Select(candidates []Candidate, followed string, policy Policy) Result {
	var voters []Candidate
	all := map[string]bool{}
	for _, c := range candidates {
		if !c.CompareOnly {
			voters = append(voters, c)
			all[c.voice()] = true
		}
	}
	members, voices := largestAgreement(voters)
	result := Result{Voices: counting(members), alone: voices == 1}
	if len(voters) > 0 {
		result.Contradiction = 2*voices <= len(all)
		result.Wanting = !result.Contradiction && policy.Voices > 1 && result.Voices < policy.Voices
	}
	var best Candidate
	if !result.Contradiction {
		best = choose(members, followed)
		for _, m := range members {
			result.Members = append(result.Members, m.Name)
		}
		result.Offset, result.MaxError = common(members)
		if !result.Wanting {
			result.Selected = best.Name
		}
	}
	result.explain(candidates, members, best, len(all), policy)
	return result
}

// choose takes the member with the smallest bound, unless the one followed so far is nearly as good.
func choose(members []Candidate, followed string) Candidate {
	var best Candidate
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
	return best
}

// common is the stretch that all members' intervals share.
func common(members []Candidate) (offset, maxError time.Duration) {
	if len(members) == 0 {
		return 0, 0
	}
	low, high := members[0].Offset-members[0].MaxError, members[0].Offset+members[0].MaxError
	for _, c := range members[1:] {
		low, high = max(low, c.Offset-c.MaxError), min(high, c.Offset+c.MaxError)
	}
	return (low + high) / 2, (high - low) / 2
}

// largestAgreement returns the candidates around the point that most voices contain, and of several such points one that
// most candidates do. The left end of some interval is always such a point.
func largestAgreement(voters []Candidate) (members []Candidate, voices int) {
	spans := spans(voters)
	for _, at := range spans {
		var here []Candidate
		heard := map[string]bool{}
		for i, c := range voters {
			if spans[i].low <= at.low && at.low <= spans[i].high {
				here = append(here, c)
				heard[c.voice()] = true
			}
		}
		if len(heard) > voices || len(heard) == voices && len(here) > len(members) {
			members, voices = here, len(heard)
		}
	}
	sort.SliceStable(members, func(i, j int) bool { return members[i].MaxError < members[j].MaxError })
	return
}

// span is where a source says the truth is.
type span struct{ low, high time.Duration }

// spans gives each voter's. Sources of one receiver that do not contradict each other say together what they have in
// common: else the wide word of its sentences could support somebody whom its own pulse contradicts.
func spans(voters []Candidate) []span {
	all := make([]span, len(voters))
	together := map[string]span{}
	for i, c := range voters {
		all[i] = span{c.Offset - c.MaxError, c.Offset + c.MaxError}
		s, other := together[c.voice()]
		if !other {
			s = all[i]
		}
		together[c.voice()] = span{max(s.low, all[i].low), min(s.high, all[i].high)}
	}
	for i, c := range voters {
		if s := together[c.voice()]; s.low <= s.high {
			all[i] = s
		}
	}
	return all
}

// counting is how many independent voices the members have that the policy accepts.
func counting(members []Candidate) int {
	heard := map[string]bool{}
	for _, c := range members {
		if !c.Unproven {
			heard[c.voice()] = true
		}
	}
	return len(heard)
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
