package main

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"timestation/app/config"
)

var update = flag.Bool("update", false, "write what the README derives from the code")

// TestReadmeReference holds the README's configuration reference to what the program accepts.
func TestReadmeReference(t *testing.T) {
	const begin, end = "-update` -->\n", "<!-- end of reference -->"
	data, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(data), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatal("the README has lost the marks around its reference")
	}
	want := before + begin + "\n" + strings.TrimSpace(config.Reference()) + "\n\n" + end + after
	if *update {
		if err := os.WriteFile("../README.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(data) != want {
		t.Error("the README's reference is not what the program accepts; run: go test ./app -run Reference -update")
	}
}

func TestVersionIsTheSameEverywhere(t *testing.T) {
	data, err := os.ReadFile("../FyneApp.toml")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^Version = "` + regexp.QuoteMeta(version) + `"$`).Match(data) {
		t.Errorf("FyneApp.toml does not say %s:\n%s", version, data)
	}
}

// TestHelpTeaches asks of every command what a newcomer needs: a sentence, an explanation, an example of its use.
func TestHelpTeaches(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		if c.Short == "" || len(c.Long) < 60 || c.Example == "" && c.Name() != "version" {
			t.Errorf("%s: short %q, long %d characters, example %q", c.Name(), c.Short, len(c.Long), c.Example)
		}
	}
}
