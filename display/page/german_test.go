package page

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"timestation/display"
	"timestation/display/draw"
	"timestation/display/panel"
)

// sameInBoth are words that are the same in both languages: names, abbreviations and what the field calls things.
var sameInBoth = regexp.MustCompile(`^(UTC|GPS|PPS|NTP|NTS|DCF77|Galileo|GLONASS|BeiDou|SBAS|HOLDOVER|Holdover|holdover|Clients|Shack|Studio|Locator|locator|` +
	`FT8|FT4|WSPR|PNG|SVG|Signal|stratum|Stratum|NTP-Server|Minute|minute|Zone|zone|Name|Limit|limit|` +
	`in|JO|qm|USB|AM|PM|NTS|AES-SIV-CMAC-256|C/N0|dB|Hz|ppm|ns|µs|ms|min|[NSWEO]|[smhdJy])$`)

// given are the texts of the scenes that people put onto the wall, or that name things of their own: they stay as they are.
var given = regexp.MustCompile(`Studio 2|Nocturne|News|ON AIR|PHONE|DOOR|RECORD|Interview|guest|Evacuate|building|Lunch|Berlin|York|Tokyo|Kolkata|` +
	`gps0|dcf0|ptb-1|cellar-ntp|/dev/|timestation|accept-jump|JO62|M\. Krause|192\.|2001:`)

var plainWord = regexp.MustCompile(`\p{L}[\p{L}'/0-9-]*`)

// texts are all that a picture says, the letters of one row joined: steady rows are set figure by figure.
func texts(shapes []draw.Shape) map[string]bool {
	all := map[string]bool{}
	for _, s := range shapes {
		if s, ok := s.(draw.Text); ok {
			all[s.String] = true
		}
	}
	return all
}

// TestGermanWallsAreGerman paints every scene in both languages: what both say alike must be a name, a figure, or a word that
// both languages have.
func TestGermanWallsAreGerman(t *testing.T) {
	for _, sc := range scenes {
		t.Run(sc.name, func(t *testing.T) {
			in := func(language string) map[string]bool {
				sc := sc
				was := sc.config
				sc.config = func(c *display.Config) {
					if was != nil {
						was(c)
					}
					c.Language = language
				}
				input := sc.input
				sc.input = func(in *panel.Input) {
					if input != nil {
						input(in)
					}
					in.Studio.Messages = nil // what people write is theirs
				}
				all := map[string]bool{}
				for _, size := range []draw.Size{{W: 1920, H: 1080}, {W: 480, H: 800}} {
					for s := range texts(sc.drawing(t)(size)) {
						all[s] = true
					}
				}
				return all
			}
			english := in("en")
			for s := range in("de") {
				if !english[s] || given.MatchString(s) {
					continue
				}
				for _, word := range plainWord.FindAllString(s, -1) {
					if !sameInBoth.MatchString(word) && len(word) > 1 && !satellite.MatchString(word) {
						t.Errorf("%q is not German: %q", s, word)
					}
				}
			}
		})
	}
}

var satellite = regexp.MustCompile(`^[GERCJIS]\d+$`)

// TestGermanWallsHaveNoEnglishSentences: a text that has words of one's own in it is not compared as a whole, so it is read for
// the commonest words of English.
func TestGermanWallsHaveNoEnglishSentences(t *testing.T) {
	english := map[string]bool{}
	for w := range strings.FieldsSeq("the is are of and not it its to from with without for by has have check no than more since") {
		english[w] = true
	}
	for _, sc := range scenes {
		was := sc.config
		sc.config = func(c *display.Config) {
			if was != nil {
				was(c)
			}
			c.Language = "de"
		}
		sc.wall = nil // what people write is theirs
		for s := range texts(sc.drawing(t)(draw.Size{W: 1920, H: 1080})) {
			for _, word := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' }) {
				if english[word] {
					t.Errorf("%s: %q is not German: %q", sc.name, s, word)
				}
			}
		}
	}
}
