package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type content struct {
	Frequency float64           `json:"frequency"`
	Latched   []string          `json:"latched"`
	Words     map[string]string `json:"words"`
}

func example() content {
	return content{-12.5e-6, []string{"gps0"}, map[string]string{"by": "Änne <a@example.org> & co"}}
}

func equal(a, b content) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

func TestStateSurvives(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load[content](dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before the first: %v", err)
	}
	for i := range 3 {
		want := example()
		want.Frequency += float64(i)
		if err := Save(dir, want); err != nil {
			t.Fatal(err)
		}
		if got, err := Load[content](dir); err != nil || !equal(got, want) {
			t.Fatalf("got %+v (%v), want %+v", got, err, want)
		}
	}
	// A power cut while writing leaves a beginning beside the file, and the next save does away with it.
	if err := os.WriteFile(filepath.Join(dir, FileName+".new"), []byte(`{"timesta`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load[content](dir); err != nil {
		t.Errorf("beside what a power cut left: %v", err)
	}
	if err := Save(dir, example()); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left in the folder: %v", entries)
	}
}

// Whatever a dying SD card makes of the file: it is not believed, and kept for a person to look at.
func TestDamagedStateIsSetAside(t *testing.T) {
	for name, harm := range map[string]func([]byte) []byte{
		"empty":   func([]byte) []byte { return nil },
		"zeros":   func(b []byte) []byte { return make([]byte, len(b)) },
		"cut":     func(b []byte) []byte { return b[:len(b)/2] },
		"a digit": func(b []byte) []byte { return bytes.Replace(b, []byte("-0.0000125"), []byte("-0.0000126"), 1) },
		"newer version": func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"timestation_state": 1`), []byte(`"timestation_state": 2`), 1)
		},
		"huge": func(b []byte) []byte { return append(b, bytes.Repeat([]byte(" "), most)...) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var kept []string
			for range 2 {
				if err := Save(dir, example()); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(dir, FileName)
				good, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				bad := harm(bytes.Clone(good))
				if bytes.Equal(bad, good) {
					t.Fatal("the test does no harm; mend it")
				}
				if err := os.WriteFile(path, bad, 0o600); err != nil {
					t.Fatal(err)
				}
				got, err := Load[content](dir)
				var damage *Damage
				if !errors.As(err, &damage) || damage.Aside == "" || strings.Contains(err.Error(), "\n") || !equal(got, content{}) {
					t.Fatalf("got %+v, %v", got, err)
				}
				if aside, err := os.ReadFile(damage.Aside); err != nil || !bytes.Equal(aside, bad) {
					t.Errorf("set aside: %v", err)
				}
				if _, err := Load[content](dir); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("a second look: %v", err)
				}
				kept = append(kept, damage.Aside)
			}
			if kept[0] == kept[1] {
				t.Error("the second damaged file took the first one's place")
			}
		})
	}
}

func TestFolderThatIsNotThere(t *testing.T) {
	err := Save(filepath.Join(t.TempDir(), "no", "such"), example())
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "folder's owner") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

// A value that cannot be written leaves the old file.
func TestOldStateStands(t *testing.T) {
	dir := t.TempDir()
	if err := Save(dir, example()); err != nil {
		t.Fatal(err)
	}
	if err := Save(dir, func() {}); err == nil {
		t.Error("a function was saved")
	}
	if err := os.Mkdir(filepath.Join(dir, FileName+".new"), 0o700); err != nil { // stands in for a full disk
		t.Fatal(err)
	}
	if err := Save(dir, content{}); err == nil {
		t.Error("written through a folder")
	}
	if got, err := Load[content](dir); err != nil || !equal(got, example()) {
		t.Errorf("got %+v (%v)", got, err)
	}
}

// Whatever is in the file: a refusal is one line, and what is accepted comes back from being written again.
func FuzzDecode(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		var got, again content
		if err := decode(text, &got); err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %v", err)
			}
			return
		}
		file, err := encode(got)
		if err != nil {
			t.Fatal(err)
		}
		if err := decode(file, &again); err != nil || !equal(again, got) {
			t.Errorf("%+v became %+v (%v)", got, again, err)
		}
	})
}
