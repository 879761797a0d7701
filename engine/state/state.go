// Package state keeps what must survive a power cut in one small JSON file, which is replaced as a whole or not at all.
package state

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// FileName is the file's name in the data folder.
const FileName = "state.json"

// Version is that of the content this program writes. A file of another version is set aside, not guessed at.
const Version = 1

// most bounds what is read: a file that grew beyond is not ours.
const most = 4 << 20

// envelope is the file: the content, and what shows that it is whole.
type envelope struct {
	Version int             `json:"timestation_state"`
	SHA256  string          `json:"sha256"`
	Content json.RawMessage `json:"content"`
}

// Damage says that a file was there and could not be used. It is kept under another name.
type Damage struct {
	// Reason is why, and Aside where it is now; empty when it could not even be renamed.
	Reason error
	Aside  string
}

// Error is one line: what, where, the mend.
func (d *Damage) Error() string {
	if d.Aside == "" {
		return fmt.Sprintf("the state file is damaged and cannot be set aside (%v); look at the data folder's owner and the disk", d.Reason)
	}
	return fmt.Sprintf("the state file was damaged (%v); it is kept as %s, and the station starts without its state", d.Reason, d.Aside)
}

func (d *Damage) Unwrap() error { return d.Reason }

// Load reads the file in folder dir. Where there is none the error is fs.ErrNotExist. A damaged one is renamed, and comes
// as a *Damage.
func Load[T any](dir string) (content T, err error) {
	path := filepath.Join(dir, FileName)
	text, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return content, err
	}
	if err == nil {
		var decoded T
		if err = decode(text, &decoded); err == nil {
			return decoded, nil
		}
	}
	aside, renameErr := setAside(path)
	if renameErr != nil {
		err = fmt.Errorf("%w; %w", err, renameErr)
	}
	return content, &Damage{err, aside}
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.Size() > most:
		return nil, fmt.Errorf("%d bytes is too large", info.Size())
	}
	return os.ReadFile(path)
}

func decode(text []byte, content any) error {
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return err
	}
	switch {
	case e.Version != Version:
		return fmt.Errorf("it is of version %d, this program reads version %d", e.Version, Version)
	case e.SHA256 != sum(e.Content):
		return errors.New("its checksum does not match its content")
	}
	return json.Unmarshal(e.Content, content)
}

// Save replaces the file in folder dir. When it returns without an error the content is on the disk, and whenever the
// power fails either the old file or the new one is there, whole.
func Save(dir string, content any) error {
	file, err := encode(content)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := replace(filepath.Join(dir, FileName), file); err != nil {
		return fmt.Errorf("the state cannot be written: %w; make room on the disk, or correct the folder's owner", err)
	}
	return nil
}

func encode(content any) ([]byte, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	file, err := json.MarshalIndent(envelope{Version, sum(text), text}, "", " ")
	return append(file, '\n'), err
}

// replace writes beside the file, syncs, renames and syncs the folder. There is only ever one such neighbour: what a
// power cut left of it is overwritten.
func replace(path string, text []byte) error {
	const mode = 0o600 // names of people are in it
	beside := path + ".new"
	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	err = cmp.Or(err, f.Close())
	if err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		_ = os.Remove(beside) // the old file stands; what matters is err
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// setAside renames a damaged file to a name that is free.
func setAside(path string) (string, error) {
	for n := 1; n < 1000; n++ {
		aside := fmt.Sprintf("%s.damaged-%d", path, n)
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			if err := os.Rename(path, aside); err != nil {
				return "", err
			}
			return aside, syncFolder(filepath.Dir(path))
		}
	}
	return "", errors.New("too many damaged ones are kept already")
}

// sum is the content's checksum, whatever its white space.
func sum(content []byte) string {
	var compact bytes.Buffer
	if err := json.Compact(&compact, content); err != nil {
		return ""
	}
	digest := sha256.Sum256(compact.Bytes())
	return hex.EncodeToString(digest[:])
}
