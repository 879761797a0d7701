// Package doctor is what `timestation doctor` does: it looks for what on this machine will stand in the station's way,
// and says the mend for each.
//
// Every check is a small function of a Machine, so that a test can build a Raspberry Pi in a folder.
package doctor

import (
	"fmt"
	"io"
	"strings"
)

// Level is how much a finding matters.
type Level int

const (
	// OK: nothing is wrong.
	OK Level = iota
	// Note: worth knowing; the station works.
	Note
	// Problem: the station, or a part of it, will not work.
	Problem
)

// Finding is one thing a check saw.
type Finding struct {
	Level Level
	// Text says what it is, Mend what to do about it: a command where there is one.
	Text, Mend string
}

// Check looks at one thing.
type Check struct {
	Name string
	Run  func(*Machine) []Finding
}

// Checks are all there are, in the order of the report.
var Checks = []Check{
	{"Program", program},
	{"Configuration", configuration},
	{"Receivers", receivers},
	{"Serial console", console},
	{"Pulses", pulses},
	{"Boot configuration", overlay},
	{"System clock", steering},
	{"Other time programs", daemons},
	{"NTP port", ports},
	{"Keys", keys},
	{"Log", dataFolder},
	{"Leap seconds", leapTable},
	{"Screen", screen},
}

// Run makes every check, prints what they found, and counts the problems.
func Run(m *Machine, out io.Writer) (problems int) {
	notes := 0
	for _, check := range Checks {
		findings := check.Run(m)
		if len(findings) == 0 {
			continue
		}
		fmt.Fprintln(out, check.Name)
		for _, f := range findings {
			f.print(out)
			switch f.Level {
			case Problem:
				problems++
			case Note:
				notes++
			}
		}
	}
	switch {
	case problems > 0:
		fmt.Fprintf(out, "\n%s and %s.\n", count(problems, "problem"), count(notes, "note"))
	case notes > 0:
		fmt.Fprintf(out, "\nNothing stands in the way; %s.\n", count(notes, "note"))
	default:
		fmt.Fprintln(out, "\nNothing stands in the way.")
	}
	return problems
}

func (f Finding) print(out io.Writer) {
	mark := map[Level]string{OK: "✓", Note: "!", Problem: "✗"}[f.Level]
	fmt.Fprintf(out, "  %s %s\n", mark, f.Text)
	for line := range strings.Lines(f.Mend) {
		fmt.Fprintf(out, "      %s\n", strings.TrimRight(line, "\n"))
	}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func ok(format string, a ...any) Finding { return Finding{Level: OK, Text: fmt.Sprintf(format, a...)} }

func note(mend, format string, a ...any) Finding {
	return Finding{Level: Note, Text: fmt.Sprintf(format, a...), Mend: mend}
}

func problem(mend, format string, a ...any) Finding {
	return Finding{Level: Problem, Text: fmt.Sprintf(format, a...), Mend: mend}
}
