// Package words says what stands on the wall in the language of the people before it. The English text is its own key, so
// that code reads as the screen does; a language is one table. What the engine writes (reasons, alerts) stays English
// where no table has it.
package words

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Language is a language by its ISO 639-1 code.
type Language string

// The languages that ship.
const (
	English Language = "en"
	German  Language = "de"
)

// Languages lists the codes.
func Languages() []string { return []string{string(English), string(German)} }

// Known reports whether a code is one of Languages.
func Known(code string) bool { return slices.Contains(Languages(), code) }

// Say is an English text in the language, and itself where the language has no word for it.
func (l Language) Say(english string) string {
	if l == German {
		if s, ok := german[english]; ok {
			return s
		}
	}
	return english
}

// Sayf fills in a text with places as [fmt.Sprintf] does, after it was translated. Decimal points in numbers that were
// made into text before are the caller's, see [Language.Number].
func (l Language) Sayf(english string, args ...any) string {
	return fmt.Sprintf(l.Say(english), args...)
}

// Count is a number with its noun, in the singular or the plural.
func (l Language) Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + l.Say(one)
	}
	return fmt.Sprintf("%d %s", n, l.Say(many))
}

// Number writes the decimal points of a number, such as "±1.4 µs", as the language does.
func (l Language) Number(s string) string {
	if l == German {
		return strings.ReplaceAll(s, ".", ",")
	}
	return s
}

var (
	germanDays   = [7]string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"}
	germanMonths = [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
		"November", "Dezember"}
)

// Weekday is the day of the week, in full.
func (l Language) Weekday(t time.Time) string {
	if l == German {
		return germanDays[t.Weekday()]
	}
	return t.Weekday().String()
}

// Date is day, month and year with the month in full.
func (l Language) Date(t time.Time) string {
	if l == German {
		return fmt.Sprintf("%d. %s %d", t.Day(), germanMonths[t.Month()-1], t.Year())
	}
	return t.Format("2 January 2006")
}

// DayAndDate is the weekday and the date.
func (l Language) DayAndDate(t time.Time) string {
	if l == German {
		return l.Weekday(t) + ", " + l.Date(t)
	}
	return l.Weekday(t) + " " + l.Date(t)
}

// LongestDate is a date as wide as any, for sizes that are to stay the same all year.
func (l Language) LongestDate() string { return l.Date(time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC)) }
