// Package keys looks after what the NTP server and its clients authenticate each other by: the file of symmetric keys,
// and certificates of a private authority for NTS.
package keys

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"timestation/engine/ntp"
)

// File is a key file as it was read. Add and Retire change it in memory, Save on disk; what else is in it, such as
// comments, stays as it is.
type File struct {
	path  string
	lines []string
	keys  []ntp.Key
}

// Open reads a key file. One that is not there is empty, if its folder is there.
func Open(path string) (*File, error) {
	// A link stays a link: what it leads to is replaced.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	f := &File{path: path}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return nil, fmt.Errorf("%s: there is no such folder; make it with: mkdir -p %s", path, filepath.Dir(path))
		}
		return f, nil
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file; name the key file", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, readError(path, err)
	}
	if f.keys, err = ntp.ParseKeys(bytes.NewReader(text)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.lines = strings.SplitAfter(string(text), "\n")
	if last := len(f.lines) - 1; f.lines[last] == "" {
		f.lines = f.lines[:last]
	} else {
		f.lines[last] += "\n"
	}
	return f, nil
}

func readError(path string, err error) error {
	var wrapped *fs.PathError
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s: permission denied; use sudo", path)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// Path is where the file is, links followed.
func (f *File) Path() string { return f.path }

// Keys are in the order of the file.
func (f *File) Keys() []ntp.Key { return f.keys }

// Exposed reports whether group or others may read or write the file, so that the server refuses it.
func (f *File) Exposed() bool {
	info, err := os.Stat(f.path)
	return err == nil && runtime.GOOS != "windows" && info.Mode()&0o066 != 0
}

// Has reports whether there is a key of that number.
func (f *File) Has(id uint32) bool {
	return slices.ContainsFunc(f.keys, func(k ntp.Key) bool { return k.ID == id })
}

// Next is the number after the greatest, or the first that is free where there is none after it.
func (f *File) Next() (id uint32) {
	for _, k := range f.keys {
		id = max(id, k.ID)
	}
	for id++; id == 0 || f.Has(id); id++ {
	}
	return id
}

// Add appends a key, in chrony's syntax.
func (f *File) Add(k ntp.Key) {
	f.keys = append(f.keys, k)
	f.lines = append(f.lines, ChronyLine(k)+"\n")
}

// Retire takes out the keys of these numbers.
func (f *File) Retire(ids ...uint32) {
	f.keys = slices.DeleteFunc(f.keys, func(k ntp.Key) bool { return slices.Contains(ids, k.ID) })
	f.lines = slices.DeleteFunc(f.lines, func(line string) bool {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			return false
		}
		id, err := strconv.ParseUint(fields[0], 10, 32)
		return err == nil && slices.Contains(ids, uint32(id))
	})
}

// Save replaces the file at once by one that only its owner can read.
func (f *File) Save() error {
	text := strings.Join(f.lines, "")
	if _, err := ntp.ParseKeys(strings.NewReader(text)); err != nil {
		return fmt.Errorf("%s: would not be read again (%w); it is left as it is", f.path, err)
	}
	return replace(f.path, 0o600, []byte(text))
}

// replace writes a file beside and renames it, so that nobody ever reads half of it, and a full disk leaves the old one.
func replace(path string, mode fs.FileMode, content []byte) error {
	part, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return writeError(path, err)
	}
	_, err = part.Write(content)
	err = errors.Join(err, part.Chmod(mode), part.Sync(), part.Close())
	if err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		os.Remove(part.Name())
		return writeError(path, err)
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil { // so that the new name survives a power cut
		dir.Sync()
		dir.Close()
	}
	return nil
}

func writeError(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s: permission denied; use sudo, or name another place", path)
	}
	return fmt.Errorf("%s: cannot be written: %w", path, err)
}
