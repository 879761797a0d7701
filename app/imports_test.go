package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "timestation/"

// rooms says which of the program's own packages each room may import: the design's table. A pattern that ends in
// "/..." takes what lies below, one in "/*" one level. A package is held by the longest pattern that fits it.
var rooms = []struct {
	packages string
	may      []string
}{
	{"app/...", []string{"app/...", "engine/...", "refclock/...", "display/...", "logbook/...", "assets/..."}},
	{"assets/...", nil},

	{"engine", []string{"refclock", "engine/clock", "engine/discipline", "engine/guard", "engine/leap", "engine/selection",
		"engine/simulate", "engine/state", "engine/status"}},
	{"engine/state", nil},
	{"engine/status", []string{"refclock"}},
	{"engine/clock", []string{"refclock"}},
	{"engine/discipline", []string{"refclock"}},
	{"engine/selection", []string{"refclock", "engine/status"}},
	{"engine/leap", []string{"refclock", "engine/status"}},
	{"engine/guard", []string{"refclock", "engine/status"}},
	{"engine/simulate", []string{"refclock", "engine/status", "engine/discipline", "engine/selection", "engine/leap"}},
	{"engine/ntp", nil},
	{"engine/nts", []string{"engine/ntp", "engine/status"}},
	{"engine/serve", []string{"engine/ntp", "engine/nts", "engine/serve/fastpath", "engine/serve/phc", "engine/status", "refclock"}},
	{"engine/serve/load", []string{"engine/ntp", "engine/nts"}}, // asks a server as fast as it can, for tests
	{"engine/serve/phc", []string{"refclock"}},
	{"engine/serve/namespace", nil}, // networks of their own, for tests
	{"engine/serve/fastpath", []string{"engine/ntp", "engine/status", "refclock"}},
	{"engine/control", []string{"engine/ntp", "engine/status", "refclock"}},
	{"engine/feed", []string{"engine/status", "refclock"}},

	{"refclock", nil},
	{"refclock/*", []string{"refclock", "refclock/longwave", "refclock/longwave/receiver", "refclock/edge"}},
	{"refclock/longwave/receiver", []string{"refclock", "refclock/longwave", "refclock/edge"}},
	{"refclock/longwave/radiotest", []string{"refclock", "refclock/longwave", "refclock/edge", "refclock/sinktest"}}, // noise and fading, for tests
	{"refclock/sinktest", []string{"refclock"}},                                                                      // keeps what a driver says, for tests
	{"refclock/upstream", []string{"refclock", "engine/ntp", "engine/nts"}},
	{"refclock/replay", []string{"refclock", "refclock/gps", "refclock/dcf77", "refclock/msf60", "refclock/wwvb", "refclock/jjy", "refclock/longwave", "refclock/longwave/receiver", "refclock/edge"}}, // decodes what it plays

	{"display", []string{"display/draw", "display/face", "display/studio", "display/words", "engine/status", "refclock"}},
	{"display/draw", nil},
	{"display/words", nil},
	{"display/face", []string{"display/draw", "display/words", "engine/status", "refclock"}},
	{"display/panel", []string{"assets", "display", "display/draw", "display/face", "display/studio", "display/words", "engine/status", "refclock"}},
	{"display/page", []string{"assets", "display/draw"}},
	{"display/readback", []string{"display/draw", "display/face", "display/panel"}}, // reads a picture of the clock, for tests
	{"display/studio", []string{"engine/status", "refclock"}},
	{"display/remote", []string{"assets", "display", "display/face", "display/studio", "engine/status", "refclock"}},
	{"display/window", []string{"assets", "display", "display/draw", "display/face", "display/page", "display/panel", "display/studio", "display/words", "engine/status", "refclock"}},

	{"logbook", []string{"engine/status", "refclock"}},
	{"logbook/remote", []string{"engine/status", "logbook", "refclock"}},
	{"logbook/report", []string{"logbook", "logbook/stability", "engine/status", "refclock"}},
	{"logbook/stability", nil},
}

// outside says who may import what is not ours; whoever is not named may not. The patterns are prefixes of paths.
var outside = []struct {
	imported string
	by       []string
}{
	{"fyne.io/fyne/v2/app", []string{"display/window"}},
	{"fyne.io/", []string{"display/page", "display/remote", "display/window"}},
	{"database/sql", []string{"logbook"}},
	{"modernc.org/", []string{"logbook"}},
	{"github.com/spf13/", []string{"app/..."}},
	{"github.com/prometheus/", []string{"app/..."}},
	{"net/http", []string{"app/...", "display/remote", "logbook/remote"}},
}

// pure rooms do no I/O: their time, bytes and randomness come in as arguments.
var (
	pure    = []string{"engine/status", "engine/discipline", "engine/selection", "engine/ntp", "display/draw", "display/face", "display/panel", "display/words", "display/studio", "logbook/stability"}
	impure  = []string{"os", "net", "syscall", "golang.org/x/sys/", "os/exec", "io/ioutil", "math/rand", "database/sql"}
	folders = []string{"app", "engine", "refclock", "display", "logbook", "assets"}
	files   = []string{"go.mod", "go.sum", "FyneApp.toml", "README.md", "LICENSE", "Makefile"}
	made    = []string{"bin", "dist"} // by make; not in the repository
)

type goPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
}

// listPackages gives what the program consists of, as the tags build it, by import path.
func listPackages(t *testing.T, tags string) map[string]goPackage {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps", "-tags", tags, "./...")
	list.Dir, list.Stderr = "..", os.Stderr
	list.Env = append(os.Environ(), "CGO_ENABLED=1")
	out, err := list.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Start(); err != nil {
		t.Fatal(err)
	}
	packages := map[string]goPackage{}
	for decoder := json.NewDecoder(out); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages[p.ImportPath] = p
	}
	if err := list.Wait(); err != nil {
		t.Fatalf("go list: %v", err)
	}
	return packages
}

// fits tells whether a package, without the module's name, is meant by a pattern.
func fits(pattern, room string) bool {
	if above, ok := strings.CutSuffix(pattern, "/..."); ok {
		return room == above || strings.HasPrefix(room, above+"/")
	}
	if above, ok := strings.CutSuffix(pattern, "/*"); ok {
		return path.Dir(room) == above
	}
	return room == pattern
}

func fitsAny(patterns []string, room string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return fits(p, room) })
}

// underneath tells whether an import path is meant by a prefix, or by a whole path.
func underneath(prefix, imported string) bool {
	return imported == prefix || strings.HasSuffix(prefix, "/") && strings.HasPrefix(imported, prefix) ||
		strings.HasPrefix(imported, prefix+"/")
}

func TestImportRules(t *testing.T) {
	for _, tags := range []string{"headless", "gles"} {
		t.Run(tags, func(t *testing.T) {
			packages := listPackages(t, tags)
			for _, p := range packages {
				if room, ours := strings.CutPrefix(p.ImportPath, module); ours {
					checkRoom(t, room, p)
				}
			}
			checkEngine(t, packages[module+"engine"])
		})
	}
}

func checkRoom(t *testing.T, room string, p goPackage) {
	longest := -1
	for i, r := range rooms {
		if fits(r.packages, room) && (longest < 0 || len(r.packages) > len(rooms[longest].packages)) {
			longest = i
		}
	}
	if longest < 0 {
		t.Errorf("%s is no room of the design; give it a line in imports_test.go", room)
		return
	}
	for _, imported := range p.Imports {
		if other, ours := strings.CutPrefix(imported, module); ours {
			if !fitsAny(rooms[longest].may, other) {
				t.Errorf("%s imports %s; it may import: %v", room, other, rooms[longest].may)
			}
			continue
		}
		for _, rule := range outside {
			if underneath(rule.imported, imported) {
				if !fitsAny(rule.by, room) {
					t.Errorf("%s imports %s, which is left to %v", room, imported, rule.by)
				}
				break // the first rule that fits holds
			}
		}
		if slices.Contains(pure, room) && slices.ContainsFunc(impure, func(i string) bool {
			return imported == i || strings.HasSuffix(i, "/") && strings.HasPrefix(imported, i)
		}) {
			t.Errorf("%s imports %s, but it is a pure room", room, imported)
		}
	}
}

// checkEngine looks at all that the engine drags in, near or far.
func checkEngine(t *testing.T, engine goPackage) {
	if len(engine.Deps) == 0 {
		t.Error("go list says nothing of the engine")
	}
	for _, d := range engine.Deps {
		driver := strings.HasPrefix(d, module+"refclock/")
		if driver || underneath("fyne.io/", d) || underneath("database/sql", d) || underneath("modernc.org/", d) {
			t.Errorf("engine depends on %s: it must do without drivers, Fyne and SQL", d)
		}
	}
}

// TestTopLevel: what a reader meets first is only what the design names.
func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		allowed := files
		if e.IsDir() {
			allowed = slices.Concat(folders, made)
		}
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(allowed, e.Name()) {
			t.Errorf("%s does not belong at the top level; there are %v and %v", e.Name(), folders, files)
		}
	}
}
