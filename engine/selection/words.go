package selection

import (
	"fmt"
	"math"
	"strings"
	"time"

	"timestation/engine/status"
)

// Verdict is the decision on one candidate.
type Verdict struct {
	State       status.SourceState
	Explanation string
}

// explain writes the verdicts and the sentence.
func (r *Result) explain(candidates, members []Candidate, best Candidate, voices int, policy Policy) {
	r.Verdicts = map[string]Verdict{}
	var odd []string
	for _, c := range candidates {
		v := r.judge(c, best, isMember(c, members), voices, policy)
		r.Verdicts[c.Name] = v
		switch distance := c.Offset - best.Offset; {
		case r.Contradiction || best.Name == "":
		case v.State == status.Falseticker:
			odd = append(odd, fmt.Sprintf("%s is %s off and ignored", c.Name, Span(distance)))
		case c.CompareOnly && distance.Abs() > c.MaxError+best.MaxError:
			odd = append(odd, fmt.Sprintf("%s, only compared, is %s off", c.Name, Span(distance)))
		}
	}
	r.Sentence = strings.Join(append([]string{r.headline(candidates, members, best, policy)}, odd...), "; ")
}

func (r *Result) headline(candidates, members []Candidate, best Candidate, policy Policy) string {
	switch {
	case r.Contradiction:
		var claims []string
		for _, c := range candidates {
			if !c.CompareOnly {
				claims = append(claims, fmt.Sprintf("%s %+.3g s", c.Name, c.Offset.Seconds()))
			}
		}
		return "no majority: " + strings.Join(claims, ", ")
	case best.Name == "":
		return "no source has a vote"
	case r.Wanting:
		return fmt.Sprintf("%s: %d of the %d independent sources that are demanded", names(members), r.Voices, policy.Voices)
	case len(members) == 1:
		return best.Name + " is followed alone: nothing checks it"
	case r.alone:
		return names(members) + " are of one receiver: nothing else checks them"
	}
	widest := time.Duration(0)
	for _, m := range members {
		widest = max(widest, (m.Offset - best.Offset).Abs())
	}
	return fmt.Sprintf("%s agree within %s", names(members), Span(widest))
}

func (r *Result) judge(c, best Candidate, agrees bool, voices int, policy Policy) Verdict {
	distance := Span(c.Offset - best.Offset)
	switch {
	case c.CompareOnly && best.Name == "":
		return Verdict{status.Compared, "compared only, and there is nothing to compare it with"}
	case c.CompareOnly:
		return Verdict{status.Compared, fmt.Sprintf("compared only: %s from %s", distance, best.Name)}
	case r.Contradiction:
		return Verdict{status.Falseticker, fmt.Sprintf("%d sources contradict each other and none has a majority", voices)}
	case agrees && r.Wanting:
		return Verdict{status.Agreeing, fmt.Sprintf("%d of the %d independent sources that are demanded", r.Voices, policy.Voices)}
	case c.Name == best.Name && r.alone:
		return Verdict{status.Selected, "followed; it is alone, so nothing checks it"}
	case c.Name == best.Name:
		return Verdict{status.Selected, fmt.Sprintf("followed: the smallest error bound of %d that agree", len(r.Members))}
	case agrees:
		return Verdict{status.Agreeing, fmt.Sprintf("agrees with %s within %s", best.Name, distance)}
	}
	return Verdict{status.Falseticker, fmt.Sprintf("%s away from %s, more than both bounds allow", distance, best.Name)}
}

func names(members []Candidate) string {
	var all []string
	for _, m := range members {
		all = append(all, m.Name)
	}
	if len(all) == 1 {
		return all[0]
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}

// Span says how far apart two times are as a person would: three digits, no sign.
func Span(d time.Duration) string {
	d = d.Abs()
	if d == 0 {
		return "0 s"
	}
	digits := math.Pow(10, math.Floor(math.Log10(float64(d)))-2)
	if digits > 1 {
		d = d.Round(time.Duration(digits))
	}
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return fmt.Sprintf("%g µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%g ms", float64(d)/1e6)
	case d < 3*time.Minute:
		return fmt.Sprintf("%g s", d.Seconds())
	}
	switch {
	case d < 3*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 72*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}
