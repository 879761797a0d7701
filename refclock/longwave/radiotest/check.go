package radiotest

import (
	"slices"
	"testing"
	"time"

	"timestation/refclock"
	"timestation/refclock/longwave"
)

// CheckDriver holds a transmitter's driver to what its users rely on: from cold to samples within their stated bounds, the
// way from the transmitter to the position taken off, the telegram told, and all of it again after the line was unplugged.
func CheckDriver(t *testing.T, code *longwave.Code, position refclock.Position, path time.Duration, driver func(refclock.Environment, Opener) refclock.Driver) {
	t.Helper()
	const gone, back = 8 * time.Minute, 9 * time.Minute
	scene := Scene{
		Code: code, Noise: Noise{Missing: 0.02}, Seed: 21, Length: 16 * time.Minute, Late: 35*time.Millisecond + path, Jitter: 3 * time.Millisecond,
		AbsentFrom: gone, AbsentTo: back, Position: &position,
	}
	heard := scene.Drive(t, driver)
	begin := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	var cold, again time.Duration
	for _, s := range heard.Samples() {
		if off := heard.Error(s); off.Abs() > s.Systematic+2*s.Noise {
			t.Errorf("%s: a sample is off by %v; said %v and %v", code.Name, off, s.Systematic, s.Noise)
		}
		at := heard.Truth(s.Stamp).Sub(begin)
		if cold == 0 {
			cold = at
		}
		if again == 0 && at > gone {
			again = at - back
		}
	}
	if cold == 0 || cold > 5*time.Minute || again <= 0 || again > 5*time.Minute || len(heard.Samples()) < 40 {
		t.Errorf("%s: %d samples, the first after %v, and %v after the line came back", code.Name, len(heard.Samples()), cold, again)
	}
	scene.Position = nil
	somewhere := scene.Drive(t, driver)
	if len(somewhere.Samples()) != len(heard.Samples()) {
		t.Fatalf("%s: %d samples with a position, %d without", code.Name, len(heard.Samples()), len(somewhere.Samples()))
	}
	// Without a position half of 2000 km is assumed.
	const assumed = 3300 * time.Microsecond
	for i, s := range heard.Samples() {
		other := somewhere.Samples()[i]
		if off := s.Instant.UTC().Time().Sub(other.Instant.UTC().Time()) - (path - assumed); off.Abs() > 100*time.Microsecond {
			t.Fatalf("%s: by the position, %v", code.Name, off+path-assumed)
		}
		if s.Systematic >= other.Systematic {
			t.Fatalf("%s: with a position the limit is %v, without %v", code.Name, s.Systematic, other.Systematic)
		}
	}
	states := []refclock.SourceState{}
	for _, s := range heard.Signals() {
		if len(states) == 0 || states[len(states)-1] != s.State {
			states = append(states, s.State)
		}
		if s.State != refclock.Timing && s.Text == "" {
			t.Errorf("%s: %s without a word", code.Name, s.State)
		}
	}
	for _, state := range []refclock.SourceState{refclock.Waiting, refclock.Receiving, refclock.Timing, refclock.Lost} {
		if !slices.Contains(states, state) {
			t.Errorf("%s: never %s, but %v", code.Name, state, states)
		}
	}
	last := heard.Last()
	radio := last.Radio
	if last.State != refclock.Timing || radio == nil || radio.Confidence < 5 || len(radio.Quality) < 3 || len(radio.Quality) > 60 || radio.Coasting {
		t.Fatalf("%s: at last %+v %+v", code.Name, last, radio)
	}
	// The simulation ends with a minute; what is told is a second or two before.
	minute := begin.Add(scene.Length - time.Minute)
	if want := code.Fields(code.At(minute)); !slices.Equal(radio.Fields, want) {
		t.Errorf("%s: fields %v, sent %v", code.Name, radio.Fields, want)
	}
	if len(radio.Marks) < 55 {
		t.Errorf("%s: %d marks", code.Name, len(radio.Marks))
	}
	wrong := 0
	for i, symbol := range code.Encode(code.At(minute)) {
		if int(symbol) < len(code.Shapes) && i < len(radio.Marks) && radio.Marks[i].Symbol != code.Shapes[symbol].Letter {
			wrong++
		}
	}
	if wrong > 6 {
		t.Errorf("%s: %d of the minute's marks are wrong or unknown: %v", code.Name, wrong, radio.Marks)
	}
}
