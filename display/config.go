package display

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"timestation/display/draw"
	"timestation/display/face"
	"timestation/display/words"
)

// Config is the [display] section.
type Config struct {
	Page            string   `mapstructure:"page" help:"The page that is shown when nobody asks for another: studio, signal, trust, history, clients or shack."`
	Rotation        []string `mapstructure:"rotation" help:"Pages that are shown in turn, instead of page; whoever touches the screen halts it for two minutes."`
	RotationSeconds float64  `mapstructure:"rotation_seconds" help:"How long each page of the rotation is shown, in seconds (5 to 3600)."`
	Face            string   `mapstructure:"face" help:"The face of the studio page: led, analogue or digital."`
	SecondHand      string   `mapstructure:"second_hand" help:"How the second hand of the analogue face goes: tick, sweep, or stop-to-go (it waits for the minute)."`
	Zones           []string `mapstructure:"zones" help:"Up to three further time zones beside the clock, such as [\"America/New_York\"]; UTC is there anyway."`
	TopOfHour       bool     `mapstructure:"top_of_hour" help:"Whether what is left of the hour is shown."`
	TwelveHour      bool     `mapstructure:"twelve_hour" help:"Whether hours run from 1 to 12 with AM and PM."`
	Language        string   `mapstructure:"language" help:"The language on the screen: en or de."`
	Theme           string   `mapstructure:"theme" help:"The colours: dark, or light for a bright room."`
	Accent          string   `mapstructure:"accent" help:"The colour of the digits while the time is synchronised, as #rrggbb; the theme's own when empty."`
	Night           string   `mapstructure:"night" help:"When the screen is dimmed, by local time, such as \"22:00-06:30\"; empty for never."`
	NightBrightness float64  `mapstructure:"night_brightness" help:"How bright the screen is at night, as a share of the day's (0.05 to 1)."`
	PixelShift      bool     `mapstructure:"pixel_shift" help:"Whether the picture moves by a few pixels every few minutes, so that it does not burn in."`
	Process         string   `mapstructure:"process" help:"Where the screen runs: in the same process as the station, or as a child that can crash, hang or be killed while time is served."`
	Fullscreen      bool     `mapstructure:"fullscreen" help:"Whether the clock takes the whole screen; Escape or F11 leaves it."`
	LatencySeconds  float64  `mapstructure:"latency_seconds" help:"How long the monitor takes to show a picture it is given, in seconds (0 to 0.5); frames are drawn that much earlier."`
}

// Pages are the names of all pages, in the order of the menu; package panel draws them.
var Pages = []string{"studio", "signal", "trust", "history", "clients", "shack"}

// The values of Config.Process.
const (
	ProcessSame  = "same"
	ProcessChild = "child"
)

// DefaultConfig is the display of a station whose owner said nothing about it.
func DefaultConfig() Config {
	return Config{
		Page: Pages[0], RotationSeconds: 20, Face: "led", SecondHand: string(face.Tick), TopOfHour: true,
		Language: string(words.English), Theme: "dark", NightBrightness: 0.4, PixelShift: true, Process: ProcessSame, Fullscreen: true,
	}
}

const (
	// maxLatencySeconds bounds latency_seconds: beyond it the figure is a mistake of the unit.
	maxLatencySeconds = 0.5
	// minContrast is the least contrast of the accent to the ground at which digits can be read from afar, that of large
	// text in the Web Content Accessibility Guidelines 2.1, 1.4.3.
	minContrast = 3
	// maxZones is how many further time zones there is room for.
	maxZones = 3
	// The bounds of rotation_seconds and night_brightness.
	minRotationSeconds, maxRotationSeconds = 5, 3600
	minBrightness                          = 0.05
)

// Validate names the key and the reason of the first impossible value.
func (c Config) Validate() error {
	if err := oneOf("page", c.Page, "a page", Pages); err != nil {
		return err
	}
	for _, p := range c.Rotation {
		if err := oneOf("rotation", p, "a page", Pages); err != nil {
			return err
		}
	}
	if !(c.RotationSeconds >= minRotationSeconds && c.RotationSeconds <= maxRotationSeconds) {
		return fmt.Errorf("rotation_seconds: %v is not between %d and %d; write for instance 20",
			c.RotationSeconds, minRotationSeconds, maxRotationSeconds)
	}
	for _, k := range []struct {
		key, value, what string
		all              []string
	}{
		{"face", c.Face, "a face", face.Names()}, {"second_hand", c.SecondHand, "a way of a second hand", face.Hands()},
		{"language", c.Language, "a language of the screen", words.Languages()}, {"theme", c.Theme, "a theme", []string{"dark", "light"}},
		{"process", c.Process, "a way to run the screen", []string{ProcessSame, ProcessChild}},
	} {
		if err := oneOf(k.key, k.value, k.what, k.all); err != nil {
			return err
		}
	}
	if _, err := c.zones(); err != nil {
		return err
	}
	if c.Accent != "" {
		accent, err := draw.ParseColour(c.Accent)
		if err != nil {
			return fmt.Errorf("accent: %w", err)
		}
		if theme := c.theme(); draw.Contrast(accent, theme.Ground) < minContrast {
			other := "brighter"
			if theme.Light {
				other = "darker"
			}
			return fmt.Errorf("accent: %s cannot be read on the %s ground; write a %s colour, for instance %q",
				c.Accent, c.Theme, other, draw.Hex(theme.Accent))
		}
	}
	if _, _, err := c.night(); err != nil {
		return fmt.Errorf("night: %w", err)
	}
	if !(c.NightBrightness >= minBrightness && c.NightBrightness <= 1) {
		return fmt.Errorf("night_brightness: %v is not between %v and 1; write for instance 0.4", c.NightBrightness, minBrightness)
	}
	if !(c.LatencySeconds >= 0 && c.LatencySeconds <= maxLatencySeconds) {
		return fmt.Errorf("latency_seconds: %v is not between 0 and %v; write for instance 0.02",
			c.LatencySeconds, maxLatencySeconds)
	}
	return nil
}

// oneOf refuses a value that is none of those there are.
func oneOf(key, value, what string, all []string) error {
	if slices.Contains(all, value) {
		return nil
	}
	return fmt.Errorf("%s: %q is not %s; write one of: %s", key, value, what, strings.Join(all, ", "))
}

// Latency is LatencySeconds as a duration.
func (c Config) Latency() time.Duration { return time.Duration(c.LatencySeconds * 1e9) }

// Turn is how long each page of the rotation is shown.
func (c Config) Turn() time.Duration { return time.Duration(c.RotationSeconds * 1e9) }

func (c Config) theme() draw.Theme {
	if c.Theme == "light" {
		return draw.Light
	}
	return draw.Dark
}

func (c Config) zones() ([]*time.Location, error) {
	if len(c.Zones) > maxZones {
		return nil, fmt.Errorf("zones: there is room for %d, not for %d; leave some out", maxZones, len(c.Zones))
	}
	var all []*time.Location
	for _, name := range c.Zones {
		loc, err := time.LoadLocation(name)
		if err != nil || name == "" || name == "Local" {
			return nil, fmt.Errorf("zones: %q is not a time zone; write for instance \"America/New_York\"", name)
		}
		all = append(all, loc)
	}
	return all, nil
}

// night is when the night begins and ends, as time of day; both are 0 where there is none.
func (c Config) night() (from, to time.Duration, err error) {
	if c.Night == "" {
		return 0, 0, nil
	}
	begin, end, ok := strings.Cut(c.Night, "-")
	clock := func(s string) time.Duration {
		t, err := time.Parse("15:04", strings.TrimSpace(s))
		ok = ok && err == nil
		return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	}
	if from, to = clock(begin), clock(end); !ok || from == to {
		return 0, 0, fmt.Errorf(`%q is not a span of the day; write for instance "22:00-06:30"`, c.Night)
	}
	return from, to, nil
}

// Brightness is the share of its light that the screen has at a local time.
func (c Config) Brightness(local time.Time) float64 {
	from, to, err := c.night()
	if err != nil || from == to {
		return 1
	}
	now := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
	night := now >= from && now < to
	if from > to {
		night = now >= from || now < to
	}
	if night {
		return c.NightBrightness
	}
	return 1
}

// Style is the part of the configuration that pages see. The configuration must be valid.
func (c Config) Style() face.Style {
	theme := c.theme()
	if c.Accent != "" {
		accent, err := draw.ParseColour(c.Accent)
		if err != nil {
			panic(err)
		}
		theme.Accent = accent
	}
	zones, err := c.zones()
	if err != nil {
		panic(err)
	}
	return face.Style{Theme: theme, Language: words.Language(c.Language), TwelveHour: c.TwelveHour, Face: c.Face,
		Hand: face.Hand(c.SecondHand), TopOfHour: c.TopOfHour, Zones: zones}
}
