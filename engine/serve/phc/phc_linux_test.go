package phc

import (
	"strings"
	"testing"

	"timestation/engine/serve/namespace"
)

// Interfaces without a clock are told in one line that names them.
func TestNoClockHere(t *testing.T) {
	a, b := namespace.New(t), namespace.New(t)
	namespace.Join(t, a, "lan0", b, "lan1")
	for name, want := range map[string]string{
		"lo":   "lo has no hardware time stamps: its card has no clock",
		"lan0": "lan0 has no hardware time stamps: its card has no clock",
		Auto:   "lan0 has no hardware time stamps: its card has no clock",
		"wlp7": "there is no interface wlp7",
	} {
		var err error
		a.Do(func() {
			var c *Clock
			if c, err = Open(name); err == nil {
				c.Close()
			}
		})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
