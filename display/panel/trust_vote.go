package panel

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"timestation/display/words"
)

// votePatterns are the sentences of package engine about votes and holdover, each with the text that says it, whose places are
// filled with the groups.
var votePatterns = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`^(.+) agree within (.+)$`), "%s agree within %s"},
	{regexp.MustCompile(`^(.+) is (.+) off and ignored$`), "%s is %s off and ignored"},
	{regexp.MustCompile(`^(.+), only compared, is (.+) off$`), "%s, only compared, is %s off"},
	{regexp.MustCompile(`^no majority: (.+)$`), "no majority: %s"},
	{regexp.MustCompile(`^no source has a vote$`), "no source has a vote"},
	{regexp.MustCompile(`^no source is heard; the oscillator carries the time$`), "no source is heard; the oscillator carries the time"},
	{regexp.MustCompile(`^the sources together have moved by (.+) and are not followed; the oscillator carries the time$`),
		"the sources together have moved by %s and are not followed; the oscillator carries the time"},
	{regexp.MustCompile(`^(.+) is alone: a drift of up to (.+) ppm \((.+) an hour\) cannot be told from the oscillator's own$`),
		"%s is alone: a drift of up to %s ppm (%s an hour) cannot be told from the oscillator's own"},
	{regexp.MustCompile(`^(.+) is followed alone: nothing checks it$`), "%s is followed alone: nothing checks it"},
	{regexp.MustCompile(`^(.+) are of one receiver: nothing else checks them$`), "%s are of one receiver: nothing else checks them"},
	{regexp.MustCompile(`^(.+): (\d+) of the (\d+) independent sources that are demanded$`), "%s: %s of the %s independent sources that are demanded"},
}

var amount = regexp.MustCompile(`^[0-9.e+-]+( (ns|µs|ms|s|min|h|days))?$`)

// voteWords is a sentence of the vote in the language of the wall.
func (p *pen) voteWords(english string) string {
	text := english
	for _, v := range votePatterns {
		groups := v.pattern.FindStringSubmatch(english)
		if groups == nil {
			continue
		}
		args := make([]any, len(groups)-1)
		for i, s := range groups[1:] {
			if p.Style.Language == words.German {
				s = strings.ReplaceAll(s, " and ", " und ")
			}
			if amount.MatchString(s) { // names keep their points
				s = p.number(s)
			}
			args[i] = s
		}
		text = p.sayf(v.text, args...)
		break
	}
	return p.upper(text)
}

// upper begins a sentence with a capital, unless it begins with the name of a source.
func (p *pen) upper(s string) string {
	for _, source := range p.Status.Sources {
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
