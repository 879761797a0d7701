package studio

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"timestation/refclock"
)

const (
	// Timers is how many timers there are.
	Timers = 4
	// maxMessages bounds the list against an automation that never takes one away.
	maxMessages = 32
	// overFor is how long a back-timing goes on counting, below zero, when its moment has passed.
	overFor = time.Minute
	// longestTimer bounds what a timer is set to.
	longestTimer = 100 * time.Hour
)

// timerNames are what the timers are called until somebody says otherwise.
var timerNames = [Timers]string{"Mic", "Phone", "Timer", "Stream"}

// Board is the one place where what stands on the wall is changed. Its methods may be called from any goroutine. Lights are
// off when a station starts, and there is no message: an automation must say them again.
type Board struct {
	now func() (refclock.Instant, bool)
	loc *time.Location

	mu    sync.Mutex
	state State
	// timers are all of them; the state lists those that are in use.
	timers [Timers]Timer
	// offAt is when a light goes out by itself; zero for never.
	offAt [Lights]refclock.Instant
	// timed lights go out after a while when OnAirScreen's words light them.
	timed  [Lights]bool
	number uint64 // of the last message that was given an ID
	follow func(light int, on bool)
}

// NewBoard makes a board. now is the station's time, false before it is known; loc is the time zone of back-timing.
func NewBoard(lights []LightConfig, now func() (refclock.Instant, bool), loc *time.Location) *Board {
	b := &Board{now: now, loc: loc}
	for i := range min(len(lights), Lights) {
		b.state.Lights[i] = Light{Name: lights[i].Name, Colour: lights[i].Colour, Blink: lights[i].Blink, Timed: lights[i].Timed}
	}
	for i := range b.timers {
		b.timers[i] = Timer{Name: timerNames[i], Kind: Up}
	}
	return b
}

// Follow has f called whenever a light was switched, from the goroutine that did so, after the change.
func (b *Board) Follow(f func(light int, on bool)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.follow = f
}

// State is what stands on the wall now.
func (b *Board) State() State {
	now, known := b.now()
	b.mu.Lock()
	before := b.state.Lights
	if known {
		b.settle(now)
	}
	state, follow := b.state, b.follow
	b.mu.Unlock()
	tell(follow, before, state.Lights)
	return state
}

// settle takes away what is over.
func (b *Board) settle(now refclock.Instant) {
	over := func(i refclock.Instant) bool { return !i.IsZero() && now.Sub(i) >= 0 }
	if slices.ContainsFunc(b.state.Messages, func(m Message) bool { return over(m.Until) }) {
		b.state.Messages = slices.DeleteFunc(slices.Clone(b.state.Messages), func(m Message) bool { return over(m.Until) })
		b.state.Revision++
	}
	for i, at := range b.offAt {
		if over(at) {
			b.offAt[i] = refclock.Instant{}
			b.state.Lights[i].On, b.state.Lights[i].Since = false, refclock.Instant{}
			b.state.Revision++
		}
	}
	for i, t := range b.timers {
		if t.Kind == Until && t.Running && now.Sub(t.Target) >= overFor {
			b.timers[i] = Timer{Name: t.Name, Kind: Up}
			b.list()
		}
	}
}

// list puts the timers that are in use into the state.
func (b *Board) list() {
	b.state.Timers = nil
	for _, t := range b.timers {
		if t.Running || t.Gone != 0 || t.Kind != Up {
			b.state.Timers = append(b.state.Timers, t)
		}
	}
	b.state.Revision++
}

// change runs one order under the lock. The order leaves the state alone when it returns an error.
func (b *Board) change(order func(now refclock.Instant, known bool) (string, error)) (string, error) {
	now, known := b.now()
	b.mu.Lock()
	before := b.state.Lights
	if known {
		b.settle(now)
	}
	done, err := order(now, known)
	after, follow := b.state.Lights, b.follow
	b.mu.Unlock()
	tell(follow, before, after)
	return done, err
}

func tell(follow func(int, bool), before, after [Lights]Light) {
	for i := range after {
		if follow != nil && before[i].On != after[i].On {
			follow(i, after[i].On)
		}
	}
}

// LightOrder changes a light; what is nil stays.
type LightOrder struct {
	// Light is its number, from 1 on.
	Light int `json:"light"`
	// Toggle turns the light over; it excludes On.
	Toggle bool    `json:"toggle,omitempty"`
	On     *bool   `json:"on,omitempty"`
	Name   *string `json:"name,omitempty"`
	Colour *string `json:"colour,omitempty"`
	Blink  *bool   `json:"blink,omitempty"`
	Timed  *bool   `json:"timed,omitempty"`
	// Seconds, above 0, is after how long a light that is switched on goes out by itself.
	Seconds float64 `json:"seconds,omitempty"`
}

// Light carries out an order, whole or not at all, and says what was done.
func (b *Board) Light(o LightOrder) (string, error) {
	return b.change(func(now refclock.Instant, known bool) (string, error) {
		if o.Light < 1 || o.Light > Lights {
			return "", fmt.Errorf("light: %d is not a light; they are numbered 1 to %d", o.Light, Lights)
		}
		if o.Toggle && o.On != nil {
			return "", fmt.Errorf("light %d: on and toggle exclude each other", o.Light)
		}
		offIn, err := duration(o.Seconds)
		if err != nil {
			return "", err
		}
		if offIn > 0 && !known {
			return "", errNoTime
		}
		l := b.state.Lights[o.Light-1]
		if o.Name != nil {
			l.Name = *o.Name
			if err := validName(l.Name); err != nil {
				return "", err
			}
		}
		if o.Colour != nil {
			l.Colour = *o.Colour
			if err := validColour(l.Colour); err != nil {
				return "", err
			}
		}
		assign(&l.Blink, o.Blink)
		assign(&l.Timed, o.Timed)
		was := l.On
		assign(&l.On, o.On)
		if o.Toggle {
			l.On = !was
		}
		if l.Name == "" && l.On {
			return "", fmt.Errorf("light %d has no name; name it in a [[light]] section", o.Light)
		}
		if l.On != was {
			l.Since = refclock.Instant{}
			b.offAt[o.Light-1] = refclock.Instant{}
			if l.On && known {
				l.Since = now
			}
		}
		switch {
		case l.On && offIn > 0:
			b.offAt[o.Light-1] = now.Add(offIn)
		case o.On != nil: // who says on without an end means for good
			b.offAt[o.Light-1] = refclock.Instant{}
		}
		b.state.Lights[o.Light-1] = l
		b.state.Revision++
		return fmt.Sprintf("light %d %s is %s", o.Light, l.Name, onOff(l.On)), nil
	})
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func assign[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// MessageOrder puts a message on the wall, or takes the one with its ID away when Text is empty.
type MessageOrder struct {
	ID       string   `json:"id,omitempty"`
	Text     string   `json:"text"`
	Priority Priority `json:"priority,omitempty"`
	// Seconds, above 0, is for how long it stands.
	Seconds float64 `json:"seconds,omitempty"`
}

func rank(p Priority) int { return slices.Index([]Priority{Notice, Warning, Urgent}, p) }

// Message carries out an order, whole or not at all, and says what was done.
func (b *Board) Message(o MessageOrder) (string, error) {
	return b.change(func(now refclock.Instant, known bool) (string, error) {
		m := Message{ID: clean(o.ID), Text: clean(o.Text), Priority: o.Priority}
		if m.Priority == "" {
			m.Priority = Notice
		}
		stay, err := duration(o.Seconds)
		switch {
		case err != nil:
			return "", err
		case rank(m.Priority) < 0:
			return "", fmt.Errorf("priority: %q is none of notice, warning, urgent", o.Priority)
		case utf8.RuneCountInString(m.Text) > longestText:
			return "", fmt.Errorf("text: has %d characters; the wall has room for %d", utf8.RuneCountInString(m.Text), longestText)
		case len(m.ID) > longestText:
			return "", fmt.Errorf("id: is too long")
		case stay > 0 && !known:
			return "", errNoTime
		case m.Text == "" && m.ID == "":
			return "", fmt.Errorf("text: is missing; to take a message away, give its id and no text")
		}
		messages := slices.Clone(b.state.Messages)
		if m.ID != "" {
			messages = slices.DeleteFunc(messages, func(other Message) bool { return other.ID == m.ID })
		}
		done := "message " + m.ID + " is taken away"
		if m.Text != "" {
			if len(messages) >= maxMessages {
				return "", fmt.Errorf("there are %d messages already; take one away first", maxMessages)
			}
			if m.ID == "" {
				b.number++
				m.ID = fmt.Sprintf("message-%d", b.number)
			}
			if stay > 0 {
				m.Until = now.Add(stay)
			}
			messages = append([]Message{m}, messages...)
			slices.SortStableFunc(messages, func(x, y Message) int { return rank(y.Priority) - rank(x.Priority) })
			done = fmt.Sprintf("message %s says %q", m.ID, m.Text)
		}
		b.state.Messages = messages
		b.state.Revision++
		return done, nil
	})
}

// TextOrder says what is on air and what follows; what is nil stays, and an empty text takes the line away.
type TextOrder struct {
	Now  *string `json:"now,omitempty"`
	Next *string `json:"next,omitempty"`
}

// Text carries out an order, whole or not at all, and says what was done.
func (b *Board) Text(o TextOrder) (string, error) {
	return b.change(func(refclock.Instant, bool) (string, error) {
		var done []string
		for _, line := range []struct {
			name string
			to   *string
			from *string
		}{{"now", &b.state.Now, o.Now}, {"next", &b.state.Next, o.Next}} {
			if line.from == nil {
				continue
			}
			text := []rune(clean(*line.from))
			*line.to = string(text[:min(len(text), longestText)])
			done = append(done, fmt.Sprintf("%s is %q", line.name, *line.to))
		}
		if done == nil {
			return "", fmt.Errorf("now, next: give at least one of them")
		}
		b.state.Revision++
		return strings.Join(done, ", "), nil
	})
}

// ShowPage calls up a page by its name; an empty one goes back to the display's own rotation. Whether there is such a page
// is for the caller to know.
func (b *Board) ShowPage(name string) (string, error) {
	return b.change(func(refclock.Instant, bool) (string, error) {
		b.state.Page = name
		b.state.Revision++
		if name == "" {
			return "the display goes by its own rotation", nil
		}
		return "page " + name, nil
	})
}

var errNoTime = fmt.Errorf("the station does not know the time yet; try again when it does")

func duration(seconds float64) (time.Duration, error) {
	if !(seconds >= 0 && seconds <= longestTimer.Seconds()) {
		return 0, fmt.Errorf("seconds: %v is not between 0 and %v", seconds, longestTimer.Seconds())
	}
	return time.Duration(seconds * 1e9), nil
}
