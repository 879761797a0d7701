package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// span is a part of the log, as --from and --to give it.
type span struct{ from, to string }

// flags adds the flags of every command that reads a part of the log.
func (s *span) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.from, "from", "", "first moment (default: the beginning of the log)")
	c.Flags().StringVar(&s.to, "to", "", "moment to stop before (default: its end)")
}

// times reads them; the zero time is no limit.
func (s *span) times() (from, to time.Time, err error) {
	for _, bound := range []struct {
		flag, text string
		into       *time.Time
	}{{"--from", s.from, &from}, {"--to", s.to, &to}} {
		if *bound.into, err = parseTime(bound.text); err != nil {
			return from, to, usageError{fmt.Errorf("%s: %w", bound.flag, err)}
		}
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return from, to, usageError{fmt.Errorf("--to: %s is not after --from %s", s.to, s.from)}
	}
	return from, to, nil
}

// parseTime reads a date or RFC 3339; nothing is the zero time.
func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a UTC time; write for instance 2026-11-22 or 2026-11-22T13:00:00Z", text)
}
