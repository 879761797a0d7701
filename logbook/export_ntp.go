package logbook

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"timestation/engine/status"
	"timestation/refclock"
)

// The statistics files of ntpd, as ntpviz and the scripts of many sites read them (ntpd's "Monitoring Commands and
// Options"). Times are the MJD and the second of the day. Rows from before the station knew the time have no place.
func init() {
	for name, f := range map[string]struct {
		help string
		row  func(io.Writer) func(Row) error
	}{
		"loopstats": {"ntpd's: offset, frequency, jitter and wander of the station's time against the source it follows",
			loopstats},
		"peerstats":  {"ntpd's: offset, bound (as the dispersion) and jitter of each source", peerstats},
		"clockstats": {"ntpd's: state and reception of each source, as its timecode", clockstats},
	} {
		registerFormat(Format{Name: name, Help: f.help, Rows: func(w io.Writer, _ ExportOptions) Encoder[Row] {
			return ntpEncoder(f.row(w))
		}})
	}
}

// ntpEncoder is the function that writes a row, if it has a place in the file.
type ntpEncoder func(Row) error

func (e ntpEncoder) Write(r Row) error {
	if !r.Known {
		return nil
	}
	return e(r)
}

func (e ntpEncoder) Close() error { return nil }

// ntpTime is the MJD and the second of the day, cut to milliseconds: rounding could make a second 86400.
func ntpTime(u refclock.UTC) string {
	day, ns := mjdAndNanoseconds(u)
	return fmt.Sprintf("%d %d.%03d", day, ns/1e9, ns/1e6%1e3)
}

// ntpName names a source as ntpsec names a reference clock, DRIVER(unit): a word of ASCII that is no address.
func ntpName(r Row) string {
	word := func(s string) string {
		return strings.Map(func(c rune) rune {
			if c < utf8.RuneSelf && (unicode.IsLetter(c) || unicode.IsDigit(c) || c == '-') {
				return c
			}
			return '_'
		}, s)
	}
	driver := strings.ToUpper(word(r.Driver))
	if driver == "" || driver[0] >= '0' && driver[0] <= '9' {
		driver = "CLOCK" + driver
	}
	return driver + "(" + word(r.Source) + ")"
}

// loopstats has a line for each interval in which a source was followed: MJD, second, offset (s), frequency (ppm),
// jitter (s), wander (ppm), log2 of the interval (s).
//
// The clock that ntpd describes is the one it steers; the one here is the station's time, which NTP clients get. Offset
// and jitter therefore are the followed source's against it. The frequency is the correction that the oscillator needs:
// the negative of frequency_ppm, which says how fast it runs. Wander is computed of it as ntpd does.
func loopstats(w io.Writer) func(Row) error {
	var station, before Row
	var wander, lastFrequency float64
	return func(r Row) error {
		if r.Source == StationName {
			station = r
		}
		if !r.Selected.V || !r.OffsetSeconds.Valid || !r.FrequencyPPM.Valid {
			return nil
		}
		frequency := -r.FrequencyPPM.V
		if station.Local == r.Local && station.FrequencyPPM.Valid { // a row of the same interval
			frequency = -station.FrequencyPPM.V
		}
		poll := 4.0 // 16 s, the usual interval
		if before.Known {
			wander = rms(wander, frequency-lastFrequency)
			poll = math.Round(math.Log2(max(r.UTC.Time().Sub(before.UTC.Time()).Seconds(), 1)))
		}
		before, lastFrequency = r, frequency
		_, err := fmt.Fprintf(w, "%s %.9f %.6f %.9f %.6f %.0f\n", ntpTime(r.UTC), r.OffsetSeconds.V, frequency,
			r.JitterSeconds.V, wander, poll)
		return err
	}
}

// rms takes a difference into an exponential average of squares (RFC 5905, A.5.5.6: CLOCK_AVG).
func rms(average, difference float64) float64 {
	const clockAvg = 8
	return math.Sqrt(average*average + (difference*difference-average*average)/clockAvg)
}

// peerstats has a line for each source that was heard: MJD, second, source, status, offset (s), delay (s), dispersion
// (s), jitter (s). The delay is 0, as for every reference clock; the dispersion is the bound of the sample's error.
func peerstats(w io.Writer) func(Row) error {
	return func(r Row) error {
		word, heard := peerStatus[status.SourceState(r.State)]
		if !heard || !r.OffsetSeconds.Valid {
			return nil
		}
		_, err := fmt.Fprintf(w, "%s %s %04x %.9f %.9f %.9f %.9f\n", ntpTime(r.UTC), ntpName(r), word,
			r.OffsetSeconds.V, 0.0, r.MaxErrorSeconds.V, r.JitterSeconds.V)
		return err
	}
}

// peerStatus gives the peer status word of each state in which a source is heard (RFC 9327, section 3.3): configured
// and reachable, with the selection: 6 followed, 4 agreeing, 1 outvoted, 0 not asked. Events are not counted.
var peerStatus = map[status.SourceState]uint16{
	status.Selected:    0x9600,
	status.Agreeing:    0x9400,
	status.Falseticker: 0x9100,
	status.Compared:    0x9000,
	status.Settling:    0x9000,
}

// clockstats has a line for each source: MJD, second, source, and in place of the timecode that ntpd would have read
// what is kept of the reception.
func clockstats(w io.Writer) func(Row) error {
	return func(r Row) error {
		if r.Source == StationName && r.Driver == "" {
			return nil
		}
		timecode := "state=" + r.State
		if r.AgeSeconds.Valid {
			timecode += fmt.Sprintf(" age=%.3f", r.AgeSeconds.V)
		}
		if r.SatellitesUsed.Valid {
			timecode += fmt.Sprintf(" satellites=%d/%d", r.SatellitesUsed.V, r.SatellitesInView.V)
		}
		if r.CN0MeanDBHz.Valid {
			timecode += fmt.Sprintf(" cn0=%.1f", r.CN0MeanDBHz.V)
		}
		_, err := fmt.Fprintf(w, "%s %s %s\n", ntpTime(r.UTC), ntpName(r), timecode)
		return err
	}
}
