package display

import (
	"strings"
	"testing"
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
