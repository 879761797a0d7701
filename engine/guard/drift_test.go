package guard

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"timestation/refclock"
)

// air is a simulated world: an oscillator as a Pi's in a room (a random walk of its frequency of 1e-9 per √s and 3 ppm over
// the day), and sources with the noise they really have.
type air struct {
	random    *rand.Rand
	frequency float64 // the oscillator's walk
	phase     float64 // TAI minus the oscillator, s
	second    int64
	wander    float64 // NMEA's slow part
	drift     *Drift
	// pull is added to each source.
	pull map[string]float64
	// silent sources say nothing.
	silent map[string]bool
}

func newAir(seed uint64) *air {
	return &air{
		random: rand.New(rand.NewPCG(seed, 7)), drift: NewDrift(5),
		pull: map[string]float64{}, silent: map[string]bool{},
	}
}

// The sources of the air: a pulse, DCF77, sentences of another receiver, and a server on the internet.
var (
	pps     = Tracked{Source: "pps", Receiver: "gps0", Systematic: time.Microsecond}
	dcf77   = Tracked{Source: "dcf77", Systematic: time.Millisecond}
	nmea    = Tracked{Source: "nmea", Receiver: "gps1", Systematic: 50 * time.Millisecond}
	server  = Tracked{Source: "server", Systematic: 10 * time.Millisecond}
	trusted = Tracked{Source: "trusted", Systematic: 10 * time.Millisecond, CompareOnly: true}
)

func (w *air) start() refclock.UTC { return refclock.Date(2026, 11, 22, 12, 0, 0, 0) }

// run lets the world go on for a while and calls changed with each change of the alarms.
func (w *air) run(stretch time.Duration, sources []Tracked, changed func([]DriftAlarm)) {
	const day = 86400
	for range int(stretch / time.Second) {
		w.second++
		w.frequency += 1e-9 * w.random.NormFloat64()
		w.phase += w.frequency + 3e-6*math.Sin(2*math.Pi*float64(w.second)/day)
		raw := w.second*1e9 - int64(w.phase*1e9)
		for _, s := range sources {
			if noise, speaks := w.noise(s.Source); speaks && !w.silent[s.Source] {
				w.drift.Add(s.Source, raw, w.phase+noise+w.pull[s.Source], w.frequency)
			}
		}
		now := w.start()
		now.Seconds += w.second
		if w.drift.Compare(now, raw, sources) && changed != nil {
			changed(w.drift.Alarms())
		}
	}
}

func (w *air) noise(source string) (seconds float64, speaks bool) {
	r := w.random
	switch source {
	case "pps", "pps2":
		return 1e-6 * r.NormFloat64(), true
	case "dcf77":
		diurnal := 50e-6 * math.Sin(2*math.Pi*float64(w.second)/86400)
		if r.Float64() < 0.05 {
			return (r.Float64() - 0.5) * 0.1, true
		}
		return diurnal + 3e-3*r.NormFloat64(), w.second%60 != 59
	case "nmea": // the delay wanders over ten minutes with the satellites in view
		w.wander += -w.wander/600 + 5e-3*math.Sqrt(2.0/600)*r.NormFloat64()
		return w.wander + 1e-3*r.NormFloat64(), true
	}
	return (r.ExpFloat64() - r.ExpFloat64()) * 0.5e-3, w.second%64 == 0
}

// measured tells whether the sweep behind the published figures is wanted, and not only a share of it.
func measured() bool { return os.Getenv("TIMESTATION_MEASURE") != "" }

func TestNoDriftAlarmInThreeDaysOfNoise(t *testing.T) {
	worlds, seeds := [][]Tracked{{pps, dcf77}, {pps, dcf77, nmea}, {nmea, server}, {dcf77, server, trusted}, {pps}}, uint64(1)
	if measured() {
		seeds = 200
	}
	alarms := 0
	for seed := range seeds {
		for _, sources := range worlds {
			newAir(seed).run(72*time.Hour, sources, func(a []DriftAlarm) {
				alarms++
				t.Errorf("seed %d, %s: %+v", seed, names(sources), a)
			})
		}
	}
	t.Logf("%d alarms in %d spans of 72 h", alarms, int(seeds)*len(worlds))
}

func names(sources []Tracked) string {
	var n []string
	for _, s := range sources {
		n = append(n, s.Source)
	}
	return strings.Join(n, "+")
}

// Meaconing: GPS is dragged by 1 µs/s, and a source whose limits are a thousand times wider than its own notices.
func TestMeaconingIsSeenAndNamed(t *testing.T) {
	worlds, seeds := [][]Tracked{{pps, dcf77}, {pps, dcf77, nmea}, {pps, trusted}}, uint64(1)
	if measured() {
		worlds, seeds = append(worlds, []Tracked{pps, server}), 100
	}
	for _, sources := range worlds {
		var after []float64
		named, wrong := 0, 0
		for seed := range seeds {
			w := newAir(100 + seed)
			w.run(14*time.Hour, sources, nil)
			began := w.second
			seen := false
			for w.second < began+3*3600 {
				w.pull["pps"] = 1e-6 * float64(w.second-began)
				w.run(time.Second, sources, func(a []DriftAlarm) {
					if !seen {
						seen = true
						after = append(after, float64(w.second-began)/60)
					}
				})
			}
			alarms := w.drift.Alarms()
			if len(alarms) == 0 {
				t.Errorf("%s, seed %d: not seen in 3 h", names(sources), seed)
				continue
			}
			a := alarms[0]
			switch a.Suspect {
			case "pps":
				named++
			case "":
			default:
				wrong++
			}
			if off := math.Abs(float64(a.Since.Seconds - w.start().Seconds - began)); off > 20*60 {
				t.Errorf("%s, seed %d: it began at minute 0 and is said to have %+.0f s from there", names(sources), seed, off)
			}
			if sign := map[bool]float64{true: 1, false: -1}[a.A == "pps"]; math.Abs(sign*a.DepartureSeconds-w.pull["pps"]) > 2e-3 {
				t.Errorf("%s, seed %d: %v away, said: %+v", names(sources), seed, w.pull["pps"], a)
			}
		}
		slices.Sort(after)
		t.Logf("%s: seen after %.0f … %.0f min (median %.0f); after 3 h pps named in %d of %d, another in %d", names(sources), after[0],
			after[len(after)-1], after[len(after)/2], named, seeds, wrong)
		if after[len(after)-1] > 170 || wrong > 0 || named*10 < int(seeds)*9 {
			t.Errorf("%s: too late, or not named", names(sources))
		}
	}
}

// Two lie together: the third is outvoted, but its rate against the oscillator has not changed and theirs have. Nobody
// is named, rather than the honest one.
func TestTwoLiarsDoNotGetTheThirdBlamed(t *testing.T) {
	other := Tracked{Source: "pps2", Receiver: "gps9", Systematic: time.Microsecond}
	sources := []Tracked{pps, other, dcf77}
	w := newAir(5)
	w.run(8*time.Hour, sources, nil)
	began := w.second
	for w.second < began+2*3600 {
		w.pull["pps"] = 1e-6 * float64(w.second-began)
		w.pull["pps2"] = w.pull["pps"]
		w.run(time.Second, sources, nil)
	}
	alarms := w.drift.Alarms()
	if len(alarms) != 2 {
		t.Fatalf("alarms: %+v", alarms)
	}
	for _, a := range alarms {
		if a.Suspect == "dcf77" || a.Kind != Beyond {
			t.Errorf("%+v: %s", a, a.Explain())
		}
	}
}

// One that is dragged within its wide limits is suspected before they are used up; the alarm ends some time after it has
// come back.
func TestDragWithinWideLimits(t *testing.T) {
	quiet := Tracked{Source: "pps2", Receiver: "gps9", Systematic: 100 * time.Millisecond}
	sources := []Tracked{pps, quiet}
	w := newAir(6)
	w.run(12*time.Hour, sources, nil)
	began := w.second
	for w.second < began+9*3600 && w.pull["pps2"] < 60e-3 {
		w.pull["pps2"] = 2e-6 * float64(w.second-began)
		w.run(time.Second, sources, nil)
	}
	alarms := w.drift.Alarms()
	if len(alarms) != 1 || alarms[0].Kind != Suspected || alarms[0].Suspect != "pps2" || !strings.Contains(alarms[0].Explain(), "pps2 is the one") {
		t.Fatalf("%+v", alarms)
	}
	// Over a power cut it stands, with its beginning.
	text, err := json.Marshal(alarms)
	if err != nil {
		t.Fatal(err)
	}
	var saved []DriftAlarm
	if err := json.Unmarshal(text, &saved); err != nil {
		t.Fatal(err)
	}
	w.drift = NewDrift(5)
	w.drift.Restore(saved)
	w.run(30*time.Minute, sources, nil)
	after := w.drift.Alarms()
	if len(after) != 1 || after[0].Since != alarms[0].Since || after[0].Suspect != "pps2" || math.Abs(after[0].DepartureSeconds) < 50e-3 {
		t.Errorf("after a restart: %+v", after)
	}
	w.pull["pps2"] = 0
	w.drift.Forget("pps2") // it was found out and mended
	w.run(3*time.Hour, sources, nil)
	if left := w.drift.Alarms(); len(left) != 0 {
		t.Errorf("mended: %+v", left)
	}
}

// A jump, a slow wobble within the limits and a long silence are no drifts.
func TestWhatIsNoDrift(t *testing.T) {
	server2 := Tracked{Source: "server", Systematic: 50 * time.Millisecond}
	sources := []Tracked{pps, server2}
	alarm := func(what string) func([]DriftAlarm) {
		return func(a []DriftAlarm) { t.Errorf("%s: %+v", what, a) }
	}
	w := newAir(8)
	w.run(10*time.Hour, sources, nil)
	w.pull["server"] = 8e-3 // its path changed
	w.run(10*time.Hour, sources, alarm("a jump"))
	began := w.second
	for w.second < began+24*3600 { // its path is busy by day
		w.pull["server"] = 8e-3 + 5e-3*math.Sin(2*math.Pi*float64(w.second-began)/86400)
		w.run(time.Minute, sources, nil)
	}
	w.silent["server"] = true
	w.run(6*time.Hour, sources, alarm("silence"))
	w.silent["server"] = false
	w.run(6*time.Hour, sources, alarm("back again"))
}

// A lone source: faster than the oscillator may wander is seen, slower is not, and the limit is said.
func TestLoneSource(t *testing.T) {
	for ppm, want := range map[float64]int{1: 0, 20: 1} {
		w := newAir(9)
		sources := []Tracked{pps}
		w.run(6*time.Hour, sources, nil)
		began := w.second
		for w.second < began+5400 {
			w.pull["pps"] = ppm * 1e-6 * float64(w.second-began)
			w.run(time.Second, sources, nil)
		}
		alarms := w.drift.Alarms()
		if len(alarms) != want || want == 1 && (alarms[0].Kind != RateBreak || alarms[0].Suspect != "" || math.Abs(alarms[0].Rate-20e-6) > 2e-6) {
			t.Errorf("%g ppm: %+v", ppm, alarms)
		}
	}
	w := newAir(10)
	nmea0 := Tracked{Source: "nmea", Receiver: "gps0"}
	if got := w.drift.Alone([]Tracked{pps, dcf77}); got != "" {
		t.Errorf("nobody heard: %q", got)
	}
	w.silent["dcf77"] = true
	w.run(5*time.Minute, []Tracked{pps, nmea0, dcf77}, nil)
	if got := w.drift.Alone([]Tracked{pps, nmea0, dcf77}); got !=
		"pps is alone: a drift of up to 5 ppm (18 ms an hour) cannot be told from the oscillator's own" {
		t.Errorf("%q", got)
	}
	w.silent["dcf77"] = false
	w.run(5*time.Minute, []Tracked{pps, nmea0, dcf77}, nil)
	if got := w.drift.Alone([]Tracked{pps, nmea0, dcf77}); got != "" {
		t.Errorf("two: %q", got)
	}
}

// No samples, in whatever order and however wild, break it, and it never grows.
func FuzzDrift(f *testing.F) {
	f.Fuzz(func(t *testing.T, moves []byte) {
		if len(moves) > 600 {
			return
		}
		d := NewDrift(5)
		raw, now := int64(1e9), refclock.Date(2036, 2, 7, 6, 0, 0, 0)
		tracked := []Tracked{pps, dcf77, nmea}
		for i := 0; i+2 < len(moves); i += 3 {
			raw += int64(moves[i]) * int64(moves[i]) * 1e8
			now.Seconds += int64(moves[i]) * int64(moves[i]) / 10
			name := tracked[moves[i+1]%3].Source
			switch moves[i+1] >> 4 {
			case 15:
				d.Forget(name)
			case 14:
				d.Restart()
			case 13:
				saved := d.Alarms()
				d = NewDrift(5)
				d.Restore(saved)
			case 12:
				raw -= int64(moves[i]) * 1e9
			case 11:
				d.Add(name, raw, math.Inf(1), math.NaN())
			default:
				d.Add(name, raw, float64(int8(moves[i+2]))*math.Pow(10, float64(moves[i+1]>>4)-8), float64(moves[i])*1e-9)
			}
			d.Compare(now, raw, tracked[:1+moves[i+2]%3])
			d.Alone(tracked)
			for _, a := range d.Alarms() {
				if a.Kind == "" || a.A == "" || a.Suspect != "" && a.Suspect != a.A && a.Suspect != a.B || strings.Contains(a.Explain(), "\n") {
					t.Fatalf("%+v", a)
				}
				if math.IsNaN(a.DepartureSeconds) || math.IsNaN(a.LevelSeconds) || math.IsNaN(a.Rate) {
					t.Fatalf("not a number: %+v", a)
				}
			}
			for name, s := range d.series {
				if len(s.values) > blocksKept || len(s.inside) > samplesKept {
					t.Fatalf("%s has %d blocks and %d samples", name, len(s.values), len(s.inside))
				}
			}
			if n := len(d.Alarms()); n > 6 {
				t.Fatalf("%d alarms of three sources", n)
			}
		}
	})
}
