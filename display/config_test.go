package display

import (
	"strings"
	"testing"
	"time"
)

func TestConfigNamesTheKeyAndTheMend(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("the default is refused: %v", err)
	}
	for _, test := range []struct {
		change func(*Config)
		want   []string
	}{
		{func(c *Config) { c.Face = "sundial" }, []string{"face: ", "sundial", "led"}},
		{func(c *Config) { c.Accent = "red" }, []string{"accent: ", `"red"`, "#ff3b30"}},
		{func(c *Config) { c.Accent = "#12345" }, []string{"accent: "}},
		{func(c *Config) { c.Accent = "#+12345" }, []string{"accent: "}},
		{func(c *Config) { c.Accent = "#300000" }, []string{"accent: ", "brighter"}},
		{func(c *Config) { c.Theme, c.Accent = "light", "#ffe0a0" }, []string{"accent: ", "darker"}},
		{func(c *Config) { c.Theme = "pink" }, []string{"theme: ", "pink", "dark"}},
		{func(c *Config) { c.Page = "news" }, []string{"page: ", "news", "studio"}},
		{func(c *Config) { c.Rotation = []string{"studio", "news"} }, []string{"rotation: ", "news", "shack"}},
		{func(c *Config) { c.RotationSeconds = 1 }, []string{"rotation_seconds: ", "20"}},
		{func(c *Config) { c.SecondHand = "quartz" }, []string{"second_hand: ", "sweep"}},
		{func(c *Config) { c.Language = "fr" }, []string{"language: ", "de"}},
		{func(c *Config) { c.Zones = []string{"Mars/Olympus"} }, []string{"zones: ", "Mars/Olympus", "America/New_York"}},
		{func(c *Config) { c.Zones = []string{"UTC", "UTC", "UTC", "UTC"} }, []string{"zones: ", "leave some out"}},
		{func(c *Config) { c.Night = "late" }, []string{"night: ", "late", "22:00-06:30"}},
		{func(c *Config) { c.NightBrightness = 0 }, []string{"night_brightness: ", "0.4"}},
		{func(c *Config) { c.LatencySeconds = 20 }, []string{"latency_seconds: ", "20", "0.02"}},
		{func(c *Config) { c.LatencySeconds = -0.1 }, []string{"latency_seconds: "}},
	} {
		c := DefaultConfig()
		test.change(&c)
		err := c.Validate()
		if err == nil {
			t.Errorf("%+v is accepted", c)
			continue
		}
		if !strings.HasPrefix(err.Error(), test.want[0]) {
			t.Errorf("%q does not begin with the key", err)
		}
		for _, w := range test.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
	}
}

// TestNightFallsWhenItSays, within a day and across midnight.
func TestNightFallsWhenItSays(t *testing.T) {
	c := DefaultConfig()
	for _, test := range []struct {
		night, at string
		want      float64
	}{
		{"", "03:00", 1}, {"22:00-06:30", "21:59", 1}, {"22:00-06:30", "22:00", 0.4}, {"22:00-06:30", "03:00", 0.4}, {"22:00-06:30", "06:30", 1},
		{"01:00-05:00", "00:30", 1}, {"01:00-05:00", "04:59", 0.4}, {"01:00-05:00", "23:00", 1},
	} {
		c.Night = test.night
		at, err := time.Parse("15:04", test.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Brightness(at); got != test.want {
			t.Errorf("night %q at %s: %v, want %v", test.night, test.at, got, test.want)
		}
	}
}
