package face

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"timestation/display/draw"
	"timestation/engine/status"
	"timestation/refclock"
)

// Say is an English text in the language of the wall.
func (f Frame) Say(english string) string { return f.Style.Language.Say(english) }

// Bound is an error bound as the wall writes it, such as "±1.4 µs".
func (f Frame) Bound(d time.Duration) string { return f.Style.Language.Number(draw.FormatBound(d)) }

// StateWord is the state in capitals; holdover with its age in hours and minutes.
func (f Frame) StateWord() string {
	switch f.Standing() {
	case Synchronised:
		return f.Say("SYNCHRONISED")
	case Holdover:
		if f.Status.Since.IsZero() {
			return f.Say("HOLDOVER")
		}
		return f.Say("HOLDOVER") + " " + draw.FormatAge(f.Second.Sub(f.Status.Since))
	}
	return f.Say("NOT SYNCHRONISED")
}

// SourceWords say where the time comes from and how good it is.
func (f Frame) SourceWords() string {
	bound := f.Bound(f.Reading.MaxError)
	switch f.Standing() {
	case Untrusted:
		return f.Say("The time is not known")
	case Timeless:
		return f.Say("No time yet")
	case Holdover:
		return f.Say("Held by the oscillator") + " · " + bound
	}
	var parts []string
	if kinds := f.Followed(); kinds != "" {
		if f.Status.Demonstration {
			kinds = f.Style.Language.Sayf("Recorded %s", kinds)
		}
		parts = append(parts, kinds)
	}
	if g := f.Satellites(); g != nil {
		parts = append(parts, f.Style.Language.Count(g.SatellitesUsed, "satellite", "satellites"))
	}
	return strings.Join(append(parts, bound), " · ")
}

// Followed names the kinds of sources that carry the time, the selected one first.
func (f Frame) Followed() string {
	var kinds []string
	for _, state := range []status.SourceState{status.Selected, status.Agreeing} {
		for _, s := range f.Status.Sources {
			if kind := KindWord(s); s.State == state && !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	return strings.Join(kinds, " + ")
}

// KindWord is what people call a source's kind; that of a recording is what was recorded.
func KindWord(s status.Source) string {
	switch {
	case s.Driver == "upstream":
		return "NTP"
	case s.Driver == "replay" && s.Signal.GNSS != nil:
		return "GPS"
	}
	return strings.ToUpper(s.Driver)
}

// Satellites is the reception of the satellite receiver that counts: the selected source, or else the first that has one;
// nil without any.
func (f Frame) Satellites() *refclock.GNSS {
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

// HasReceiver reports whether the station has a satellite receiver at all, heard or not.
func (f Frame) HasReceiver() bool {
	for _, s := range f.Status.Sources {
		if s.Signal.GNSS != nil || s.Driver == "gps" || s.Driver == "gpsd" {
			return true
		}
	}
	return false
}

// Because says in words what [Frame.SourceWords] cannot: how the sources voted or why one is followed, or why the time is
// not to be trusted and what is missing.
func (f Frame) Because() string {
	switch f.Standing() {
	case Untrusted, Timeless:
		if missing := f.missing(); missing != "" {
			return f.reason() + ". " + missing
		}
		return f.reason()
	case Holdover:
		return f.Sentence(f.Status.Reason)
	}
	if f.Status.Vote != "" {
		return f.Sentence(f.Status.Vote)
	}
	for _, s := range f.Status.Sources {
		if s.State == status.Selected {
			return f.Sentence(s.Explanation)
		}
	}
	return ""
}

// reason says why the time is not known.
func (f Frame) reason() string {
	l := f.Style.Language
	switch {
	case f.Reading.Reason == status.ReasonBoundExceeded:
		return l.Sayf("The error bound has passed its limit of %s", f.Bound(f.Status.MaxErrorLimit))
	case f.Reading.Reason == status.ReasonExpired:
		return l.Sayf("The time engine has been silent for more than %.0f seconds", status.Validity.Seconds())
	case f.Status.Reason != "":
		return f.Sentence(strings.TrimRight(f.Status.Reason, "."))
	}
	return l.Say("No source tells the time")
}

// missing is what is wrong with the first source that tells no time, and the mend.
func (f Frame) missing() string {
	for _, s := range f.Status.Sources {
		if s.Signal.State != refclock.Timing && s.Signal.Text != "" {
			return s.Name + ": " + f.Style.Language.Sentence(strings.TrimPrefix(s.Signal.Text, s.Name+": "))
		}
	}
	return ""
}

// ZoneWords are a zone's name, its abbreviation and its offset at the frame's time: "Europe/Berlin · CET · UTC+1".
func (f Frame) ZoneWords() string {
	var parts []string
	if name := f.Location.String(); name != "" && name != "Local" && name != "UTC" {
		parts = append(parts, strings.ReplaceAll(name, "_", " "))
	}
	abbreviation, _ := f.Local().Zone()
	// Zones without one use figures such as "+03", which the offset says better.
	if abbreviation != "" && !strings.ContainsAny(abbreviation, "+-0123456789") {
		parts = append(parts, f.Say(abbreviation))
	}
	if !f.IsUTC() {
		parts = append(parts, f.offsetWords())
	}
	return strings.Join(parts, " · ")
}

func (f Frame) offsetWords() string {
	_, seconds := f.Local().Zone()
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

// Place is the short name of a time zone: its city, or UTC.
func Place(loc *time.Location) string {
	name := loc.String()
	return strings.ReplaceAll(name[strings.LastIndexByte(name, '/')+1:], "_", " ")
}

// IsUTC tells that the large digits already say UTC. All its names (Zulu, Etc/UTC, a machine's own zone) have one
// abbreviation; London in winter has another, and is UTC only until spring.
func (f Frame) IsUTC() bool {
	abbreviation, offset := f.Local().Zone()
	return offset == 0 && abbreviation == "UTC"
}

// LeapWord says what the end of the month brings.
func (f Frame) LeapWord() string {
	switch f.Reading.Leap {
	case refclock.LeapNone:
		return f.Say("none")
	case refclock.LeapInsert:
		return "+1 s"
	case refclock.LeapDelete:
		return "−1 s"
	}
	return f.Say("unknown")
}

// Sentence is what the engine or a driver says, in the language of the wall; it begins with a capital, unless it begins with
// the name of a source.
func (f Frame) Sentence(english string) string {
	s := f.Style.Language.Sentence(english)
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
