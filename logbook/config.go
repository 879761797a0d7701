package logbook

import (
	"fmt"
	"time"
)

// Config is the [logbook] section.
type Config struct {
	IntervalSeconds float64 `mapstructure:"interval_seconds" help:"how often one row per source and one for the station is kept, 0.1 to 86400 s"`
	BatchSeconds    float64 `mapstructure:"batch_seconds" help:"how often the rows kept in memory are written, 0.1 to 3600 s: what a power cut may cost; longer spares the SD card"`
}

// DefaultConfig is a row every 16 s, the pace at which NTP sources are polled at their quickest by default (RFC 5905,
// MINPOLL), written within 10 s.
func DefaultConfig() Config { return Config{IntervalSeconds: 16, BatchSeconds: 10} }

// Validate names the key and the reason of the first impossible value.
func (c Config) Validate() error {
	// Written so that NaN fails too.
	if !(c.IntervalSeconds >= 0.1 && c.IntervalSeconds <= 86400) {
		return fmt.Errorf("interval_seconds: %v is not within 0.1 to 86400 s; write for instance 16", c.IntervalSeconds)
	}
	if !(c.BatchSeconds >= 0.1 && c.BatchSeconds <= 3600) {
		return fmt.Errorf("batch_seconds: %v is not within 0.1 to 3600 s; write for instance 10", c.BatchSeconds)
	}
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
