//go:build unix

package access

import (
	"os"
	"path/filepath"
	"syscall"
)

// ownersOnly: files have modes that say who may read them.
const ownersOnly = true

// giveTo gives a new file to the owner of the one that it replaces, or of the folder, so that a station that runs as a
// user of its own can read what root has changed. Only root can do so; for everybody else the file is their own.
func giveTo(f *os.File, replaced string) {
	info, err := os.Stat(replaced)
	if err != nil {
		info, err = os.Stat(filepath.Dir(replaced))
	}
	if err != nil {
		return
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = f.Chown(int(owner.Uid), int(owner.Gid))
	}
}
