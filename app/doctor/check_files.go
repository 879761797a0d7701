package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"timestation/engine/ntp"
)

// shown are the libraries that matter when something is reported.
var shown = []string{"fyne.io/fyne/v2", "go.bug.st/serial", "github.com/adrianmo/go-nmea", "modernc.org/sqlite"}

func program(m *Machine) []Finding {
	text := "built with " + m.Go
	for _, l := range m.Libraries {
		for _, path := range shown {
			if l.Path == path {
				text += ", " + strings.TrimSuffix(strings.TrimPrefix(path, "github.com/"), "/v2") + " " + l.Version
			}
		}
	}
	found := []Finding{ok("%s", text)}
	if m.Superuser {
		found = append(found, note("run doctor as the user who will run the station, as in: sudo -u USER "+m.Executable+" doctor",
			"these are the findings for root, who may do everything"))
	}
	return found
}

func configuration(m *Machine) []Finding {
	switch {
	case m.ConfigError != nil:
		return []Finding{problem("", "%v", m.ConfigError)}
	case m.Config == nil:
		return []Finding{note("timestation init writes one; timestation demo needs none", "there is no configuration")}
	}
	return []Finding{ok("%s: %s, %s", m.ConfigPath, count(len(m.Config.Refclocks), "source"),
		count(len(m.Config.Listeners), "NTP listener"))}
}

func keys(m *Machine) (found []Finding) {
	if m.Config == nil {
		return nil
	}
	for _, l := range m.Config.Listeners {
		if l.Keys != "" {
			found = append(found, m.keyFile(l.Keys))
		}
	}
	return found
}

func (m *Machine) keyFile(path string) Finding {
	info, err := os.Stat(m.path(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return problem("timestation init --output FOLDER/timestation.toml makes one; or take keys out of [[listener]]",
			"%s: there is no such key file", path)
	case err == nil && m.OS != "windows" && info.Mode()&0o066 != 0:
		return problem("chmod 600 "+path, "%s: others may read or change the keys (mode %#o)", path, info.Mode().Perm())
	case err != nil || m.Access(m.path(path), false) != nil:
		return problem(fmt.Sprintf("sudo chown %s %s", m.who(), path), "%s: %s may not read the keys", path, m.who())
	}
	text, err := os.Open(m.path(path))
	if err != nil {
		return problem("", "%s: cannot be read: %v", path, err)
	}
	defer text.Close()
	all, err := ntp.ParseKeys(text)
	if err != nil {
		return problem("", "%s: %v", path, err)
	}
	return ok("%s: %s", path, count(len(all), "key"))
}

// leastFree is the room the log must have, in bytes: its write-ahead log and some weeks of rows.
const leastFree = 64 << 20

func dataFolder(m *Machine) (found []Finding) {
	if m.DataFolder == "" {
		return nil
	}
	// The station makes its folder itself, if the one above lets it.
	folder := m.DataFolder
	for !m.exists(folder) && filepath.Dir(folder) != folder {
		folder = filepath.Dir(folder)
	}
	if err := m.TryWrite(m.path(folder)); err != nil {
		reason := err
		var path *fs.PathError
		if errors.As(err, &path) {
			reason = path.Err
		}
		return []Finding{problem(fmt.Sprintf("sudo install -d -o %s %s, or another folder with --data", m.who(), m.DataFolder),
			"%s: the log cannot be written there: %v", m.DataFolder, reason)}
	}
	free, err := m.FreeBytes(m.path(folder))
	switch {
	case err != nil:
		return []Finding{ok("%s: may be written", m.DataFolder)}
	case free < leastFree:
		return []Finding{problem("make room there, or choose another folder with --data",
			"%s: only %d MB are free, the log wants %d", m.DataFolder, free>>20, leastFree>>20)}
	}
	return []Finding{ok("%s: may be written, %d MB are free", m.DataFolder, free>>20)}
}

// leapNotice is how long before the leap table's end it is worth a word: the next table has then been out for months,
// and there is still time to install it.
const leapNotice = 45 * 24 * time.Hour

func leapTable(m *Machine) []Finding {
	if m.LeapExpiry.IsZero() {
		return nil
	}
	end := m.LeapExpiry.Format(time.DateOnly)
	const mend = "install a newer timestation"
	switch {
	case m.Today.Year() < 2026: // before this program was written
		return []Finding{note("", "the table of leap seconds runs to %s; this machine's clock says %s, so whether that is past cannot be said",
			end, m.Today.Format(time.DateOnly))}
	case m.Today.After(m.LeapExpiry):
		return []Finding{note(mend, "the table of leap seconds ended on %s: one that was announced since is not known", end)}
	case m.Today.Add(leapNotice).After(m.LeapExpiry):
		return []Finding{note(mend, "the table of leap seconds ends soon, on %s", end)}
	}
	return []Finding{ok("the table of leap seconds runs to %s", end)}
}

func screen(m *Machine) []Finding {
	display := m.OS == "windows" || m.OS == "darwin" || m.Getenv("DISPLAY") != "" || m.Getenv("WAYLAND_DISPLAY") != ""
	switch {
	case !m.Windowed:
		return []Finding{ok("this program was built without a display and runs headless")}
	case !display:
		return []Finding{note("start it in the desktop's session, or set DISPLAY (on a Pi with a desktop: DISPLAY=:0)",
			"this session has no screen: the station will run headless")}
	}
	return []Finding{ok("this session has a screen")}
}
