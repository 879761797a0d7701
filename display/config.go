package display

import (
	"fmt"
	"strings"
	"time"

	"timestation/display/face"
)

// Config is the [display] section.
type Config struct {
	Face           string  `mapstructure:"face" help:"The face of the studio clock: led."`
	Fullscreen     bool    `mapstructure:"fullscreen" help:"Whether the clock takes the whole screen; Escape or F11 leaves it."`
	Accent         string  `mapstructure:"accent" help:"The colour of the digits while the time is synchronised, as #rrggbb."`
	TwelveHour     bool    `mapstructure:"twelve_hour" help:"Whether hours run from 1 to 12 with AM and PM."`
	LatencySeconds float64 `mapstructure:"latency_seconds" help:"How long the monitor takes to show a picture it is given, in seconds (0 to 0.5); frames are drawn that much earlier."`
}

// DefaultConfig is the display of a station whose owner said nothing about it.
func DefaultConfig() Config {
	return Config{Face: "led", Fullscreen: true, Accent: face.DefaultAccent}
}

const (
	// maxLatencySeconds bounds latency_seconds: beyond it the figure is a mistake of the unit.
	maxLatencySeconds = 0.5
	// minContrast is the least contrast of the accent to the ground at which digits can be read from afar, that of large
	// text in the Web Content Accessibility Guidelines 2.1, 1.4.3.
	minContrast = 3
)

// Validate names the key and the reason of the first impossible value.
func (c Config) Validate() error {
	if _, ok := face.Named(c.Face); !ok {
		return fmt.Errorf("face: %q is not a face; write one of: %s", c.Face, strings.Join(face.Names(), ", "))
	}
	accent, err := face.ParseColour(c.Accent)
	if err != nil {
		return fmt.Errorf("accent: %w", err)
	}
	if face.Contrast(accent) < minContrast {
		return fmt.Errorf("accent: %s cannot be read on the dark ground; write a brighter colour, for instance %q",
			c.Accent, face.DefaultAccent)
	}
	if !(c.LatencySeconds >= 0 && c.LatencySeconds <= maxLatencySeconds) {
		return fmt.Errorf("latency_seconds: %v is not between 0 and %v; write for instance 0.02",
			c.LatencySeconds, maxLatencySeconds)
	}
	return nil
}

// Latency is LatencySeconds as a duration.
func (c Config) Latency() time.Duration { return time.Duration(c.LatencySeconds * 1e9) }

// Style is the part of the configuration that faces see. The configuration must be valid.
func (c Config) Style() face.Style {
	accent, err := face.ParseColour(c.Accent)
	if err != nil {
		panic(err)
	}
	return face.Style{Accent: accent, TwelveHour: c.TwelveHour}
}
