package notify

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"timestation/engine/status"
)

// AlertsConfig is the [alerts] section.
type AlertsConfig struct {
	Language        string  `mapstructure:"language" help:"The language of messages to people: \"en\" or \"de\". What an alert says of its cause in figures stays English."`
	EscalateMinutes float64 `mapstructure:"escalate_minutes" help:"After how many minutes an alert that nobody has acknowledged is told once more, as escalated; 0: never."`
}

// DefaultAlertsConfig is English, and escalates after 15 minutes.
func DefaultAlertsConfig() AlertsConfig { return AlertsConfig{Language: "en", EscalateMinutes: 15} }

// Validate names the first impossible value.
func (c AlertsConfig) Validate() error {
	const week = 7 * 24 * 60
	switch {
	case c.Language != "en" && c.Language != "de":
		return fmt.Errorf(`language: %q is not spoken here; write "en" or "de"`, c.Language)
	case !(c.EscalateMinutes >= 0 && c.EscalateMinutes <= week):
		return fmt.Errorf("escalate_minutes: %g is not within 0 to %d; write for instance 15", c.EscalateMinutes, week)
	}
	return nil
}

// EscalateAfter is EscalateMinutes as a duration.
func (c AlertsConfig) EscalateAfter() time.Duration {
	return time.Duration(c.EscalateMinutes * float64(time.Minute))
}

// Config is one [[notify]] section: the keys that all kinds share, and Settings with those of its kind.
type Config struct {
	Name          string `mapstructure:"name" help:"The place's name in messages, logs and timestation alerts test; the kind when left out. No two may be the same."`
	Kind          string `mapstructure:"kind" help:"What kind of place it is."`
	Severity      string `mapstructure:"severity" help:"The least severity of an alert that is told: \"info\", \"warning\" or \"critical\"."`
	EscalatedOnly bool   `mapstructure:"escalated_only" help:"Tell only of alerts that were escalated: for whom to call when nobody else reacts."`
	// Settings are those of the kind.
	Settings Settings `mapstructure:"-"`
}

// DefaultConfig is told of warnings and worse.
func DefaultConfig() Config { return Config{Severity: string(status.Warning)} }

// Validate names the first impossible value.
func (c Config) Validate() error {
	const longest = 40
	switch {
	case c.Name == "":
		return errors.New("name: is empty; write a word such as mail")
	case len(c.Name) > longest || strings.ContainsFunc(c.Name, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }):
		return fmt.Errorf("name: %q is not one word of at most %d characters", c.Name, longest)
	case c.Severity != string(status.Info) && c.Severity != string(status.Warning) && c.Severity != string(status.Critical):
		return fmt.Errorf(`severity: %q is none; write "info", "warning" or "critical"`, c.Severity)
	}
	return c.Settings.Validate()
}

// wants tells whether a notice is for this place; worst is the greatest severity that the alert had while it stood.
func (c Config) wants(n Notice, worst status.Severity) bool {
	if n.Alert.Code == AlertFailing && n.Alert.Source == c.Name {
		return false // that nothing reaches it cannot be told there
	}
	if c.EscalatedOnly && !n.Alert.Escalated {
		return false
	}
	return rank(worst) >= rank(status.Severity(c.Severity))
}
