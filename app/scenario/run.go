package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sort"
	"strings"
	"time"

	"timestation/engine"
	"timestation/engine/leap"
	"timestation/engine/status"
	"timestation/refclock"
)

// Line is one entry of the timeline.
type Line struct {
	// AtSeconds is true time since the start; UTC the true time.
	AtSeconds float64      `json:"at_seconds"`
	UTC       refclock.UTC `json:"utc"`
	// What is event, state, selected, leap, alert-raised, alert-cleared, vote or expected.
	What string `json:"what"`
	Text string `json:"text"`
	// ErrorSeconds is the station's true error and MaxErrorSeconds its stated bound; absent while it has no time.
	ErrorSeconds    *float64 `json:"error_seconds,omitempty"`
	MaxErrorSeconds *float64 `json:"max_error_seconds,omitempty"`
	// Failed: an expectation that was not met.
	Failed bool `json:"failed,omitempty"`
}

// Summary is what the whole run comes to.
type Summary struct {
	Title string `json:"title"`
	// ClaimedSeconds is for how long the station claimed to know the time, InsideBound the share of it in which its true
	// error was within its stated bound, WorstErrorSeconds the largest true error while it claimed.
	ClaimedSeconds    int     `json:"claimed_seconds"`
	InsideBound       float64 `json:"inside_bound"`
	WorstErrorSeconds float64 `json:"worst_error_seconds"`
	// States is how many seconds each state lasted.
	States map[string]int `json:"states"`
	// Failed counts expectations that were not met.
	Failed int `json:"failed"`
}

// run is a scenario being played.
type run struct {
	*Scenario
	machine *machine
	voices  []*voice
	origin  refclock.Instant
	state   string // the folder of the state file
	engine  *engine.Engine
	off     time.Duration // the machine has no power for so long
	asleep  time.Duration // and is suspended for so long
	emit    func(Line)
	summary Summary
	inside  int

	last     *status.Status
	standing map[string]bool
}

// Run plays the scenario to its end or until ctx ends, and gives each line of its timeline to emit as it happens.
func (s *Scenario) Run(ctx context.Context, emit func(Line)) (Summary, error) {
	dir, err := os.MkdirTemp("", "timestation-scenario-")
	if err != nil {
		return Summary{}, err
	}
	defer os.RemoveAll(dir)
	random := rand.New(rand.NewPCG(s.Seed, 0x7e57))
	r := &run{
		Scenario: s, state: dir, emit: emit,
		machine:  &machine{config: s.Machine, random: random, frequency: s.Machine.FrequencyPPM * 1e-6},
		summary:  Summary{Title: s.Title, States: map[string]int{}},
		standing: map[string]bool{},
	}
	r.origin = r.table.Instant(s.Start)
	for _, src := range s.Sources {
		l, _ := notice(src.Leap) // validated
		r.voices = append(r.voices, &voice{Source: src, unsure: src.Unsure, leap: l})
	}
	sort.SliceStable(s.Events, func(i, j int) bool { return s.Events[i].At < s.Events[j].At })
	sort.SliceStable(s.Expect, func(i, j int) bool { return s.Expect[i].At < s.Expect[j].At })
	r.boot()
	events, expect := s.Events, s.Expect
	for r.machine.now < int64(s.Duration) && ctx.Err() == nil {
		if r.asleep > 0 {
			r.machine.sleep(time.Second)
		} else {
			r.machine.advance(time.Second)
		}
		for len(events) > 0 && int64(events[0].At) <= r.machine.now {
			r.happen(events[0])
			events = events[1:]
		}
		switch {
		case r.off > 0:
			if r.off -= time.Second; r.off <= 0 {
				r.off = 0
				r.boot()
			}
		case r.asleep > 0:
			if r.asleep = max(r.asleep-time.Second, 0); r.asleep == 0 {
				r.dropParcels()
			}
		default:
			r.second()
		}
		for len(expect) > 0 && int64(expect[0].At) <= r.machine.now {
			r.check(expect[0])
			expect = expect[1:]
		}
	}
	if r.summary.ClaimedSeconds > 0 {
		r.summary.InsideBound = float64(r.inside) / float64(r.summary.ClaimedSeconds)
	}
	return r.summary, ctx.Err()
}

// boot starts the machine and the station on it.
func (r *run) boot() {
	r.machine.boot(r.Start)
	var sources []engine.SourceConfig
	for _, v := range r.voices {
		sources = append(sources, engine.SourceConfig{
			Name: v.Name, Driver: v.Kind, Receiver: v.Receiver, ReferenceID: strings.ToUpper(v.Name[:min(4, len(v.Name))]),
			CompareOnly: v.CompareOnly,
		})
	}
	r.engine = engine.New(r.Scenario.engine, sources, engine.Options{
		Clock: r.machine, Leap: leap.Embedded(), Log: slog.New(slog.DiscardHandler), StateDir: r.state, Elapsed: r.elapsed,
	})
	r.engine.Step()
	r.last = r.engine.Board().Load()
}

func (r *run) elapsed() time.Duration { return time.Duration(r.machine.now) }

func (r *run) truth() refclock.Instant { return r.table.FromTAI(r.origin.TAI + r.machine.now) }

// second lets every source speak, and the station think.
func (r *run) second() {
	for _, v := range r.voices {
		v.speak(r.machine, r.table, r.engine.TAIMinusUTC, r.truth(), r.engine)
		v.deliver(r.machine, r.engine)
	}
	r.engine.Step()
	now := r.engine.Board().Load()
	r.compare(now)
	reading := now.At(r.machine.stamp(0))
	r.summary.States[string(reading.State)]++
	if reading.Synchronised() {
		off := reading.Instant.Sub(r.truth()).Abs()
		r.summary.ClaimedSeconds++
		r.summary.WorstErrorSeconds = max(r.summary.WorstErrorSeconds, off.Seconds())
		if off <= reading.MaxError && reading.Instant.TAIMinusUTC == r.truth().TAIMinusUTC {
			r.inside++
		}
	}
	r.last = now
}

// dropParcels loses the samples that were on their way.
func (r *run) dropParcels() {
	for _, v := range r.voices {
		v.waiting = nil
	}
}

// compare writes down what the station says differently from a second ago.
func (r *run) compare(now *status.Status) {
	if now.State != r.last.State {
		r.say("state", strings.TrimSuffix(fmt.Sprintf("%s: %s", now.State, now.Reason), ": "))
	}
	if now.Selected != r.last.Selected && now.Selected != "" {
		r.say("selected", now.Selected+": "+now.Vote)
	}
	if now.Leap != r.last.Leap {
		r.say("leap", status.LeapText(now.Leap))
	}
	standing := map[string]bool{}
	for _, a := range now.Alerts {
		key := strings.TrimSpace(a.Code + " " + a.Source)
		if standing[key] = true; !r.standing[key] {
			r.say("alert-raised", fmt.Sprintf("%s (%s): %s", key, a.Severity, a.Text))
		}
	}
	for key := range r.standing {
		if !standing[key] {
			r.say("alert-cleared", key)
		}
	}
	r.standing = standing
}

func (r *run) say(what, text string) { r.tell(what, text, false) }

func (r *run) tell(what, text string, failed bool) {
	l := Line{Failed: failed, AtSeconds: float64(r.machine.now) * 1e-9, UTC: r.truth().UTC(), What: what, Text: text}
	if r.off == 0 {
		if reading := r.engine.Board().Load().At(r.machine.stamp(0)); reading.Known {
			off, bound := reading.Instant.Sub(r.truth()).Seconds(), reading.MaxError.Seconds()
			l.ErrorSeconds, l.MaxErrorSeconds = &off, &bound
		}
	}
	r.emit(l)
}

// happen lets an event happen.
func (r *run) happen(e Event) {
	var v *voice
	for _, one := range r.voices {
		if one.Name == e.Source {
			v = one
		}
	}
	text := strings.Join(strings.Fields(fmt.Sprintf("%s %s %s", e.Do, e.Source, e.Why)), " ")
	switch e.Do {
	case "silence":
		v.silent = true
	case "lose":
		v.lost = true
	case "unfix":
		v.unfixed = true
	case "return":
		v.silent, v.lost, v.unfixed, v.late, v.twice, v.denied = false, false, false, 0, false, nil
	case "jump":
		v.moved += time.Duration(e.By)
	case "drift":
		v.rate = e.Rate
	case "announce":
		v.leap, _ = notice(e.Leap) // validated
	case "sure":
		v.unsure = false
	case "delay":
		v.late = time.Duration(e.By)
	case "repeat":
		v.twice = true
	case "deny":
		if v.denied == nil {
			v.denied = map[string]bool{}
		}
		v.denied[e.Constellation] = true
		text = strings.Replace(text, e.Source, e.Source+" "+e.Constellation, 1)
	case "step-clock":
		r.machine.real += int64(e.By)
	case "slew-clock":
		r.machine.slew = e.Rate
	case "warm":
		r.machine.frequency += e.Rate
	case "power-cut":
		r.off, r.standing = time.Duration(e.For), map[string]bool{}
		r.dropParcels()
	case "suspend":
		r.asleep = time.Duration(e.For)
	case "accept-jump":
		text += ": " + r.person(func(ctx context.Context) (string, error) { return r.engine.AcceptJump(ctx, e.Source, scenarist) })
	case "acknowledge":
		text = strings.Join(strings.Fields("acknowledge "+e.Code+" "+e.Source+" "+e.Why), " ") + ": " +
			r.person(func(ctx context.Context) (string, error) {
				return "done", r.engine.Acknowledge(ctx, e.Code, e.Source, scenarist)
			})
	}
	r.say("event", text)
}

// scenarist is who does what a person does.
const scenarist = "the scenario"

// person does what a person does, and gives what was done, or why not. The station's loop is this one.
func (r *run) person(do func(context.Context) (string, error)) (done string) {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		var err error
		if done, err = do(ctx); err != nil {
			done = err.Error()
		}
	}()
	for {
		select {
		case <-finished:
			return done
		default:
			r.engine.Step()
			runtime.Gosched()
		}
	}
}

// check holds an expectation against what the station says.
func (r *run) check(x Expectation) {
	now := r.engine.Board().Load()
	reading := now.At(r.machine.stamp(0))
	var wrong []string
	expect := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	expect(x.State == "" || string(reading.State) == x.State, "state is %s, not %s (%s)", reading.State, x.State, now.Reason)
	expect(x.Selected == nil || now.Selected == *x.Selected, "%q is followed", now.Selected)
	expect(x.Alert == "" || r.stands(x.Alert), "alert %s does not stand", x.Alert)
	expect(x.NoAlert == "" || !r.stands(x.NoAlert), "alert %s stands", x.NoAlert)
	if x.ErrorBelow > 0 {
		off := reading.Instant.Sub(r.truth())
		expect(reading.Known && off.Abs() < time.Duration(x.ErrorBelow), "off by %v", off)
	}
	if x.Second != "" {
		text := reading.Instant.UTC().String()
		expect(strings.Contains(text, x.Second), "the station says %s", text)
	}
	if x.Constellations != "" {
		used := inUse(now.Sources)
		expect(used == x.Constellations, "the satellites in use are %q", used)
	}
	if x.Acknowledged != "" {
		expect(slices.ContainsFunc(now.Alerts, func(a status.Alert) bool { return a.Code == x.Acknowledged && a.AcknowledgedBy != "" }),
			"alert %s does not stand as seen by anybody", x.Acknowledged)
	}
	if len(wrong) > 0 {
		r.summary.Failed++
	}
	text := "as expected"
	if len(wrong) > 0 {
		text = "NOT as expected: " + strings.Join(wrong, "; ")
	}
	r.tell("expected", text, len(wrong) > 0)
}

// inUse counts the satellites in use by constellation, in the order of their names.
func inUse(sources []status.Source) string {
	count := map[string]int{}
	for _, s := range sources {
		if s.Signal.GNSS == nil {
			continue
		}
		for _, satellite := range s.Signal.GNSS.Satellites {
			if satellite.Used {
				count[satellite.Constellation]++
			}
		}
	}
	var text []string
	for _, name := range slices.Sorted(maps.Keys(count)) {
		text = append(text, fmt.Sprintf("%s %d", name, count[name]))
	}
	return strings.Join(text, ", ")
}

func (r *run) stands(key string) bool {
	for k := range r.standing {
		if k == key || strings.HasPrefix(k, key+" ") {
			return true
		}
	}
	return false
}

// Print writes a line for a person.
func (l Line) Print(w io.Writer) {
	at := (time.Duration(l.AtSeconds) * time.Second).String()
	mark := " "
	if l.Failed {
		mark = "✗"
	}
	fmt.Fprintf(w, "%s%12s  %s  %-13s %s", mark, at, l.UTC.String()[:19], l.What, l.Text)
	if l.ErrorSeconds != nil {
		fmt.Fprintf(w, "  [off %+.3g s, bound %.3g s]", *l.ErrorSeconds, *l.MaxErrorSeconds)
	}
	fmt.Fprintln(w)
}

// JSON writes a line as one object.
func (l Line) JSON(w io.Writer) { _ = json.NewEncoder(w).Encode(l) }
