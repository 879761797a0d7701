package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"timestation/engine/status"
)

// TestReadmeAlertsReference holds the README's table of alerts to the catalogue that the program's messages are made of.
func TestReadmeAlertsReference(t *testing.T) {
	const begin, end = "<!-- alerts: made by go test ./app -run Reference -update -->\n", "<!-- end of alerts -->"
	data, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(data), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("the README has no marks around its table of alerts: %q and %q", begin, end)
	}
	want := before + begin + "\n" + alertTable() + "\n" + end + after
	if *update {
		if err := os.WriteFile("../README.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(data) != want {
		t.Error("the README's table is not what the program raises; run: go test ./app -run Reference -update")
	}
}

// alertTable is the catalogue as Markdown, in both languages.
func alertTable() string {
	var b strings.Builder
	b.WriteString("| code | at worst | meaning | mend |\n|---|---|---|---|\n")
	cell := func(w status.Words) string {
		return strings.ReplaceAll(w.English+"<br>*"+w.German+"*", "|", `\|`)
	}
	for _, e := range status.AlertCatalogue {
		severity := string(e.Severity)
		if e.Once {
			severity += ", until acknowledged"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", e.Code, severity, cell(e.Meaning), cell(e.Mend))
	}
	return b.String()
}
