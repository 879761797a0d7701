package config

import (
	"strings"
	"testing"

	"timestation/refclock"
)

// pulsed is a driver that needs a companion, and reads what another program writes.
type pulsed struct {
	With string `mapstructure:"with" help:"The companion."`
	Unit int    `mapstructure:"unit" help:"The segment."`
}

func (p *pulsed) Validate() error { return nil }

func init() {
	for _, name := range []string{"pulsed", "shm"} {
		refclock.Register(refclock.Registration{Name: name, Help: "A driver for tests.", ReferenceID: "FAKE"}, pulsed{}, nil)
	}
}

// TestFeeds: [[feed]] sections are read with their defaults; what cannot be, and two for one target, are refused.
func TestFeeds(t *testing.T) {
	cfg, err := Load(write(t, source+"[[feed]]\npath = \"/run/chrony/a.sock\"\n[[feed]]\nkind = \"shm\"\nunit = 4\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Feeds) != 2 || cfg.Feeds[0].Kind != "sock" || cfg.Feeds[0].MaxErrorSeconds != 0.1 || cfg.Feeds[1].Unit != 4 {
		t.Errorf("%+v", cfg.Feeds)
	}
	for text, want := range map[string]string{
		"[[feed]]\n":                                    `feed[1].path: "" is not an absolute path`,
		"[[feed]]\nkind = \"shm\"\nunits = 1\n":         "unit",
		"[feed]\nkind = \"shm\"\n":                      "feed: may stand more than once",
		strings.Repeat("[[feed]]\nkind = \"shm\"\n", 2): "feed[2].kind: two feeds go to shared memory unit 2",
	} {
		if _, err := Load(write(t, source+text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestFollowsItself: a station that is fed its own time is refused, but for comparing.
func TestFollowsItself(t *testing.T) {
	const read, feed = "[[refclock]]\ndriver = \"shm\"\nunit = 4\n", "[[feed]]\nkind = \"shm\"\nunit = 4\n"
	if _, err := Load(write(t, source+read+feed)); err == nil || !strings.Contains(err.Error(), `feed[1].kind: refclock "shm" reads what this feed writes`) {
		t.Error(err)
	}
	if _, err := Load(write(t, source+read+"compare_only = true\n"+feed)); err != nil {
		t.Error(err)
	}
}

// TestCompanion: a pulse names another source that there is.
func TestCompanion(t *testing.T) {
	pulse := "[[refclock]]\nname = \"pps0\"\ndriver = \"pulsed\"\nwith = \"%\"\n"
	if _, err := Load(write(t, source+strings.Replace(pulse, "%", "fake", 1))); err != nil {
		t.Error(err)
	}
	for _, with := range []string{"gps1", "pps0"} {
		_, err := Load(write(t, source+strings.Replace(pulse, "%", with, 1)))
		if err == nil || !strings.Contains(err.Error(), `refclock "pps0": with: there is no other source called "`+with+`"`) {
			t.Error(err)
		}
	}
}
