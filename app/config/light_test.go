package config

import (
	"strings"
	"testing"
)

// TestLights: without sections there are the usual lights, and those that are named take their place; what the wall has no
// room for is refused.
func TestLights(t *testing.T) {
	cfg, err := Load(write(t, source))
	if err != nil || len(cfg.Lights) != 4 || cfg.Lights[0].Name != "ON AIR" {
		t.Fatalf("%+v, %v", cfg, err)
	}
	cfg, err = Load(write(t, source+"[[light]]\nname = \"RED\"\ninput = \"gpiochip0:17\"\n"))
	if err != nil || len(cfg.Lights) != 1 || cfg.Lights[0].Colour != "#ff3b30" {
		t.Fatalf("%+v, %v", cfg.Lights, err)
	}
	for text, want := range map[string]string{
		"[[light]]\n": "light[1].name: is missing",
		strings.Repeat("[[light]]\nname = \"x\"\n", 5):                     "light: there are 5 sections; the wall has room for 4",
		"[[light]]\nname = \"x\"\ninput = \"17\"\n":                        `light[1].input: "17" is not a GPIO line`,
		"[[light]]\nname = \"x\"\ncolour = \"red\"\n":                      `light[1].colour: "red" is not #rrggbb`,
		"[automation]\nudp = \"3310\"\n":                                   `automation.udp: "3310" is not address:port`,
		"[[light]]\nname = \"x\"\ninput = \"GPIO4\"\noutput = \"GPIO4\"\n": "is used by another light",
	} {
		if _, err := Load(write(t, source+text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
