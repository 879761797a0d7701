package status

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every code that the program raises is explained, so that the reference that is made from the catalogue is whole.
func TestEveryAlertIsExplained(t *testing.T) {
	raised := regexp.MustCompile(`(?:status\.Alert|refclock\.Alarm|Alarm)\{\{?(?:\s*//.*\n)*\s*Code:\s*"([a-z0-9-]+[a-z0-9])"`)
	found := 0
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != root {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil // somebody moved it
		}
		if !bytes.Contains(text, []byte("Code:")) {
			return nil
		}
		for _, match := range raised.FindAllSubmatch(text, -1) {
			found++
			if _, known := LookupAlert(string(match[1])); !known {
				t.Errorf("%s raises %q, which the catalogue does not have", path, match[1])
			}
		}
		return nil
	})
	if err != nil || found < 5 {
		t.Errorf("found %d alerts (%v); mend the test", found, err)
	}
	var codes []string
	for _, e := range AlertCatalogue {
		codes = append(codes, e.Code)
		if e.Meaning.English == "" || e.Mend.English == "" || e.Severity == "" || strings.HasSuffix(e.Mend.English, ".") ||
			e.Meaning.German == "" || e.Mend.German == "" || strings.HasSuffix(e.Mend.German, ".") {
			t.Errorf("%+v: a meaning is a sentence, a mend goes on after a colon", e)
		}
	}
	if !slices.IsSorted(codes) || len(slices.Compact(codes)) != len(AlertCatalogue) {
		t.Errorf("the codes are not in order, or one is there twice: %v", codes)
	}
}
