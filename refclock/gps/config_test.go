package gps

import (
	"strings"
	"testing"

	"timestation/refclock"
)

func TestValidate(t *testing.T) {
	good := DefaultConfig()
	good.Device = "/dev/serial0"
	if err := good.Validate(); err != nil {
		t.Errorf("the defaults with a device: %v", err)
	}
	for key, spoil := range map[string]func(*Config){
		"device":              func(c *Config) { c.Device = "" },
		"baud":                func(c *Config) { c.Baud = 300 },
		"trust":               func(c *Config) { c.Trust = "blindly" },
		"configure":           func(c *Config) { c.Configure = "all" },
		"delay_seconds":       func(c *Config) { c.DelaySeconds = new(85.0) },
		"delay_limit_seconds": func(c *Config) { c.DelayLimitSeconds = 0 },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestRegistered: the configuration finds the driver by its name.
func TestRegistered(t *testing.T) {
	r, ok := refclock.Lookup("gps")
	if !ok || r.ReferenceID != "GPS" {
		t.Fatalf("%+v", r)
	}
	c := r.NewConfig().(*Config)
	if _, err := r.New(c, refclock.Environment{}); err == nil {
		t.Error("a driver without a device")
	}
	c.Device = "/dev/serial0"
	if d, err := r.New(c, refclock.Environment{}); err != nil || d == nil {
		t.Errorf("%v", err)
	}
}
