package logbook

import (
	"fmt"
	"time"
)

// Config is the [logbook] section.
type Config struct {
	IntervalSeconds float64 `mapstructure:"interval_seconds" help:"How often one row per source and one for the station is kept, 0.1 to 86400 s."`
	BatchSeconds    float64 `mapstructure:"batch_seconds" help:"How often the rows kept in memory are written, 0.1 to 3600 s: what a power cut may cost; longer spares the SD card."`
	RawDays         float64 `mapstructure:"raw_days" help:"For how many days every row is kept, 2 to 36500; older ones are left as aggregates of minutes and hours."`
	MinuteDays      float64 `mapstructure:"minute_days" help:"For how many days aggregates of minutes, and what each NTP client did in each hour, are kept, raw_days to 36500; aggregates of hours, and events, are kept for ever."`
}

// DefaultConfig is a row every 16 s, the pace at which NTP sources are polled at their quickest by default (RFC 5905,
// MINPOLL), written within a minute; all rows of the last month and all minutes of the last year.
func DefaultConfig() Config {
	return Config{IntervalSeconds: 16, BatchSeconds: 60, RawDays: 30, MinuteDays: 365}
}

// Validate names the key and the reason of the first impossible value.
func (c Config) Validate() error {
	// Written so that NaN fails too.
	if !(c.IntervalSeconds >= 0.1 && c.IntervalSeconds <= 86400) {
		return fmt.Errorf("interval_seconds: %v is not within 0.1 to 86400 s; write for instance 16", c.IntervalSeconds)
	}
	if !(c.BatchSeconds >= 0.1 && c.BatchSeconds <= 3600) {
		return fmt.Errorf("batch_seconds: %v is not within 0.1 to 3600 s; write for instance 60", c.BatchSeconds)
	}
	// A day has to be over, and aggregated, before its rows may go.
	if !(c.RawDays >= 2 && c.RawDays <= 36500) {
		return fmt.Errorf("raw_days: %v is not within 2 to 36500; write for instance 30", c.RawDays)
	}
	if !(c.MinuteDays >= c.RawDays && c.MinuteDays <= 36500) {
		return fmt.Errorf("minute_days: %v is not within raw_days (%v) to 36500; write for instance 365", c.MinuteDays,
			c.RawDays)
	}
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
