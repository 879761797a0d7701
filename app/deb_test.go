//go:build deb && linux

package main

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"timestation/app/web"
	"timestation/engine/status"
)

const (
	unitPath  = "usr/lib/systemd/system/timestation.service"
	kioskPath = "usr/lib/systemd/system/timestation-kiosk.service"
)

// machines are the architectures in Debian's words and in ELF's.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "armhf": elf.EM_ARM}

// packageOf says which Debian package has a library.
var packageOf = map[string]string{
	"libc.so.6": "libc6", "libm.so.6": "libc6", "libdl.so.2": "libc6", "libpthread.so.0": "libc6", "librt.so.1": "libc6",
	"libresolv.so.2": "libc6", "ld-linux-aarch64.so.1": "libc6", "ld-linux-armhf.so.3": "libc6",
	"libGL.so.1": "libgl1", "libwayland-client.so.0": "libwayland-client0",
}

// openedByName are the libraries that GLFW opens when the window comes up, on X11 and on Wayland.
var openedByName = []string{"libEGL.so.1", "libGLESv2.so.2", "libX11.so.6", "libXcursor.so.1", "libXext.so.6", "libXi.so.6",
	"libXinerama.so.1", "libXrandr.so.2", "libXrender.so.1", "libXxf86vm.so.1", "libwayland-cursor.so.0",
	"libwayland-egl.so.1", "libxkbcommon.so.0"}

func hostArchitecture(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("dpkg", "--print-architecture").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// debFor finds the one package for an architecture.
func debFor(t *testing.T, architecture string) string {
	t.Helper()
	found, err := filepath.Glob("../dist/timestation_*_" + architecture + ".deb")
	if err != nil || len(found) != 1 {
		t.Fatalf("dist has %d packages for %s; make them with: make deb", len(found), architecture)
	}
	return found[0]
}

func dpkgDeb(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("dpkg-deb", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("dpkg-deb %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// TestDebContents looks into each package without installing it.
func TestDebContents(t *testing.T) {
	architectures := []string{hostArchitecture(t)}
	if architectures[0] == "amd64" {
		architectures = append(architectures, "arm64", "armhf")
	}
	for _, architecture := range architectures {
		t.Run(architecture, func(t *testing.T) {
			deb := debFor(t, architecture)
			for field, want := range map[string]string{"Package": "timestation", "Architecture": architecture, "Version": version} {
				if got := strings.TrimSpace(dpkgDeb(t, "-f", deb, field)); !strings.HasPrefix(got, want) {
					t.Errorf("%s: %q, should be %q", field, got, want)
				}
			}
			listing := dpkgDeb(t, "-c", deb)
			for path, mode := range map[string]string{
				"./usr/bin/timestation":                                 "-rwxr-xr-x root/root",
				"./usr/lib/timestation/timestation-headless":            "-rwxr-xr-x root/root",
				"./" + unitPath:                                         "-rw-r--r-- root/root",
				"./" + kioskPath:                                        "-rw-r--r-- root/root",
				"./usr/lib/timestation/kiosk":                           "-rwxr-xr-x root/root",
				"./usr/share/timestation/drop-ins/steering.conf":        "-rw-r--r-- root/root",
				"./usr/share/timestation/drop-ins/hardware-stamps.conf": "-rw-r--r-- root/root",
				"./usr/share/timestation/drop-ins/fast-path.conf":       "-rw-r--r-- root/root",
				"./usr/lib/udev/rules.d/60-timestation.rules":           "-rw-r--r-- root/root",
				"./usr/share/man/man1/timestation.1.gz":                 "-rw-r--r-- root/root",
				"./usr/share/doc/timestation/copyright":                 "-rw-r--r-- root/root",
				"./usr/share/doc/timestation/third-party-licences.gz":   "-rw-r--r-- root/root",
				"./usr/share/doc/timestation/examples/timestation.toml": "-rw-r--r-- root/root",
				"./etc/timestation/":                                    "drwxr-x--- root/root",
			} {
				if !regexp.MustCompile(`(?m)^` + mode + `.* ` + regexp.QuoteMeta(path) + `$`).MatchString(listing) {
					t.Errorf("no %s with %s in\n%s", path, mode, listing)
				}
			}
			out, err := exec.Command("lintian", "--allow-root", "--fail-on", "error,warning", "--no-cfg", deb).CombinedOutput()
			if err != nil || len(bytes.TrimSpace(out)) > 0 {
				t.Errorf("lintian: %v\n%s", err, out)
			}
			dir := t.TempDir()
			dpkgDeb(t, "-x", deb, dir)
			window := filepath.Join(dir, "usr/bin/timestation")
			headless := filepath.Join(dir, "usr/lib/timestation/timestation-headless")
			checkELF(t, window, machines[architecture], strings.Split(strings.TrimSpace(dpkgDeb(t, "-f", deb, "Depends")), ", "))
			checkELF(t, headless, machines[architecture], nil)
		})
	}
}

// checkELF checks that a program is for a machine and needs only libraries of the packages that are depended on; of none
// if it is linked statically.
func checkELF(t *testing.T, path string, machine elf.Machine, depends []string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Machine != machine {
		t.Errorf("%s is for %v, should be for %v", filepath.Base(path), f.Machine, machine)
	}
	libraries, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range libraries {
		if !slices.ContainsFunc(depends, func(d string) bool { return packageOf[l] != "" && strings.Split(d, " ")[0] == packageOf[l] }) {
			t.Errorf("%s needs %s, and the package depends on nothing that has it: %v", filepath.Base(path), l, depends)
		}
	}
	// A newer C library where this was built must not creep in unseen.
	symbols, _ := f.ImportedSymbols() // there are none in a static program
	for _, s := range symbols {
		minor := 0
		if _, err := fmt.Sscanf(s.Version, "GLIBC_2.%d", &minor); err == nil && minor > 34 {
			t.Errorf("%s needs %s of %s, but the package depends on libc6 (>= 2.34)", filepath.Base(path), s.Name, s.Version)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %v, %.1f MB, libraries %v", filepath.Base(path), f.Machine, float64(info.Size())/1e6, libraries)
}

// TestDebUnit lets systemd judge the services: alone, and with each of the drop-ins that the package brings.
func TestDebUnit(t *testing.T) {
	dir := t.TempDir()
	dpkgDeb(t, "-x", debFor(t, hostArchitecture(t)), dir)
	dropIns, err := filepath.Glob(filepath.Join(dir, "usr/share/timestation/drop-ins/*.conf"))
	if err != nil || len(dropIns) != 3 {
		t.Fatalf("drop-ins: %v %v", dropIns, err)
	}
	// In tenths: under 2.0, which few services of Debian's reach. Who may set the clock is marked down for it four times over
	// (the capability, two groups of system calls, ProtectClock=no), and nothing else is left to be taken from a server.
	const most, mostSteering = "19", "22"
	judgeUnit(t, dir, unitPath, most)
	for _, dropIn := range dropIns {
		name := filepath.Base(dropIn)
		limit := most
		if name == "steering.conf" {
			limit = mostSteering
		}
		t.Run(name, func(t *testing.T) { judgeUnit(t, dir, unitPath, limit, dropIn) })
	}
	t.Run("kiosk", func(t *testing.T) { judgeUnit(t, dir, kioskPath, most) })
}

// judgeUnit verifies a unit with its drop-ins, and its exposure.
func judgeUnit(t *testing.T, dir, path, most string, dropIns ...string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, path))
	if err != nil {
		t.Fatal(err)
	}
	for _, dropIn := range dropIns {
		more, err := os.ReadFile(dropIn)
		if err != nil {
			t.Fatal(err)
		}
		// As a drop-in does it: lists grow, the rest is replaced.
		text = append(append(text, '\n'), more...)
	}
	// systemd looks for the program itself; it is not installed here.
	text = bytes.ReplaceAll(text, []byte("/usr/lib/timestation/"), []byte(filepath.Join(dir, "usr/lib/timestation")+"/"))
	moved := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(moved, text, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", moved).CombinedOutput()
	if err != nil || strings.Contains(string(out), "timestation") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, err = exec.Command("systemd-analyze", "security", "--offline=true", "--threshold="+most, moved).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
	t.Log(regexp.MustCompile(`Overall exposure.*`).FindString(string(out)))
}

// TestDebInstalled installs the package into a small Debian, runs it there and takes it away again.
func TestDebInstalled(t *testing.T) {
	tar := os.Getenv("TIMESTATION_ROOT")
	if tar == "" {
		t.Fatal("TIMESTATION_ROOT names no Debian to install into; run this test with: make deb-test")
	}
	r := newRoom(t, tar)
	r.copyIn(t, debFor(t, hostArchitecture(t)), "root/timestation.deb")
	older, err := filepath.Glob("../dist/older/timestation_0.0.1_*.deb")
	if err != nil || len(older) != 1 {
		t.Fatalf("dist/older has %d packages; make one with: make deb", len(older))
	}
	r.copyIn(t, older[0], "root/older.deb")
	before := r.files(t)

	if printed := r.must(t, "/usr/bin/dpkg", "-i", "/root/timestation.deb"); !strings.Contains(printed, "timestation init --output /etc/timestation/timestation.toml") {
		t.Errorf("the installation does not say what is next:\n%s", printed)
	}
	unit := r.path(unitPath)
	if printed := r.must(t, "/usr/bin/timestation", "version"); !strings.Contains(printed, version) {
		t.Errorf("the program with the window says %q", printed)
	}
	cache := r.must(t, "/sbin/ldconfig", "-p")
	for _, library := range openedByName {
		if !strings.Contains(cache, library) {
			t.Errorf("the window opens %s, and no package depended on has it", library)
		}
	}
	if groups := r.must(t, "/usr/bin/id", "-Gn", "timestation"); !slices.Contains(strings.Fields(groups), "dialout") {
		t.Errorf("the service's user is in the groups %q; serial ports belong to dialout", groups)
	}

	inRoom(t, "demonstration", func(t *testing.T) {
		p := r.serve(t, "/usr/lib/timestation/timestation-headless", "demo")
		s := r.await(t, p, func(s web.Report) bool { return s.State == status.Synchronised })
		t.Logf("synchronised %.1f s after the start, bound %.6f s", time.Since(p.began).Seconds(), boundOf(t, s))
		endsAtOnce(t, p)
	})
	inRoom(t, "configured", func(t *testing.T) {
		for _, condition := range unitLines(t, unit, "ConditionPathExists") {
			if _, err := os.Stat(r.path(condition)); err == nil {
				t.Errorf("%s is there before timestation init: the service would start", condition)
			}
		}
		r.must(t, "/usr/bin/timestation", "init", "--output", "/etc/timestation/timestation.toml")
		p := r.startUnit(t, unit)
		s := r.await(t, p, func(s web.Report) bool { return len(s.Listeners) > 0 })
		if s.State != status.Unsynchronised || s.Stratum != 16 && s.Stratum != 0 {
			t.Errorf("without a receiver the station is %s, stratum %d", s.State, s.Stratum)
		}
		if !strings.HasSuffix(s.Listeners[0].Address, ":123") {
			t.Errorf("it listens on %s", s.Listeners[0].Address)
		}
		t.Logf("%s: %s", s.State, s.Reason)
		if err := p.command.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
		if printed := p.printed.String(); !strings.Contains(printed, "read again") {
			t.Errorf("SIGHUP should have the keys read again:\n%s", printed)
		}
		endsAtOnce(t, p)
	})
	inRoom(t, "upgraded", func(t *testing.T) { r.upgrade(t) })
	inRoom(t, "example", func(t *testing.T) {
		p := r.serve(t, "/usr/lib/timestation/timestation-headless", "run", "--headless", "--data", "/var/lib/timestation",
			"--config", "/usr/share/doc/timestation/examples/timestation.toml")
		r.await(t, p, func(s web.Report) bool { return s.Name == "Studio 1" })
		endsAtOnce(t, p)
	})
	inRoom(t, "removed", func(t *testing.T) {
		r.must(t, "/usr/bin/dpkg", "-r", "timestation")
		if _, err := os.Stat(r.path("etc/timestation/timestation.toml")); err != nil {
			t.Error("the configuration should outlive the removal:", err)
		}
		r.must(t, "/usr/bin/dpkg", "-P", "timestation")
		data := false
		for name := range r.files(t) {
			if name == "var/lib/timestation" || strings.HasPrefix(name, "var/lib/timestation/") {
				data = true
			} else if !before[name] {
				t.Errorf("the purge left /%s", name)
			}
			delete(before, name)
		}
		if !data {
			t.Error("the data is gone; it should outlive the program")
		}
		for name := range before {
			t.Errorf("the purge took /%s, which was there before", name)
		}
	})
}

// upgrade goes back to an older version and forth again: configuration, keys and log are the user's, and stay as they are.
func (r *room) upgrade(t *testing.T) {
	t.Helper()
	r.must(t, "/usr/bin/dpkg", "-i", "/root/older.deb")
	if v := r.must(t, "/usr/bin/dpkg-query", "-W", "-f", "${Version}", "timestation"); v != "0.0.1" {
		t.Fatalf("version %s is installed", v)
	}
	kept := map[string][]byte{}
	for _, path := range []string{"etc/timestation/timestation.toml", "etc/timestation/keys", "var/lib/timestation/timestation.db"} {
		content, err := os.ReadFile(r.path(path))
		if err != nil || len(content) == 0 {
			t.Fatalf("/%s before the upgrade: %d bytes, %v", path, len(content), err)
		}
		kept[path] = content
	}
	r.must(t, "/usr/bin/dpkg", "-i", "/root/timestation.deb")
	if v := r.must(t, "/usr/bin/dpkg-query", "-W", "-f", "${Version}", "timestation"); v != version {
		t.Errorf("after the upgrade version %s is installed", v)
	}
	for path, content := range kept {
		if now, err := os.ReadFile(r.path(path)); err != nil || !bytes.Equal(now, content) {
			t.Errorf("the upgrade changed /%s: %d bytes before, %d after, %v", path, len(content), len(now), err)
		}
	}
	// And the log goes on.
	p := r.startUnit(t, r.path(unitPath))
	r.await(t, p, func(s web.Report) bool { return len(s.Listeners) > 0 })
	endsAtOnce(t, p)
	if out := r.must(t, "/usr/bin/timestation", "logbook", "verify", "--data", "/var/lib/timestation"); out == "" {
		t.Error("timestation verify says nothing of the log")
	}
}

// inRoom runs the parts of the installed package's life; after one that failed the next say nothing.
func inRoom(t *testing.T, name string, part func(*testing.T)) {
	t.Helper()
	if !t.Run(name, part) {
		t.FailNow()
	}
}

// startUnit starts the service with the commands of its unit.
func (r *room) startUnit(t *testing.T, unit string) *process {
	t.Helper()
	for _, dir := range unitLines(t, unit, "StateDirectory") {
		r.must(t, "/usr/bin/install", "-d", "-o", "timestation", "-g", "timestation", "/var/lib/"+dir)
	}
	for _, first := range unitLines(t, unit, "ExecStartPre") {
		words := strings.Fields(strings.TrimPrefix(first, "+"))
		r.must(t, append([]string{"/usr/bin/env"}, words...)...)
	}
	return r.serve(t, strings.Fields(unitLines(t, unit, "ExecStart")[0])...)
}

// await asks the station for its status until it is as wanted.
func (r *room) await(t *testing.T, p *process, wanted func(web.Report) bool) (s web.Report) {
	t.Helper()
	var last result
	for time.Since(p.began) < synchroniseWithin {
		select {
		case <-p.ended:
			t.Fatalf("the station ended by itself: %v", p.err)
		case <-time.After(500 * time.Millisecond):
		}
		last = r.run(t, "/usr/bin/timestation", "status", "--json")
		s = web.Report{}
		if last.code == 0 && json.Unmarshal([]byte(last.stdout), &s) == nil && wanted(s) {
			return s
		}
	}
	t.Fatalf("within %v the station did not come to what was wanted:\n%s%s", synchroniseWithin, last.stdout, last.stderr)
	return s
}

func endsAtOnce(t *testing.T, p *process) {
	t.Helper()
	if took := p.stop(t); took > time.Second {
		t.Errorf("the station took %v to stop; it should be within a second", took)
	}
}
