package scenario

import (
	"strings"
	"testing"
)

// play runs a scenario from its text and demands that everything was as expected and the bound true.
func play(t *testing.T, text string) (timeline string, summary Summary) {
	t.Helper()
	s, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	if summary, err = s.Run(t.Context(), func(l Line) { l.Print(&lines) }); err != nil {
		t.Fatal(err)
	}
	if summary.Failed > 0 || summary.ClaimedSeconds > 0 && summary.InsideBound < 1 {
		t.Errorf("%+v\n%s", summary, lines.String())
	}
	return lines.String(), summary
}

const receiver = `
[[source]]
name = "gps"
kind = "gnss"
receiver = "ublox"
noise = "5ms"
systematic = "50ms"
constellations = ["GPS", "Galileo"]
[[source]]
name = "pps"
kind = "pulse"
with = "gps"
receiver = "ublox"
noise = "1µs"
systematic = "1µs"
`

// The constellations of a receiver are shown apart; one of them is enough, and two of them are one voice.
func TestConstellationsAreOneVoice(t *testing.T) {
	const events = `
[[event]]
at = "20m"
source = "gps"
do = "deny"
constellation = "GPS"
[[event]]
at = "30m"
source = "gps"
do = "deny"
constellation = "Galileo"
[[event]]
at = "40m"
source = "gps"
do = "return"
[[expect]]
at = "19m"
constellations = "GPS 8, Galileo 8"
`
	play(t, `
duration = "1h"
[machine]
frequency_ppm = 12
wander = 1e-9
`+receiver+events+`
[[expect]]
at = "19m"
state = "synchronised"
[[expect]]
at = "29m"
state = "synchronised"
constellations = "Galileo 8"
[[expect]]
at = "39m"
state = "holdover"
alert = "source-no-time gps"
[[expect]]
at = "50m"
state = "synchronised"
constellations = "GPS 8, Galileo 8"
`)
	play(t, `
duration = "25m"
[clock]
required_sources = 2
[machine]
wander = 1e-9
`+receiver+events+`
[[expect]]
at = "19m"
state = "unsynchronised"
`)
}

// Samples that come late, and twice, are the same samples.
func TestLateAndRepeatedSamples(t *testing.T) {
	play(t, `
duration = "2h"
[machine]
frequency_ppm = -7
wander = 1e-9
`+receiver+`
[[event]]
at = "30m"
source = "pps"
do = "repeat"
[[event]]
at = "1h"
source = "pps"
do = "delay"
by = "2s"
[[event]]
at = "1h"
source = "gps"
do = "delay"
by = "3s"
[[event]]
at = "90m"
source = "pps"
do = "return"
[[event]]
at = "90m"
source = "gps"
do = "return"
[[expect]]
at = "59m"
state = "synchronised"
selected = "pps"
error_below = "5µs"
[[expect]]
at = "89m"
state = "synchronised"
error_below = "100µs"
[[expect]]
at = "115m"
state = "synchronised"
selected = "pps"
error_below = "5µs"
no_alert = "jump-latched"
`)
}

// While the machine sleeps, its oscillator is not counted: it wakes without a time, and finds it again.
func TestSuspend(t *testing.T) {
	_, summary := play(t, `
duration = "1h"
[machine]
frequency_ppm = 20
wander = 1e-9
`+receiver+`
[[event]]
at = "30m"
do = "suspend"
for = "10m"
[[expect]]
at = "29m"
state = "synchronised"
[[expect]]
at = "40m5s"
state = "unsynchronised"
[[expect]]
at = "45m"
state = "synchronised"
error_below = "5µs"
`)
	if summary.States["unsynchronised"] > 120 {
		t.Errorf("unsynchronised for %d s", summary.States["unsynchronised"])
	}
}

// An alert that somebody has seen stands until its cause is gone.
func TestAcknowledge(t *testing.T) {
	timeline, _ := play(t, `
duration = "1h"
[machine]
wander = 1e-9
`+receiver+`
[[event]]
at = "20m"
source = "gps"
do = "lose"
[[event]]
at = "22m"
source = "gps"
do = "acknowledge"
code = "source-lost"
[[event]]
at = "23m"
do = "acknowledge"
code = "no-such-alert"
[[event]]
at = "30m"
source = "gps"
do = "return"
[[expect]]
at = "25m"
alert = "source-lost gps"
acknowledged = "source-lost"
[[expect]]
at = "50m"
no_alert = "source-lost gps"
`)
	if !strings.Contains(timeline, `no alert "no-such-alert" stands`) {
		t.Errorf("an alert that does not stand was acknowledged:\n%s", timeline)
	}
}

func TestEventsThatCannotBe(t *testing.T) {
	for want, event := range map[string]string{
		"constellation": "source = \"gps\"\ndo = \"deny\"\nconstellation = \"GLONASS\"",
		"code":          "do = \"acknowledge\"",
		"for":           "do = \"suspend\"",
		"by":            "source = \"gps\"\ndo = \"delay\"",
	} {
		_, err := Parse([]byte("duration = \"1h\"\n" + receiver + "[[event]]\nat = \"1m\"\n" + event))
		if err == nil || !strings.Contains(err.Error(), want+":") {
			t.Errorf("%s: %v", event, err)
		}
	}
}
