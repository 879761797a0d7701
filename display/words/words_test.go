package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// said finds the texts that the display's code has translated: the literals among the arguments of Say, Sayf and Count, and
// the titles of pages.
func said(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fset := token.NewFileSet()
		tree, err := parser.ParseFile(fset, file, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		take := func(n ast.Node) {
			ast.Inspect(n, func(n ast.Node) bool {
				if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
					if text, err := strconv.Unquote(l.Value); err == nil {
						all[text] = fset.Position(l.Pos()).String()
					}
				}
				_, call := n.(*ast.CallExpr)
				return !call
			})
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				f, ok := n.Fun.(*ast.SelectorExpr)
				if !ok || len(n.Args) == 0 {
					return true
				}
				switch f.Sel.Name {
				case "Say", "Sayf", "say", "sayf":
					take(n.Args[0])
				case "Count":
					if len(n.Args) == 3 {
						take(n.Args[1])
						take(n.Args[2])
					}
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Title" {
					take(n.Value)
				}
			}
			return true
		})
	}
	return all
}

var verb = regexp.MustCompile(`%[-+#0-9.]*[a-z]`)

// TestEverythingIsTranslated: what the code says exists in German, and with the same places to fill in.
func TestEverythingIsTranslated(t *testing.T) {
	all := said(t)
	if len(all) < 30 {
		t.Fatalf("only %d texts were found: the search is at fault", len(all))
	}
	for text, where := range all {
		translated, ok := german[text]
		if !ok {
			t.Errorf("%s: %q has no German", where, text)
			continue
		}
		if a, b := verb.FindAllString(text, -1), verb.FindAllString(translated, -1); !slices.Equal(a, b) {
			t.Errorf("%q has the places %v, its German %v", text, a, b)
		}
	}
}

func TestGermanDates(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if got := German.DayAndDate(day); got != "Sonntag, 1. März 2026" {
		t.Error(got)
	}
	if got := English.DayAndDate(day); got != "Sunday 1 March 2026" {
		t.Error(got)
	}
	if got := German.Number("±1.4 µs"); got != "±1,4 µs" {
		t.Error(got)
	}
	for n, want := range map[int]string{0: "0 Satelliten", 1: "1 Satellit", 9: "9 Satelliten"} {
		if got := German.Count(n, "satellite", "satellites"); got != want {
			t.Error(got)
		}
	}
}

// TestSentences: what the engine and the drivers say, as they say it.
func TestSentences(t *testing.T) {
	for english, want := range map[string]string{
		"gps0.pps, gps0 and dcf0 agree within 2.1 ms":  "gps0.pps, gps0 und dcf0 stimmen auf 2,1 ms überein",
		"gps0: /dev/ttyAMA0 is gone; plug it in again": "gps0: /dev/ttyAMA0 ist weg; wieder einstecken",
		"gps0's rate broke away, and alone that cannot be told from the oscillator's; the oscillator carries the time": "der Gang von gps0 " +
			"ist ausgebrochen, und allein ist das von dem des Oszillators nicht zu unterscheiden; der Oszillator trägt die Zeit",
		"fix lost: none of 4 satellites in view is heard: check the antenna": "Fix verloren: keiner von 4 Satelliten in Sicht ist zu hören: " +
			"die Antenne prüfen",
		"DCF77: nothing is decoded at the moment; its time is held but not used":        "DCF77: im Moment wird nichts dekodiert; ihre Zeit läuft weiter, zählt aber nicht",
		"gps0: settling: 3 consistent samples so far":                                   "gps0: schwingt ein: bisher 3 stimmige Werte",
		"ntp1: ptb: no answer; check the address, and that UDP port 123 is let through": "ntp1: ptb: keine Antwort; die Adresse prüfen, und ob UDP-Port 123 frei ist",
		"a text that nobody translated; plug it in again":                               "a text that nobody translated; wieder einstecken",
	} {
		if got := German.Sentence(english); got != want {
			t.Errorf("%q is %q, want %q", english, got, want)
		}
		if got := English.Sentence(english); got != english {
			t.Errorf("%q is %q in English", english, got)
		}
	}
}
