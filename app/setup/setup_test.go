package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timestation/app/config"
	"timestation/engine/ntp"
	"timestation/refclock/gps"
	_ "timestation/refclock/pps"
)

// bench is a machine with the given ports; each says what it says after the time it was given.
func bench(ports map[string]gps.Found, refuse map[string]error, devices []string, links map[string]string) Probes {
	return Probes{
		Ports: func() ([]string, error) {
			var all []string
			for _, p := range []string{"/dev/ttyAMA0", "/dev/ttyUSB0", "/dev/ttyUSB1", "/dev/serial0"} {
				if _, there := ports[p]; there {
					all = append(all, p)
				}
			}
			return all, nil
		},
		Listen: func(ctx context.Context, device string, d time.Duration) (gps.Found, error) {
			if err := refuse[device]; err != nil {
				return gps.Found{}, err
			}
			select {
			case <-ctx.Done():
				return gps.Found{}, ctx.Err()
			case <-time.After(d):
			}
			if ports[device] == silent {
				return silent, fmt.Errorf("%s: %w", device, gps.ErrSilent)
			}
			return ports[device], nil
		},
		Glob: func(pattern string) []string {
			var all []string
			for _, d := range devices {
				if ok, _ := filepath.Match(pattern, d); ok {
					all = append(all, d)
				}
			}
			return all
		},
		Resolve: func(path string) (string, error) {
			if target, ok := links[path]; ok {
				return target, nil
			}
			return path, nil
		},
		Hostname:  "studio-pi",
		Addresses: []string{"192.168.1.20", "fd00::5"},
	}
}

var (
	talks  = gps.Found{Baud: 38400, Text: "NMEA 0183, no fix yet"}
	silent = gps.Found{}
)

// Whatever was found or not, the file loads; it still loads with everything switched on that it offers; and the
// receivers that were heard are what it names.
func TestFileLoadsWhateverWasFound(t *testing.T) {
	states := []string{"absent", "silent", "talks", "refused"}
	pulses := [][]string{nil, {"/dev/pps0"}, {"/dev/gpiochip0", "/dev/gpiochip1"}, {"/dev/pps0", "/dev/gpiochip0"}}
	for first := range states {
		for second := range states {
			for i, devices := range pulses {
				name := fmt.Sprintf("%s-%s-%d", states[first], states[second], i)
				t.Run(name, func(t *testing.T) {
					ports, refuse, heard := map[string]gps.Found{}, map[string]error{}, []string{}
					for n, state := range []string{states[first], states[second]} {
						port := []string{"/dev/ttyAMA0", "/dev/ttyUSB0"}[n]
						switch state {
						case "silent":
							ports[port] = silent
						case "talks":
							ports[port] = talks
							heard = append(heard, port)
						case "refused":
							ports[port] = silent
							refuse[port] = errors.New(port + ": permission denied")
						}
					}
					checkFile(t, bench(ports, refuse, devices, nil), heard, devices)
				})
			}
		}
	}
}

func checkFile(t *testing.T, probes Probes, heard, pulses []string) {
	dir := t.TempDir()
	path := filepath.Join(dir, "timestation.toml")
	var out strings.Builder
	// Virtual time: 64 cases of three seconds each.
	synctest.Test(t, func(t *testing.T) {
		if err := Run(t.Context(), Options{Output: path}, probes, &out); err != nil {
			t.Fatal(err)
		}
	})
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	want := max(1, len(heard))
	if len(heard) == 1 && slices.Contains(pulses, "/dev/pps0") {
		want++ // it is plain whose pulse that is
		if c := cfg.Refclocks[1]; c.Driver != "pps" || c.Device() != "/dev/pps0" {
			t.Errorf("second source is %+v", c)
		}
	}
	if len(cfg.Refclocks) != want {
		t.Errorf("%d sources for %q:\n%s", len(cfg.Refclocks), heard, text)
	}
	for i, device := range heard {
		if c := cfg.Refclocks[i]; c.Device() != device || c.Config.(*gps.Config).Baud != talks.Baud {
			t.Errorf("source %d is %+v, want %s at %d baud", i, c, device, talks.Baud)
		}
	}
	if keys := cfg.Listeners[0].Keys; cfg.Listeners[0].Address != ":123" || keys != filepath.Join(dir, "keys") {
		t.Errorf("listener %+v", cfg.Listeners[0])
	}
	if cfg.Station.Name != "studio-pi" {
		t.Errorf("station %+v", cfg.Station)
	}
	for _, p := range pulses {
		if !strings.Contains(string(text), p) || !strings.Contains(out.String(), p) {
			t.Errorf("%s is not mentioned", p)
		}
	}

	var on strings.Builder
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# ") {
			line = line[1:]
		}
		on.WriteString(line)
	}
	if err := os.WriteFile(path, []byte(on.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(path); err != nil {
		t.Errorf("all switched on: %v\n%s", err, on.String())
	}
}

// The server must be able to use the keys, nobody else may read them, and no two stations may have the same.
func TestKeys(t *testing.T) {
	secrets := map[string]bool{}
	for range 3 {
		path := filepath.Join(t.TempDir(), "secret")
		options := Options{Output: filepath.Join(t.TempDir(), "timestation.toml"), KeyFile: path}
		var out strings.Builder
		if err := Run(t.Context(), options, bench(nil, nil, nil, nil), &out); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		keys, err := ntp.ParseKeys(f)
		if err != nil || len(keys) != 2 {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for i, want := range []struct{ kind, bytes int }{{int(ntp.SHA256), 32}, {int(ntp.AES128), 16}} {
			if k := keys[i]; int(k.ID) != i+1 || int(k.Algorithm) != want.kind || len(k.Secret) != want.bytes {
				t.Errorf("key %d is %d %v with %d bytes", i, k.ID, k.Algorithm, len(k.Secret))
			}
			if secrets[string(keys[i].Secret)] {
				t.Error("the same key twice")
			}
			secrets[string(keys[i].Secret)] = true
		}
		for secret := range secrets {
			if strings.Contains(strings.ToLower(out.String()), fmt.Sprintf("%x", secret)) {
				t.Error("a key was shown on the screen")
			}
		}
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	for _, existing := range []string{"timestation.toml", "keys"} {
		dir := t.TempDir()
		path := filepath.Join(dir, existing)
		if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		err := Run(t.Context(), Options{Output: filepath.Join(dir, "timestation.toml")}, bench(nil, nil, nil, nil), &strings.Builder{})
		want := path + ": exists already and is left as it is; move it away, or choose another folder with --output"
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		files, _ := os.ReadDir(dir)
		if text, _ := os.ReadFile(path); string(text) != "mine" || len(files) != 1 {
			t.Errorf("%q and %d files are left", text, len(files))
		}
	}
}

func TestMissingFolderAndInterruption(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "no such", "timestation.toml")
	err := Run(t.Context(), Options{Output: path}, bench(nil, nil, nil, nil), &strings.Builder{})
	if err == nil || !strings.HasSuffix(err.Error(), "there is no such folder; make it with: mkdir -p '"+filepath.Dir(path)+"'") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path = filepath.Join(dir, "timestation.toml")
	err = Run(ctx, Options{Output: path}, bench(map[string]gps.Found{"/dev/ttyAMA0": talks}, nil, nil, nil), &strings.Builder{})
	if files, _ := os.ReadDir(dir); !errors.Is(err, context.Canceled) || len(files) != 0 {
		t.Errorf("got %v and %d files", err, len(files))
	}
}

// Ports are heard at the same time, one port under two names once, and a USB adapter by the name that stays.
func TestPortsAreListenedToTogetherAndOnce(t *testing.T) {
	const id = "/dev/serial/by-id/usb-u-blox_GNSS_receiver-if00"
	probes := bench(
		map[string]gps.Found{"/dev/ttyAMA0": silent, "/dev/ttyUSB0": silent, "/dev/ttyUSB1": talks, "/dev/serial0": silent}, nil,
		[]string{id}, map[string]string{id: "/dev/ttyUSB1", "/dev/serial0": "/dev/ttyAMA0"})
	path := filepath.Join(t.TempDir(), "timestation.toml")
	var out strings.Builder
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := Run(t.Context(), Options{Output: path}, probes, &out); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != listenFor {
			t.Errorf("took %v", took)
		}
	})
	cfg, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Refclocks) != 1 || cfg.Refclocks[0].Device() != id {
		t.Errorf("sources %+v", cfg.Refclocks)
	}
	text, _ := os.ReadFile(path)
	if strings.Contains(string(text), "/dev/serial0:") {
		t.Errorf("a port under two names is offered twice:\n%s", text)
	}
}

// What is printed leads on: the commands with the file's path, and the line for a client with an address it can reach.
func TestPrintsTheNextStep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "timestation.toml")
	var out strings.Builder
	synctest.Test(t, func(t *testing.T) {
		if err := Run(t.Context(), Options{Output: path}, bench(map[string]gps.Found{"/dev/ttyAMA0": talks}, nil, nil, nil), &out); err != nil {
			t.Fatal(err)
		}
	})
	for _, want := range []string{
		"Listening 3 s on 1 serial port(s)",
		"/dev/ttyAMA0: NMEA 0183, no fix yet at 38400 baud\n",
		"timestation run --config " + path + "\n",
		"server 192.168.1.20 iburst key 1\n",
		"also reached as fd00::5, studio-pi.",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "No receiver") {
		t.Errorf("says that none was heard:\n%s", out.String())
	}
}
