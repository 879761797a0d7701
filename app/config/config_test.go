package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"timestation/engine"
	"timestation/engine/serve"
	"timestation/refclock"
)

// fakeDriver stands for a driver with one key of each kind.
type fakeDriver struct {
	Device string   `mapstructure:"device" help:"The port."`
	Baud   int      `mapstructure:"baud" help:"Bits per second."`
	Delay  *float64 `mapstructure:"delay_seconds" help:"The delay | where known."`
	Small  uint8    `mapstructure:"small" help:"A small number."`
	Hidden string
}

func (f *fakeDriver) Validate() error {
	if f.Baud < 300 {
		return fmt.Errorf("baud: %d is below 300; write for instance 9600", f.Baud)
	}
	return nil
}

func init() {
	refclock.Register(refclock.Registration{Name: "fake", Help: "A driver for tests.", ReferenceID: "FAKE"}, fakeDriver{Baud: 9600}, nil)
}

const source = "[[refclock]]\ndriver = \"fake\"\n"

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadKeepsDefaultsAndTakesWhatIsWritten(t *testing.T) {
	cfg, err := Load(write(t, "\xef\xbb\xbf"+`
[station]
name = "Studio 2"
position = [50, 8.25]
timezone = "Europe/Berlin"
[clock]
max_error_seconds = 2
[[refclock]]
name = "roof"
driver = "fake"
device = "/dev/ttyAMA0"
delay_seconds = 0.06
[[refclock]]
driver = "fake"
receiver = "roof"
compare_only = true
[[listener]]
address = ":11123"
allow = ["10.0.0.0/8"]
[[listener]]
allow = []
[web]
`))
	if err != nil {
		t.Fatal(err)
	}
	delay := 0.06
	clock := engine.DefaultConfig()
	clock.MaxErrorSeconds = 2
	first, second := serve.DefaultConfig(), serve.DefaultConfig()
	first.Address, first.Allow, second.Allow = ":11123", []string{"10.0.0.0/8"}, []string{}
	want := Default()
	want.Station = Station{Name: "Studio 2", Position: []float64{50, 8.25}, Timezone: "Europe/Berlin"}
	want.Clock = clock
	want.Refclocks = []Refclock{
		{Name: "roof", Driver: "fake", Receiver: "roof", Config: &fakeDriver{Device: "/dev/ttyAMA0", Baud: 9600, Delay: &delay}},
		{Name: "fake", Driver: "fake", Receiver: "roof", CompareOnly: true, Config: &fakeDriver{Baud: 9600}},
	}
	want.Listeners = []serve.Config{first, second}
	want.Origin = cfg.Origin
	if !reflect.DeepEqual(*cfg, want) {
		t.Errorf("got  %+v\nwant %+v", *cfg, want)
	}
	if d := cfg.Refclocks[0].Device(); d != "/dev/ttyAMA0" {
		t.Errorf("device %q", d)
	}
	if zone := cfg.Station.Location().String(); zone != "Europe/Berlin" {
		t.Errorf("zone %q", zone)
	}
}

// A refusal is what a user sees of a mistake: one line with file, key, reason and mend.
func TestRefusals(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", `refclock: there is no source; add a [[refclock]] section with driver = "fake"`},
		{"[station\n", "line 1, column 9: expected character ]"},
		{source + "[clock]\ndiscipline = \"none\"\ndiscipline = \"none\"\n", `key discipline is already defined`},
		{"[dispaly]\n", "dispaly: unknown section; did you mean display?"},
		{"timezone = \"UTC\"\n", "timezone: stands outside of any section; it belongs in [station]"},
		{"[refclock]\ndriver = \"fake\"\n", "refclock: may stand more than once; write [[refclock]] with two brackets"},
		{"[[clock]]\n", "clock: must be one section; write [clock] on a line of its own"},
		{"listener = [1]\n", "listener: must be sections; write [[listener]] on a line of its own"},
		{source + "[clock]\nmax_eror_seconds = 1\n", "clock.max_eror_seconds: unknown key; did you mean max_error_seconds?"},
		{source + "[station]\nface = \"led\"\n", "station.face: unknown key; it belongs in [display]"},
		{source + "[station]\nxylophone = 1\n", "station.xylophone: unknown key; known are name, position, timezone"},
		{source + "[station]\nName = \"a\"\n", "station.Name: keys are written in lower case: name"},
		{source + "Baud = 1\n", "refclock[1].Baud: keys are written in lower case: baud"},
		{source + "\"a\\nb\" = 1\n", `refclock[1]."a\nb": unknown key; known are name, driver, receiver, compare_only, device, baud, delay_seconds, small`},
		{source + "buad = 9600\n", "refclock[1].buad: unknown key; did you mean baud?"},
		{source + "hidden = \"x\"\n", "refclock[1].hidden: unknown key; known are name, driver, receiver, compare_only, device, baud, delay_seconds, small"},
		{source + source + "baud = true\n", "refclock[2].baud: must be a whole number, is true"},
		{source + "name = \"gps0\"\nbaud = 9600.5\n", `refclock "gps0": baud: must be a whole number, is the number 9600.5`},
		{source + "baud = \"9600\"\n", `refclock[1].baud: must be a whole number, is the text "9600"; write it without quotes`},
		{source + "baud = 100\n", `refclock "fake": baud: 100 is below 300; write for instance 9600`},
		{source + "small = 300\n", "refclock[1].small: 300 is too large"},
		{source + "small = -1\n", "refclock[1].small: -1 is negative"},
		{source + "device = 3\n", "refclock[1].device: must be text, is the number 3; put quotes around it"},
		{source + "device = 2026-11-22\n", "refclock[1].device: must be text, is the date or time 2026-11-22; put quotes around it"},
		{source + "delay_seconds = \"fast\"\n", `refclock[1].delay_seconds: must be a number, is the text "fast"`},
		{source + "delay_seconds = nan\n", "refclock[1].delay_seconds: NaN is not a number to reckon with"},
		{source + "delay_seconds = -inf\n", "refclock[1].delay_seconds: -Inf is not a number to reckon with"},
		{source + "name = \"a\"\n" + source + "name = \"a\"\n", `refclock "a": name: two sources have it; give each its own`},
		{source + source, `refclock "fake": name: two sources have it; give each its own`},
		{source + "name = \"station\"\n", `refclock "station": name: the log keeps the station itself under it; choose another`},
		{source + "name = \"\"\n", `refclock "": name: is empty; write a name of one to 40 characters`},
		{source + "name = \"a\\nb\"\n", `refclock "a\nb": name: "a\nb" has a character that cannot be printed`},
		{"[[refclock]]\ndriver = \"gsp\"\n", `refclock[1].driver: "gsp" is not known; write one of "fake"`},
		{"[[refclock]]\nname = \"a\"\n", `refclock "a": driver: is missing; write one of "fake"`},
		{"[[refclock]]\ndriver = 1\n", "refclock[1].driver: must be text, is the number 1; put quotes around it"},
		{source + "[station]\ntimezone = \"Europe/Berlln\"\n",
			`station.timezone: "Europe/Berlln" is not a time zone; write an IANA name such as "Europe/Berlin", or "Local"`},
		{source + "[station]\nposition = [91, 8]\n", "station.position: latitude 91 is not within -90 and 90 degrees"},
		{source + "[station]\nposition = [50]\n", "station.position: has 1 numbers; write [latitude, longitude] in degrees"},
		{source + "[station]\nposition = 50\n", "station.position: must be a list of numbers, is the number 50; put brackets around it"},
		{source + "[station]\nposition = [50, \"8\"]\n", `station.position[1]: must be a number, is the text "8"; write it without quotes`},
		{source + "[clock]\nmax_error_seconds = 0\n", "clock.max_error_seconds: 0 is not above 0"},
		{source + "[[listener]]\naddress = \"foo\"\n", `listener[1].address: "foo" is not`},
		{source + "[[listener]]\n[[listener]]\n", "listener[2].address: two listeners have "},
	}
	for _, test := range tests {
		path := write(t, test.text)
		cfg, err := Load(path)
		if err == nil {
			t.Errorf("%q was accepted: %+v", test.text, cfg)
			continue
		}
		if got, ok := strings.CutPrefix(err.Error(), path+": "); !ok || !strings.HasPrefix(got, test.want) {
			t.Errorf("%q:\ngot  %s\nwant %s", test.text, err, test.want)
		}
	}
}

func TestMissingFileSaysHowToGetOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.toml")
	_, err := Load(path)
	if want := path + ": there is no such file; make one with: timestation init"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err = Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "cannot be read: is a directory") {
		t.Errorf("a folder: %v", err)
	}
}

// Whoever leaves out a letter of any key is told the key.
func TestEveryKeyIsSuggestedAndExplained(t *testing.T) {
	cfg := Default()
	for _, s := range cfg.sections() {
		for _, k := range keysOf(s.target) {
			if k.help == "" {
				t.Errorf("%s.%s has no help", s.name, k.name)
			}
			if !strings.Contains(Reference(), "| `"+k.name+"` | "+kindWords(k.value.Type())+" |") {
				t.Errorf("%s.%s is not in the reference", s.name, k.name)
			}
			wrong := k.name[:1] + k.name[2:]
			text := source + s.title() + "\n" + wrong + " = 1\n"
			if s.name == "refclock" {
				text = source + wrong + " = 1\n"
			}
			if s.name == "notify" {
				text = source + "[[notify]]\nkind = \"sound\"\n" + wrong + " = 1\n"
			}
			if _, err := Load(write(t, text)); err == nil || !strings.HasSuffix(err.Error(), "did you mean "+k.name+"?") {
				t.Errorf("%s.%s: %v", s.name, wrong, err)
			}
		}
	}
}

func TestEnvironment(t *testing.T) {
	path := write(t, source+"[clock]\nmax_error_seconds = 2\n[station]\nname = \"file\"\n")
	t.Setenv("TIMESTATION_CLOCK_MAX_ERROR_SECONDS", "0.5")
	t.Setenv("TIMESTATION_STATION_TIMEZONE", "Asia/Tokyo")
	t.Setenv("TIMESTATION_DISPLAY_FULLSCREEN", "false")
	t.Setenv("TIMESTATION_STATION_NAME", "")                    // empty is as good as not set
	t.Setenv("TIMESTATION_STATION", "http://192.168.1.20:8123") // no key: not ours
	cfg, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Clock.MaxErrorSeconds != 0.5 || cfg.Station.Timezone != "Asia/Tokyo" || cfg.Station.Name != "file" ||
		cfg.Display.Fullscreen || cfg.Clock.Discipline != "none" {
		t.Errorf("got %+v", cfg)
	}
}

func TestEnvironmentIsHeldToTheSameRules(t *testing.T) {
	tests := []struct{ variable, value, want string }{
		{"TIMESTATION_CLOCK_MAX_EROR_SECONDS", "1", "there is no such key in [clock]; did you mean TIMESTATION_CLOCK_MAX_ERROR_SECONDS?"},
		{"TIMESTATION_CLOCK_MAX_ERROR_SECONDS", "much", `clock.max_error_seconds: must be a number, is "much"`},
		{"TIMESTATION_CLOCK_MAX_ERROR_SECONDS", "NaN", "clock.max_error_seconds: NaN is not a number to reckon with"},
		{"TIMESTATION_CLOCK_MAX_ERROR_SECONDS", "-1", "clock.max_error_seconds: -1 is not above 0"},
		{"TIMESTATION_STATION_TIMEZONE", "Mars", `station.timezone: "Mars" is not a time zone`},
		{"TIMESTATION_STATION_POSITION", "50,8", "station.position is a list of numbers, which only the file can hold; unset the variable"},
		{"TIMESTATION_LISTENER_ADDRESS", ":123", "[[listener]] is a list, which only the file can hold; unset the variable"},
	}
	for _, test := range tests {
		t.Run(test.variable+"="+test.value, func(t *testing.T) {
			t.Setenv(test.variable, test.value)
			_, err := Load(write(t, source))
			if want := "environment " + test.variable + ": " + test.want; err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestFindLooksInTheWorkingFolderFirst(t *testing.T) {
	t.Chdir(t.TempDir())
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	if _, err := os.Stat("/etc/timestation/" + FileName); err == nil {
		t.Skip("this machine has a station's configuration")
	}
	_, tried, err := Find()
	if !errors.Is(err, fs.ErrNotExist) || len(tried) != 3 || tried[2] != "/etc/timestation/timestation.toml" {
		t.Fatalf("tried %q: %v", tried, err)
	}
	for i := 1; i >= 0; i-- {
		if err := os.MkdirAll(filepath.Dir(tried[i]), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(tried[i], nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if path, _, err := Find(); err != nil || path != tried[i] {
			t.Errorf("got %s, %v, want %s", path, err, tried[i])
		}
	}
}

// An example is a file the program accepts, as it is and with every switched-off line switched on.
func TestExampleLoads(t *testing.T) {
	var out strings.Builder
	err := Example(&out,
		Entry{Section: "station", Comment: "An example.", Set: map[string]any{"name": `Studio "2"`}},
		Entry{Section: "refclock", Set: map[string]any{"driver": "fake", "name": "a", "baud": 4800}},
		Entry{Section: "refclock", Set: map[string]any{"driver": "fake", "name": "b"}, Off: true},
		Entry{Section: "clock"}, Entry{Section: "listener"}, Entry{Section: "display"}, Entry{Section: "logbook"},
		Entry{Section: "web"})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(write(t, out.String()))
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	want := Default()
	want.Station.Name = `Studio "2"`
	want.Refclocks = []Refclock{{Name: "a", Driver: "fake", Receiver: "a", Config: &fakeDriver{Baud: 4800}}}
	want.Listeners = []serve.Config{serve.DefaultConfig()}
	want.Origin = cfg.Origin
	if !reflect.DeepEqual(*cfg, want) {
		t.Errorf("got  %+v\nwant %+v", *cfg, want)
	}

	on := switchOn(out.String())
	all, err := Load(write(t, on))
	if err != nil {
		t.Fatalf("all switched on: %v\n%s", err, on)
	}
	if len(all.Refclocks) != 2 {
		t.Errorf("the switched-off source did not come back:\n%s", on)
	}
	if err := Example(&out, Entry{Section: "clocks"}); err == nil {
		t.Error("an unknown section was written")
	}
}

// switchOn takes the # from every line that has no space after it.
func switchOn(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if len(line) > 1 && line[0] == '#' && line[1] != ' ' && line[1] != '\n' {
			line = line[1:]
		}
		out.WriteString(line)
	}
	return out.String()
}

// Whatever stands in the file: no crash, and a refusal is one line that begins with the file.
func FuzzLoad(f *testing.F) {
	f.Add(source)
	f.Add("[station]\nposition = [[1], {a = 2}]\n" + source)
	f.Add("[clock.discipline]\nx.y.z = 1\n" + source + "[refclock.device]\n")
	f.Add("\"\\n\" = 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := write(t, text)
		_, err := Load(path)
		if err != nil && (!strings.HasPrefix(err.Error(), path+": ") || strings.ContainsAny(err.Error(), "\n\r")) {
			t.Errorf("%q", err.Error())
		}
	})
}

// An auditor must be able to tell which configuration was in force, overrides included.
func TestOriginNamesFileAndOverrides(t *testing.T) {
	path := write(t, source)
	t.Setenv("TIMESTATION_CLOCK_MAX_ERROR_SECONDS", "0.25")
	cfg, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`sha256 %x of %s, TIMESTATION_CLOCK_MAX_ERROR_SECONDS="0.25"`, sha256.Sum256([]byte(source)), path)
	if cfg.Origin != want {
		t.Errorf("origin %q, want %q", cfg.Origin, want)
	}
}
