// Package config reads the one configuration file of the station: TOML, overridden key by key from the environment.
//
// Each room declares its own keys in a plain struct with the tags mapstructure and help; this package only joins them.
// The reading, the refusal of what is unknown or impossible, the reference and the example all derive from those structs,
// so that none of them can disagree with what the program accepts.
package config

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a small system may have no zone files
	"unicode"
	"unicode/utf8"

	"timestation/app/automation"
	"timestation/app/notify"
	"timestation/app/otlp"
	"timestation/app/web"
	"timestation/display"
	"timestation/display/studio"
	"timestation/engine"
	"timestation/engine/control"
	"timestation/engine/feed"
	"timestation/engine/nts"
	"timestation/engine/serve"
	"timestation/logbook"
	"timestation/logbook/remote"
	"timestation/refclock"
)

// Config is what a station is built from.
type Config struct {
	Station   Station
	Refclocks []Refclock
	Clock     engine.Config
	Listeners []serve.Config
	// NTS is key establishment for the listeners that speak it.
	NTS   nts.Config
	Feeds []feed.Config
	// Alerts is how alerts are told, Notify whom.
	Alerts  notify.AlertsConfig
	Notify  []notify.Config
	Display display.Config
	// Lights are the on-air lights; those of studio.DefaultLights where the file names none.
	Lights     []studio.LightConfig
	Automation automation.Config
	Logbook    logbook.Config
	// RemoteWrite copies the logbook's rows elsewhere.
	RemoteWrite remote.Config
	Web         web.Config
	OTLP        otlp.Config
	Control     control.Config
	// Origin names the file with its SHA-256, and the environment's overrides; it is what the logbook keeps.
	Origin string
}

// Station is who and where the station is.
type Station struct {
	Name     string    `mapstructure:"name" help:"What the station is called on its screen and its status page."`
	Position []float64 `mapstructure:"position" help:"Where the antenna is: [latitude, longitude] in degrees, WGS 84, north and east positive; empty when it does not matter."`
	Timezone string    `mapstructure:"timezone" help:"The zone of the clock on the wall: an IANA name such as Europe/Berlin, or Local for the machine's own."`
}

// Refclock is one source.
type Refclock struct {
	Name        string `mapstructure:"name" help:"The source's name on every surface; the driver's name when left out. No two may be the same."`
	Driver      string `mapstructure:"driver" help:"What reads the device."`
	Receiver    string `mapstructure:"receiver" help:"The hardware behind the source: sources of one receiver share one vote. The source's own name when left out."`
	CompareOnly bool   `mapstructure:"compare_only" help:"Watch and log the source, but never follow it."`
	// Config is the driver's own part of the section.
	Config refclock.Config `mapstructure:"-"`
}

// Default gives every section its defaults; it has no sources and no listeners.
func Default() Config {
	return Config{
		Station:     Station{Name: "Timestation", Timezone: "Local"},
		Clock:       engine.DefaultConfig(),
		NTS:         nts.DefaultConfig(),
		Display:     display.DefaultConfig(),
		Lights:      studio.DefaultLights(),
		Automation:  automation.DefaultConfig(),
		Logbook:     logbook.DefaultConfig(),
		RemoteWrite: remote.DefaultConfig(),
		Alerts:      notify.DefaultAlertsConfig(),
		Web:         web.DefaultConfig(),
		OTLP:        otlp.DefaultConfig(),
		Control:     control.DefaultConfig(),
	}
}

// A section is one table of the file. There are two kinds: [name], with a pointer to the struct it fills, and [[name]],
// which may be repeated and holds a fresh struct with defaults to show the keys.
type section struct {
	name, help string
	repeated   bool
	target     any
}

func (c *Config) sections() []section {
	listener, fed, light, place := serve.DefaultConfig(), feed.DefaultConfig(), studio.DefaultLight(), notify.DefaultConfig()
	return []section{
		{name: "station", help: "Who and where the station is.", target: &c.Station},
		{name: "refclock", help: "One source of time each. The keys of the driver follow those that all share.", repeated: true,
			target: &Refclock{}},
		{name: "clock", help: "How the station keeps time.", target: &c.Clock},
		{name: "listener", help: "One address each where NTP requests are answered.", repeated: true, target: &listener},
		{name: "nts", help: "Key establishment for NTS (RFC 8915), for the listeners with nts = true.", target: &c.NTS},
		{name: "feed", help: "One other time program on this machine each that takes the station for its reference clock.", repeated: true, target: &fed},
		{name: "display", help: "The clock on the wall.", target: &c.Display},
		{name: "light", help: "One on-air light each, four at most; without any there are ON AIR, PHONE, DOOR and RECORD.", repeated: true, target: &light},
		{name: "automation", help: "Who else may work the lights, messages and timers on the wall.", target: &c.Automation},
		{name: "alerts", help: "How alerts are told.", target: &c.Alerts},
		{name: "notify", help: "One place each that hears of alerts or shows the station's state. The keys of the kind follow those that all share.", repeated: true,
			target: &place},
		{name: "logbook", help: "The history on disk.", target: &c.Logbook},
		{name: "remote_write", help: "Where else the history goes: storage that speaks Prometheus remote write, for a fleet of stations.",
			target: &c.RemoteWrite},
		{name: "web", help: "The status page, /face, /api and /metrics, and who may do what there.", target: &c.Web},
		{name: "otlp", help: "Metrics and the program's log for an OpenTelemetry collector.", target: &c.OTLP},
		{name: "control", help: "How ntpq and chronyc look into the station; they change nothing.", target: &c.Control},
	}
}

// Location is the zone of the clock on the wall; UTC if Validate would refuse the name.
func (s Station) Location() *time.Location {
	loc, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// Where is the position, or nil where nobody has said.
func (s Station) Where() *refclock.Position {
	if len(s.Position) != 2 {
		return nil
	}
	return &refclock.Position{Latitude: s.Position[0], Longitude: s.Position[1]}
}

// Validate names the first impossible value.
func (s Station) Validate() error {
	if err := readable(s.Name); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	if s.Timezone == "" {
		return errors.New(`timezone: is empty; write an IANA name such as "Europe/Berlin", "UTC", or "Local"`)
	}
	if _, err := time.LoadLocation(s.Timezone); err != nil {
		return fmt.Errorf("timezone: %q is not a time zone; write an IANA name such as \"Europe/Berlin\", or \"Local\"",
			s.Timezone)
	}
	switch {
	case len(s.Position) == 0:
	case len(s.Position) != 2:
		return fmt.Errorf("position: has %d numbers; write [latitude, longitude] in degrees", len(s.Position))
	case !(s.Position[0] >= -90 && s.Position[0] <= 90):
		return fmt.Errorf("position: latitude %g is not within -90 and 90 degrees", s.Position[0])
	case !(s.Position[1] >= -180 && s.Position[1] <= 180):
		return fmt.Errorf("position: longitude %g is not within -180 and 180 degrees", s.Position[1])
	}
	return nil
}

// longestName is the most characters of a name that every surface has room for.
const longestName = 40

func readable(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return errors.New("is empty; write a name of one to 40 characters")
	case utf8.RuneCountInString(name) > longestName:
		return fmt.Errorf("%q is too long; write at most %d characters", name, longestName)
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("%q has a character that cannot be printed", name)
	}
	return nil
}

// Validate names the first impossible value.
func (r Refclock) Validate() error {
	if err := readable(r.Name); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	if err := readable(r.Receiver); err != nil {
		return fmt.Errorf("receiver: %w", err)
	}
	return r.Config.Validate()
}

// Device is the path the driver opens, or empty if it has none.
func (r Refclock) Device() string { return r.text("device") }

// Line is the GPIO line the driver reads and the chip it is on; both are empty if it reads none, and the chip where the
// line's name says enough.
func (r Refclock) Line() (chip, line string) { return r.text("chip"), r.text("line") }

// text is the value of one of the driver's keys, or empty if it has none of that name.
func (r Refclock) text(name string) string {
	for _, k := range keysOf(r.Config) {
		if k.name == name {
			return fmt.Sprint(k.value)
		}
	}
	return ""
}

// Validate names the first value that is impossible by itself or beside the others; the error starts with the key, as
// in "clock.discipline: …" or `refclock "gps": baud: …`.
func (c *Config) Validate() error {
	for _, s := range c.sections() {
		if s.repeated {
			continue
		}
		if v, ok := s.target.(refclock.Config); ok {
			if err := v.Validate(); err != nil {
				return fmt.Errorf("%s.%w", s.name, err)
			}
		}
	}
	if len(c.Refclocks) == 0 {
		return fmt.Errorf("refclock: there is no source; add a [[refclock]] section with driver = %s", driverList())
	}
	names := map[string]bool{}
	for _, r := range c.Refclocks {
		if err := r.Validate(); err != nil {
			return fmt.Errorf("refclock %q: %w", r.Name, err)
		}
		if names[r.Name] {
			return fmt.Errorf("refclock %q: name: two sources have it; give each its own", r.Name)
		}
		if r.Name == logbook.StationName {
			return fmt.Errorf("refclock %q: name: the log keeps the station itself under it; choose another", r.Name)
		}
		names[r.Name] = true
	}
	for _, r := range c.Refclocks {
		if with := r.text("with"); with != "" && (with == r.Name || !names[with]) {
			return fmt.Errorf("refclock %q: with: there is no other source called %q; name the one that knows which second a pulse is", r.Name, with)
		}
	}
	addresses := map[string]bool{}
	for i, l := range c.Listeners {
		if err := l.Validate(); err != nil {
			return fmt.Errorf("listener[%d].%w", i+1, err)
		}
		if addresses[l.Address] {
			return fmt.Errorf("listener[%d].address: two listeners have %q; give each its own", i+1, l.Address)
		}
		addresses[l.Address] = true
		if l.NTS && c.NTS.Certificate == "" {
			return fmt.Errorf("listener[%d].nts: there is no certificate; make one with timestation keys cert, and name it in the [nts] section", i+1)
		}
	}
	if err := c.validatePlaces(); err != nil {
		return err
	}
	if len(c.Lights) > studio.Lights {
		return fmt.Errorf("light: there are %d sections; the wall has room for %d", len(c.Lights), studio.Lights)
	}
	lines := map[string]bool{}
	for i, l := range c.Lights {
		if err := l.Validate(); err != nil {
			return fmt.Errorf("light[%d].%w", i+1, err)
		}
		for key, line := range map[string]string{"input": l.Input, "output": l.Output} {
			if line == "" {
				continue
			}
			if err := automation.Options(line).Validate(); err != nil {
				return fmt.Errorf(`light[%d].%s: %q is not a GPIO line; write "gpiochip0:17" or "GPIO17"`, i+1, key, line)
			}
			if lines[line] {
				return fmt.Errorf("light[%d].%s: %s is used by another light; give each its own", i+1, key, line)
			}
			lines[line] = true
		}
	}
	targets := map[string]bool{}
	for i, f := range c.Feeds {
		if err := f.Validate(); err != nil {
			return fmt.Errorf("feed[%d].%w", i+1, err)
		}
		if targets[f.Target()] {
			return fmt.Errorf("feed[%d].kind: two feeds go to %s; give each its own", i+1, f.Target())
		}
		targets[f.Target()] = true
		for _, r := range c.Refclocks { // the drivers of either kind have the names of the kinds
			if r.Driver == f.Kind && !r.CompareOnly && (f.Kind == "sock" && r.text("path") == f.Path || f.Kind == "shm" && r.text("unit") == fmt.Sprint(f.Unit)) {
				return fmt.Errorf("feed[%d].kind: refclock %q reads what this feed writes, and the station would follow itself; choose another path or unit", i+1, r.Name)
			}
		}
	}
	return nil
}

// driverList is the known drivers, for messages.
func driverList() string {
	var names []string
	for _, d := range refclock.Drivers() {
		names = append(names, fmt.Sprintf("%q", d.Name))
	}
	return strings.Join(names, ", ")
}
