package face

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"timestation/engine/status"
	"timestation/refclock"
)

// FormatBound writes an error bound with two significant digits, rounded up so that it still holds: "±180 ms",
// "±1.4 µs". Whole nanoseconds are the finest it knows.
func FormatBound(d time.Duration) string {
	units := []struct {
		name  string
		scale time.Duration
		limit float64 // of this unit, where the next takes over
	}{
		{"ns", 1, 1000}, {"µs", time.Microsecond, 1000}, {"ms", time.Millisecond, 1000}, {"s", time.Second, 100},
		{"min", time.Minute, 100}, {"h", time.Hour, 48}, {"d", 24 * time.Hour, math.Inf(1)},
	}
	d = max(d, 0)
	for _, u := range units {
		decimals, step := 0, float64(u.scale)
		for float64(d) > 99*step {
			step *= 10
		}
		if float64(d) <= 9.9*step && step == float64(u.scale) && u.scale > 1 {
			decimals, step = 1, step/10
		}
		v := math.Ceil(float64(d)/step) * step / float64(u.scale)
		if v < u.limit {
			return fmt.Sprintf("±%.*f %s", decimals, v, u.name)
		}
	}
	return ""
}

// stateWord is the state in capitals; holdover with its age in hours and minutes.
func (f Frame) stateWord() string {
	switch f.standing() {
	case synchronised:
		return "SYNCHRONISED"
	case holdover:
		if f.Status.Since.IsZero() {
			return "HOLDOVER"
		}
		return "HOLDOVER " + formatAge(f.Second.Sub(f.Status.Since))
	}
	return "NOT SYNCHRONISED"
}

// formatAge is hours and minutes, and days before them where there are any.
func formatAge(d time.Duration) string {
	minutes := int64(max(d, 0) / time.Minute)
	text := fmt.Sprintf("%02d:%02d", minutes/60%24, minutes%60)
	if days := minutes / (24 * 60); days > 0 {
		text = fmt.Sprintf("%d d %s", days, text)
	}
	return text
}

// sourceWords say where the time comes from and how good it is.
func (f Frame) sourceWords() string {
	bound := FormatBound(f.Reading.MaxError)
	switch f.standing() {
	case untrusted:
		return "The time is not known"
	case timeless:
		return "No time yet"
	case holdover:
		return "Held by the oscillator · " + bound
	}
	var parts []string
	if kinds := f.followed(); kinds != "" {
		if f.Status.Demonstration {
			kinds = "Recorded " + kinds
		}
		parts = append(parts, kinds)
	}
	if g := f.satellites(); g != nil {
		parts = append(parts, plural(g.SatellitesUsed, "satellite"))
	}
	return strings.Join(append(parts, bound), " · ")
}

// followed names the kinds of sources that carry the time, the selected one first.
func (f Frame) followed() string {
	var kinds []string
	add := func(s status.Source) {
		kind := kindWord(s.Driver)
		for _, k := range kinds {
			if k == kind {
				return
			}
		}
		kinds = append(kinds, kind)
	}
	for _, s := range f.Status.Sources {
		if s.State == status.Selected {
			add(s)
		}
	}
	for _, s := range f.Status.Sources {
		if s.State == status.Agreeing {
			add(s)
		}
	}
	return strings.Join(kinds, " + ")
}

// kindWord is what people call the sources of a driver.
func kindWord(driver string) string {
	if driver == "upstream" {
		return "NTP"
	}
	return strings.ToUpper(driver)
}

// satellites is the reception of the satellite receiver that counts: the selected source, or else the first that has one.
func (f Frame) satellites() *refclock.GNSS {
	var first *refclock.GNSS
	for _, s := range f.Status.Sources {
		switch {
		case s.Signal.GNSS == nil:
		case s.State == status.Selected:
			return s.Signal.GNSS
		case first == nil:
			first = s.Signal.GNSS
		}
	}
	return first
}

// hasReceiver reports whether the station has a satellite receiver at all, heard or not.
func (f Frame) hasReceiver() bool {
	for _, s := range f.Status.Sources {
		if s.Signal.GNSS != nil || s.Driver == "gps" || s.Driver == "gpsd" {
			return true
		}
	}
	return false
}

// because says in words what the source line cannot: why a source is followed, or why the time is not to be trusted and,
// at length, what is missing.
func (f Frame) because(atLength bool) string {
	switch f.standing() {
	case untrusted, timeless:
		if missing := f.missing(); missing != "" && atLength {
			return f.reason() + ". " + missing
		}
		return f.reason()
	case holdover:
		return f.sentence(f.Status.Reason)
	}
	for _, s := range f.Status.Sources {
		if s.State == status.Selected {
			return f.sentence(s.Explanation)
		}
	}
	return ""
}

// reason says why the time is not known.
func (f Frame) reason() string {
	switch {
	case f.Reading.Reason == status.ReasonBoundExceeded:
		return "The error bound has passed its limit of " + FormatBound(f.Status.MaxErrorLimit)
	case f.Reading.Reason == status.ReasonExpired:
		return fmt.Sprintf("The time engine has been silent for more than %.0f seconds", status.Validity.Seconds())
	case f.Status.Reason != "":
		return f.sentence(strings.TrimRight(f.Status.Reason, "."))
	}
	return "No source tells the time"
}

// missing is what is wrong with the first source that tells no time, and the mend.
func (f Frame) missing() string {
	for _, s := range f.Status.Sources {
		if s.Signal.State != refclock.Timing && s.Signal.Text != "" {
			return s.Name + ": " + strings.TrimPrefix(s.Signal.Text, s.Name+": ")
		}
	}
	return ""
}

// zoneWords are the zone's name, its abbreviation and its offset: "Europe/Berlin · CET · UTC+1".
func (f Frame) zoneWords() string {
	var parts []string
	if name := f.Location.String(); name != "" && name != "Local" && name != "UTC" {
		parts = append(parts, strings.ReplaceAll(name, "_", " "))
	}
	abbreviation, _ := f.local().Zone()
	// Zones without one use figures such as "+03", which the offset says better.
	if abbreviation != "" && !strings.ContainsAny(abbreviation, "+-0123456789") {
		parts = append(parts, abbreviation)
	}
	if !f.isUTC() {
		parts = append(parts, f.offsetWords())
	}
	return strings.Join(parts, " · ")
}

func (f Frame) offsetWords() string {
	_, seconds := f.local().Zone()
	sign := "+"
	if seconds < 0 {
		sign, seconds = "−", -seconds
	}
	text := fmt.Sprintf("UTC%s%d", sign, seconds/3600)
	if minutes := seconds / 60 % 60; minutes != 0 {
		text += fmt.Sprintf(":%02d", minutes)
	}
	return text
}

// isUTC tells that the large digits already say UTC. All its names (Zulu, Etc/UTC, a machine's own zone) have one
// abbreviation; London in winter has another, and is UTC only until spring.
func (f Frame) isUTC() bool {
	abbreviation, offset := f.local().Zone()
	return offset == 0 && abbreviation == "UTC"
}

// leapWord says what the end of the month brings.
func leapWord(l refclock.LeapNotice) string {
	switch l {
	case refclock.LeapNone:
		return "none"
	case refclock.LeapInsert:
		return "+1 s"
	case refclock.LeapDelete:
		return "−1 s"
	}
	return "unknown"
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// sentence begins with a capital, unless it begins with the name of a source.
func (f Frame) sentence(s string) string {
	for _, source := range f.Status.Sources {
		if strings.HasPrefix(s, source.Name) {
			return s
		}
	}
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + s[n:]
}
