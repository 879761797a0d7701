// Package scenario plays a whole station in virtual time from a small text: what the oscillator does, which sources there
// are and how good, what happens to them when, and what the station is expected to say of it. It calls the very engine
// that the station runs.
package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/pelletier/go-toml/v2"

	"timestation/engine"
	"timestation/engine/leap"
	"timestation/refclock"
)

// Scenario is one file. Times of day are true UTC; everything else counts from the start.
type Scenario struct {
	// Title says in a line what happens and what should come of it.
	Title    string       `toml:"title"`
	Start    refclock.UTC `toml:"start"`
	Duration Span         `toml:"duration"`
	Seed     uint64       `toml:"seed"`
	// Clock is the station's own section of that name.
	Clock   map[string]any `toml:"clock"`
	Machine Machine        `toml:"machine"`
	// LeapSeconds are true ones that no list knows of: "insert 2027-06-30".
	LeapSeconds []string      `toml:"leap_seconds"`
	Sources     []Source      `toml:"source"`
	Events      []Event       `toml:"event"`
	Expect      []Expectation `toml:"expect"`

	engine engine.Config
	table  *leap.Table // the true one
}

// Machine is the computer and its oscillator.
type Machine struct {
	// FrequencyPPM is how fast the oscillator runs at the start; DailyPPM the amplitude of a sine over 24 h on top.
	FrequencyPPM float64 `toml:"frequency_ppm"`
	DailyPPM     float64 `toml:"daily_ppm"`
	// Wander is random-walk FM per √s, as a fraction.
	Wander float64 `toml:"wander"`
	// Realtime is what CLOCK_REALTIME says at the start and after a power cut; the true time where it is left out.
	Realtime *refclock.UTC `toml:"realtime"`
}

// Source is one source.
type Source struct {
	Name     string `toml:"name"`
	Receiver string `toml:"receiver"`
	// Kind is gnss (a sentence a second), pulse (a pulse a second, numbered by With), radio (a mark each second but the
	// last of the minute) or server (an NTP exchange every Interval).
	Kind        string `toml:"kind"`
	With        string `toml:"with"`
	CompareOnly bool   `toml:"compare_only"`
	// Noise is 1σ; Bias a constant error; Systematic the limit that the source states for it.
	Noise      Span `toml:"noise"`
	Bias       Span `toml:"bias"`
	Systematic Span `toml:"systematic"`
	// Interval between exchanges and Delay of their round trip, of a server; Authenticated: it is asked with a key.
	Interval      Span `toml:"interval"`
	Delay         Span `toml:"delay"`
	Authenticated bool `toml:"authenticated"`
	// Unsure: a receiver without its almanac; Leap is its leap notice: none, insert, delete; empty where it has none.
	Unsure bool   `toml:"unsure"`
	Leap   string `toml:"leap"`
	// Constellations are those a gnss source hears, with eight satellites each; the status shows them apart.
	Constellations []string `toml:"constellations"`
}

// Event is one thing that happens.
type Event struct {
	At     Span   `toml:"at"`
	Source string `toml:"source"`
	// Do is one of the verbs in verbs.
	Do   string  `toml:"do"`
	By   Span    `toml:"by"`
	Rate float64 `toml:"rate"`
	For  Span    `toml:"for"`
	Leap string  `toml:"leap"`
	// Constellation is the one that "deny" takes; Code the alert's that "acknowledge" is about.
	Constellation string `toml:"constellation"`
	Code          string `toml:"code"`
	Why           string `toml:"why"`
}

// verbs are what an event may do, and what it needs: a source, By, Rate, For, a constellation or a code.
var verbs = map[string]struct{ source, by, rate, length, constellation, code bool }{
	"silence":     {source: true},             // nothing more is heard
	"lose":        {source: true},             // the device is pulled out
	"unfix":       {source: true},             // it is heard, without a fix
	"return":      {source: true},             // all of these end, and delay, repeat and deny
	"jump":        {source: true, by: true},   // its time moves at once
	"drift":       {source: true, rate: true}, // its time moves by rate seconds a second from now on; 0 ends it
	"announce":    {source: true},             // its leap notice becomes Leap
	"sure":        {source: true},             // it has its almanac
	"delay":       {source: true, by: true},   // its samples are handed over so much later, with the stamps they have
	"repeat":      {source: true},             // each of its samples is handed over twice
	"step-clock":  {by: true},                 // somebody sets CLOCK_REALTIME
	"slew-clock":  {rate: true},               // somebody slews it
	"warm":        {by: false, rate: true},    // the oscillator's frequency changes by rate
	"power-cut":   {length: true},             // the machine is off for a while
	"suspend":     {length: true},             // the machine sleeps for a while
	"accept-jump": {},                         // a person takes the new time
	// A constellation is jammed: no satellite of it is used. Without any the source has no fix.
	"deny":        {source: true, constellation: true},
	"acknowledge": {code: true}, // a person notes that he has seen the alert with this code, about Source
}

// Expectation is what the station must say at a moment.
type Expectation struct {
	At Span `toml:"at"`
	// State is synchronised, holdover or unsynchronised; Selected the source followed.
	State    string  `toml:"state"`
	Selected *string `toml:"selected"`
	// Alert is a code that must stand, with an optional source after a space; NoAlert one that must not.
	Alert   string `toml:"alert"`
	NoAlert string `toml:"no_alert"`
	// ErrorBelow is a limit to the station's true error.
	ErrorBelow Span `toml:"error_below"`
	// Second is the text of the UTC second, such as 23:59:60.
	Second string `toml:"second"`
	// Constellations are the satellites in use of all sources, as in "GPS 8, Galileo 8".
	Constellations string `toml:"constellations"`
	// Acknowledged is the code of an alert that stands and that somebody has seen.
	Acknowledged string `toml:"acknowledged"`
}

// Span is a duration as 1.5h, 30s, 40µs or 2d.
type Span time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Span) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil {
			return fmt.Errorf("%q is not a duration such as 2d", text)
		}
		*s = Span(n * 24 * float64(time.Hour))
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 90s, 40µs or 2d", text)
	}
	*s = Span(d)
	return nil
}

// longest is how much a scenario may last: each day takes seconds to play.
const longest = 400 * 24 * time.Hour

// Parse reads a scenario and refuses what it does not understand.
func Parse(text []byte) (*Scenario, error) {
	s := &Scenario{engine: engine.DefaultConfig()}
	decoder := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := decoder.Decode(s); err != nil {
		var strict *toml.StrictMissingError
		if errors.As(err, &strict) && len(strict.Errors) > 0 {
			row, _ := strict.Errors[0].Position()
			return nil, fmt.Errorf("line %d: unknown key %s", row, strings.Join(strict.Errors[0].Key(), "."))
		}
		var at *toml.DecodeError
		if errors.As(err, &at) {
			row, _ := at.Position()
			return nil, fmt.Errorf("line %d: %w", row, err)
		}
		return nil, err
	}
	if err := decodeClock(s.Clock, &s.engine); err != nil {
		return nil, err
	}
	return s, s.validate()
}

// Read is Parse of a file.
func Read(r io.Reader) (*Scenario, error) {
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

func decodeClock(table map[string]any, config *engine.Config) error {
	d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{Result: config, ErrorUnused: true, WeaklyTypedInput: true})
	if err != nil {
		return err
	}
	if err := d.Decode(table); err != nil {
		return fmt.Errorf("clock: %s", strings.ReplaceAll(err.Error(), "\n", " "))
	}
	if err := config.Validate(); err != nil {
		return fmt.Errorf("clock.%w", err)
	}
	return nil
}

func (s *Scenario) validate() error {
	if s.Start.Seconds == 0 {
		s.Start = refclock.Date(2026, 11, 22, 12, 0, 0, 0)
	}
	if d := time.Duration(s.Duration); d <= 0 || d > longest {
		return fmt.Errorf("duration: %v is not above 0 and up to %v", d, longest)
	}
	if err := s.truth(); err != nil {
		return err
	}
	if len(s.Sources) == 0 {
		return errors.New("source: there is none; add a [[source]]")
	}
	known := map[string]bool{}
	for i := range s.Sources {
		src := &s.Sources[i]
		if src.Name == "" || known[src.Name] {
			return fmt.Errorf("source %d: name: is missing or taken", i+1)
		}
		known[src.Name] = true
		switch src.Kind {
		case "gnss", "radio":
		case "pulse":
			if src.With == "" {
				return fmt.Errorf("source %q: with: is missing; it names the source that numbers the pulses", src.Name)
			}
		case "server":
			if src.Interval <= 0 {
				src.Interval = Span(16 * time.Second)
			}
		default:
			return fmt.Errorf("source %q: kind: %q is not gnss, pulse, radio or server", src.Name, src.Kind)
		}
		if _, err := notice(src.Leap); err != nil {
			return fmt.Errorf("source %q: %w", src.Name, err)
		}
	}
	for i, e := range s.Events {
		verb, ok := verbs[e.Do]
		switch {
		case !ok:
			return fmt.Errorf("event %d: do: %q is not known", i+1, e.Do)
		case verb.source && !known[e.Source]:
			return fmt.Errorf("event %d: source: %q is not one", i+1, e.Source)
		case verb.by && e.By == 0:
			return fmt.Errorf("event %d: by: is missing; %s needs it", i+1, e.Do)
		case verb.constellation && !s.hears(e.Source, e.Constellation):
			return fmt.Errorf("event %d: constellation: %q is not one of those %s hears", i+1, e.Constellation, e.Source)
		case verb.code && e.Code == "":
			return fmt.Errorf("event %d: code: is missing; it is the alert's", i+1)
		case verb.length && e.For <= 0:
			return fmt.Errorf("event %d: for: is missing; %s needs it", i+1, e.Do)
		}
		if _, err := notice(e.Leap); err != nil {
			return fmt.Errorf("event %d: %w", i+1, err)
		}
	}
	return nil
}

func (s *Scenario) hears(source, constellation string) bool {
	return slices.ContainsFunc(s.Sources, func(one Source) bool {
		return one.Name == source && slices.Contains(one.Constellations, constellation)
	})
}

// truth makes the true table of leap seconds.
func (s *Scenario) truth() error {
	s.table = leap.Embedded()
	for _, text := range s.LeapSeconds {
		word, date, _ := strings.Cut(text, " ")
		day, err := time.Parse("2006-01-02", date)
		if n, _ := notice(word); err != nil || n != refclock.LeapInsert && n != refclock.LeapDelete {
			return fmt.Errorf(`leap_seconds: %q is not "insert" or "delete" and a date`, text)
		}
		from := day.AddDate(0, 0, 1).Unix()
		step := int32(1)
		if word == "delete" {
			step = -1
		}
		before := s.table.TAIMinusUTC(refclock.UTC{Seconds: from - 2})
		s.table = s.table.With([]leap.Learned{{FromPOSIX: from, TAIMinusUTC: before + step}})
	}
	return nil
}

// Leaps is the true table of leap seconds, those that no list knows of included.
func (s *Scenario) Leaps() *leap.Table { return s.table }

func notice(text string) (refclock.LeapNotice, error) {
	switch text {
	case "":
		return refclock.LeapUnknown, nil
	case "none":
		return refclock.LeapNone, nil
	case "insert":
		return refclock.LeapInsert, nil
	case "delete":
		return refclock.LeapDelete, nil
	}
	return 0, fmt.Errorf("leap: %q is not none, insert or delete", text)
}
