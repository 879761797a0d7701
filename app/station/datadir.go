package station

import (
	"os"
	"path/filepath"
)

// systemDataDir is where a package's service keeps its data.
const systemDataDir = "/var/lib/timestation"

// DataDir is where the logbook lies: the given folder, else the system's where it may be written to or already holds a
// log, else the user's own.
func DataDir(given string) string {
	if given != "" {
		return given
	}
	if os.Geteuid() == 0 || writable(systemDataDir) {
		return systemDataDir
	}
	own := os.Getenv("XDG_STATE_HOME")
	if own == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return systemDataDir
		}
		own = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(own, "timestation")
}

func writable(dir string) bool {
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return false
	}
	f.Close()
	return os.Remove(f.Name()) == nil
}
