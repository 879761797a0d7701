package config

import (
	"fmt"
	"strings"

	"timestation/app/notify"
)

// decodePlace fills one [[notify]] section; number counts from 1.
func decodePlace(table map[string]any, number int, sections []section) (notify.Config, error) {
	where := fmt.Sprintf("notify[%d].", number)
	if name, ok := table["name"].(string); ok {
		where = fmt.Sprintf("notify %q: ", name)
	}
	c := notify.DefaultConfig()
	kind, ok := table["kind"]
	if !ok {
		return c, fmt.Errorf("%skind: is missing; write one of %s", where, kindList())
	}
	if kind, ok := kind.(string); ok {
		registration, known := notify.Lookup(kind)
		if !known {
			return c, fmt.Errorf("%skind: %q is not known; write one of %s", where, kind, kindList())
		}
		c.Settings = registration.NewSettings()
	}
	if err := decode(table, where, sections, &c, c.Settings); err != nil {
		return c, err
	}
	if _, given := table["name"]; !given {
		c.Name = c.Kind
	}
	return c, nil
}

// validatePlaces names the first [[notify]] section that is impossible by itself or beside the others.
func (c *Config) validatePlaces() error {
	names := map[string]bool{}
	for _, p := range c.Notify {
		if err := p.Validate(); err != nil {
			return fmt.Errorf("notify %q: %w", p.Name, err)
		}
		if names[p.Name] {
			return fmt.Errorf("notify %q: name: two places have it; give each its own", p.Name)
		}
		names[p.Name] = true
	}
	return nil
}

// kindList is the known kinds of places, for messages.
func kindList() string {
	var kinds []string
	for _, k := range notify.Kinds() {
		kinds = append(kinds, fmt.Sprintf("%q", k.Kind))
	}
	return strings.Join(kinds, ", ")
}
