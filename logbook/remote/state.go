package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// StateFile is the name of the file in the data folder that says what was sent.
const StateFile = "remote.json"

// state is what must survive a restart.
type state struct {
	// URL is the storage that it is about: another one is sent the whole log.
	URL string `json:"url"`
	// Row is the number of the last row of the log that is done with: taken, refused for good, or without a time.
	Row int64 `json:"row"`
	// Sending is the number of the last row of the request that is under way. It is saved before the request is sent, so
	// that after a power cut or a lost answer the same rows are sent again and none beside them: a storage that has them
	// may refuse the request as a whole.
	Sending int64 `json:"sending"`
	// SentRows and RefusedRows count those that were taken and refused for good, since Row was 0.
	SentRows    uint64 `json:"sent_rows"`
	RefusedRows uint64 `json:"refused_rows"`
}

// load gives what was saved for the storage at url. A file that cannot be read is as none, and the error says why.
func load(dir, url string) (state, error) {
	path := filepath.Join(dir, StateFile)
	fresh := state{URL: url}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	} else if err != nil {
		return fresh, err
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil || s.Row < 0 || s.Sending < s.Row {
		return fresh, fmt.Errorf("%s: not what this program wrote (%v)", path, err)
	}
	if s.URL != url {
		return fresh, nil
	}
	return s, nil
}

// save replaces the file: after a power cut it is the old one or the new one.
func (s state) save(dir string) (err error) {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, StateFile+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, StateFile))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
