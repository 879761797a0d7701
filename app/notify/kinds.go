package notify

import (
	"errors"
	"fmt"
	"log/slog"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"timestation/app/secret"
	"timestation/engine/status"
	"timestation/refclock"
)

// ErrRefused marks an error of a far side that will take this notice no better the next time.
var ErrRefused = errors.New("refused for good")

// Settings are the keys of one kind, a pointer to a struct.
type Settings interface {
	// Validate names the first impossible value; the error starts with the key.
	Validate() error
}

// Registration makes a kind of place known.
type Registration struct {
	Kind, Help string
	// People: what it sends is read by people, who are told less and sooner in summary.
	People      bool
	NewSettings func() Settings
	// New makes the place; nothing is sent yet. It gives a Sink, a Follower, or what is both.
	New func(Settings, Environment) (any, error)
}

var registry = map[string]Registration{}

// register makes a kind known; called from its file's init. A name taken twice is a mistake of the programmer.
func register(r Registration) {
	if _, taken := registry[r.Kind]; taken {
		panic("notify: kind registered twice: " + r.Kind)
	}
	registry[r.Kind] = r
}

// Lookup finds a kind by name.
func Lookup(kind string) (Registration, bool) {
	r, ok := registry[kind]
	return r, ok
}

// Kinds lists what is registered, by name.
func Kinds() []Registration {
	var all []Registration
	for _, r := range registry {
		all = append(all, r)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Kind < all[j].Kind })
	return all
}

// Environment is what the station gives each place.
type Environment struct {
	// Name is the section's, Station and Version the station's.
	Name, Station, Version string
	// Language of texts for people: "en" or "de".
	Language string
	Location *time.Location
	Log      *slog.Logger
	// UTC is the station's time; false while it does not know it.
	UTC func() (refclock.UTC, bool)
	// Status is the station as it is now.
	Status func() status.Snapshot
	// Served is what the NTP servers have counted since the start.
	Served func() Served
	// Uptime is for how long the station has been running.
	Uptime func() time.Duration
	// LastHour is the history of the last hour, oldest first.
	LastHour func() []Point
	// NTPPort and WebPort are where the station answers others than this machine; 0 where it does not.
	NTPPort, WebPort int
	// WebAddress is that of the status page, such as http://192.0.2.7:8123; empty where there is none.
	WebAddress string
	// Alerts is where a place that follows the station's state says that it cannot.
	Alerts Raiser
	// Starts is how often the station has been started with this data folder, this time included.
	Starts uint32
	// notifications counts the SNMP notifications that were sent.
	notifications *atomic.Uint64
}

// Raiser takes what a person should know.
type Raiser interface {
	Raise(status.Alert)
	Clear(code, source string)
}

// fails has the alert that a place fails stand, or not, as err says.
func (e Environment) fails(err error) {
	if err == nil {
		e.Alerts.Clear(AlertFailing, e.Name)
		return
	}
	e.Alerts.Raise(status.Alert{
		Code: AlertFailing, Source: e.Name, Severity: status.Warning, Text: fmt.Sprintf("%s fails: %v.", e.Name, err),
		Mend: "mend that; it is tried again by itself",
	})
}

// Served is what the NTP servers have counted: packets that came, went out as answers, were of a version that is not
// spoken, or could not be understood; and control messages.
type Served struct{ Received, Sent, BadVersion, ProtocolErrors, Control uint64 }

// Point is one point of the station's history.
type Point struct {
	At refclock.UTC
	// OffsetSeconds is that of the followed source's last sample against the station; MaxErrorSeconds the bound.
	OffsetSeconds, MaxErrorSeconds float64
	// Followed is false while no source is followed; the offset then means nothing.
	Followed bool
}

// now is the station's time as Go's; the zero time while it is not known, which package tls takes for the system clock.
func (e Environment) now() time.Time {
	if utc, known := e.UTC(); known {
		return utc.Time()
	}
	return time.Time{}
}

// readSecret reads a file of one line that only its owner may read; key is the configuration's name for it.
func readSecret(key, path string) (string, error) {
	line, err := secret.Line(path, "cat")
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	return line, nil
}

// checkSecret is readSecret for the start: without a path there is none to check.
func checkSecret(key, path string) error {
	if path == "" {
		return nil
	}
	_, err := readSecret(key, path)
	return err
}

// oneLine brings what a far side said to one line of printable text, bounded.
func oneLine(text string) string {
	const most = 300
	clean := strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	if len(clean) > most {
		clean = clean[:most] + " …"
	}
	return strings.ToValidUTF8(clean, "?")
}
