package studio

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// LightConfig is one [[light]] section, an on-air light; there are at most [Lights] of them, in the order of the wall.
type LightConfig struct {
	Name   string `mapstructure:"name" help:"What the light says, such as ON AIR."`
	Colour string `mapstructure:"colour" help:"The colour of the lit light, as #rrggbb."`
	Blink  bool   `mapstructure:"blink" help:"Whether the lit light blinks."`
	Timed  bool   `mapstructure:"timed" help:"Whether the lit light shows for how long it has been on."`
	// Input and Output are written as "gpiochip0:17", or "GPIO17" by the line's own name.
	Input          string `mapstructure:"input" help:"GPIO line that switches the light, as \"gpiochip0:17\" or by the line's name, \"GPIO17\"; \"\": none."`
	InputActiveLow bool   `mapstructure:"input_active_low" help:"Whether the light is on while the input line is low, as with a contact to ground."`
	Output         string `mapstructure:"output" help:"GPIO line that follows the light, for a lamp of its own; written as input is."`
}

// DefaultLights are the lights of a station whose owner said nothing about them.
func DefaultLights() []LightConfig {
	return []LightConfig{
		{Name: "ON AIR", Colour: "#ff3b30", Timed: true},
		{Name: "PHONE", Colour: "#ffb020"},
		{Name: "DOOR", Colour: "#4aa8ff"},
		{Name: "RECORD", Colour: "#ff3b30"},
	}
}

// DefaultLight is a light whose owner gave nothing but its name.
func DefaultLight() LightConfig { return LightConfig{Colour: "#ff3b30"} }

// Validate names the key and the reason of the first impossible value.
func (c LightConfig) Validate() error {
	if err := validName(c.Name); err != nil {
		return err
	}
	return validColour(c.Colour)
}

// The longest texts that have a place on the wall, in characters.
const (
	longestName = 24
	longestText = 500
)

func validName(name string) error {
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return fmt.Errorf("name: is missing; write for instance %q", "ON AIR")
	case n > longestName:
		return fmt.Errorf("name: %q has %d characters; the wall has room for %d", name, n, longestName)
	case clean(name) != name:
		return fmt.Errorf("name: %q contains characters that cannot be shown", name)
	}
	return nil
}

func validColour(colour string) error {
	const digits = "0123456789abcdefABCDEF"
	if len(colour) != 7 || colour[0] != '#' || strings.Trim(colour[1:], digits) != "" {
		return fmt.Errorf("colour: %q is not #rrggbb; write for instance %q", colour, "#ff3b30")
	}
	return nil
}

// clean takes out of a text what cannot be shown: control characters, broken UTF-8, and white space around it.
func clean(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1 // the last two ranges turn the direction of the text around them
		}
		return r
	}, text))
}
