package notify

import "time"

// budget says how often something may be said: so many times at once, and once more each time every has passed.
type budget struct {
	most  float64
	every time.Duration
}

var (
	// perAlert bounds the notices about one alert, perPeople and perProgram the messages to one place.
	perAlert   = budget{6, time.Hour}
	perPeople  = budget{8, 10 * time.Minute}
	perProgram = budget{60, time.Minute}
)

// purse is what is left of a budget.
type purse struct {
	// Left is how many times something may still be said.
	Left float64 `json:"left"`
	at   time.Time
}

// refill adds what has come in since the last look; a purse from before a restart goes on from where it was.
func (p *purse) refill(b budget, now time.Time) {
	if !p.at.IsZero() {
		p.Left += float64(now.Sub(p.at)) / float64(b.every)
	}
	p.Left, p.at = min(p.Left, b.most), now
}

// whole is how many times something may be said now. What is a hair short of a whole one for the rounding counts.
func (p *purse) whole() int { return int(p.Left + 1e-9) }

// spend takes one; the purse may go into debt.
func (p *purse) spend() { p.Left-- }

// wait is how long until there is one.
func (p *purse) wait(b budget) time.Duration {
	if p.whole() > 0 {
		return 0
	}
	return time.Duration((1-p.Left)*float64(b.every)) + time.Millisecond
}
