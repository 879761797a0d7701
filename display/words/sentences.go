package words

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Sentence is what the engine or a driver says, in the language. Such sentences have names and figures in them, so that the
// tables have patterns: each %s stands for anything within a part of the sentence, which is translated too. A sentence of two parts, "what is wrong; the
// mend", or "name: what is wrong", needs no pattern of its own. What no table has stays as it is, English.
func (l Language) Sentence(english string) string {
	if l != German {
		return english
	}
	s, _ := l.sentence(english)
	return s
}

// sentence also reports whether all of it was translated.
func (l Language) sentence(english string) (string, bool) {
	if s, ok := german[english]; ok {
		return s, true
	}
	for _, p := range patterns() {
		groups := p.english.FindStringSubmatch(english)
		if groups == nil {
			continue
		}
		args := make([]any, len(groups)-1)
		for i, g := range groups[1:] {
			args[i] = l.part(g)
		}
		return fmt.Sprintf(p.german, args...), true
	}
	if what, mend, ok := strings.Cut(english, "; "); ok {
		what, known := l.sentence(what)
		mend, also := l.sentence(mend)
		return what + "; " + mend, known && also
	}
	if name, rest, ok := strings.Cut(english, ": "); ok && !strings.Contains(name, " ") {
		rest, known := l.sentence(rest)
		return name + ": " + rest, known
	}
	return english, false
}

var amount = regexp.MustCompile(`^[±+−-]?[0-9.e+-]+( (ns|µs|ms|s|min|h|days))?$`)

// part is what stood in the place of a pattern: names, a figure, or a sentence.
func (l Language) part(english string) string {
	if s, known := l.sentence(english); known {
		return s
	}
	if amount.MatchString(english) { // names keep their points
		return strings.ReplaceAll(l.Number(english), "days", "Tage")
	}
	return strings.ReplaceAll(english, " and ", " und ")
}

type pattern struct {
	english *regexp.Regexp
	german  string
	// fixed is how much of the pattern is given.
	fixed int
}

// patterns are those of the tables of sentences, the most particular first.
var patterns = sync.OnceValue(func() []pattern {
	var all []pattern
	for english, translated := range germanSentences {
		parts := strings.Split(english, "%s")
		if len(parts) == 1 {
			continue
		}
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		all = append(all, pattern{regexp.MustCompile("^" + strings.Join(parts, "((?:[^;]|;[^ ])+?)") + "$"), translated, len(english)})
	}
	slices.SortFunc(all, func(a, b pattern) int {
		if a.fixed != b.fixed {
			return b.fixed - a.fixed
		}
		return strings.Compare(a.german, b.german)
	})
	return all
})
