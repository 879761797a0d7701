package nts

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// keptKeys is how many master keys are known at a time: the newest makes cookies, the others still open theirs.
	keptKeys = 4
	// RotationHours is how long a master key makes cookies; each is opened for three times as long after that. RFC 8915,
	// section 6, suggests a day.
	RotationHours = 24

	jarVersion   = 1
	masterKeyLen = 32
)

// masterKey seals cookies, by AES-SIV-CMAC-256. Hours counts how long it has been the newest while a program ran: the
// station's clock may say 1970, so rotation goes by what was lived through, not by dates.
type masterKey struct {
	ID    uint32 `json:"id"`
	Hours int    `json:"hours"`
	Key   string `json:"key"`

	secret []byte
}

// String keeps the secret out of logs.
func (k masterKey) String() string { return fmt.Sprintf("master key %d", k.ID) }

// GoString is String.
func (k masterKey) GoString() string { return k.String() }

// jarFile is the file that a Jar is kept in.
type jarFile struct {
	Version int         `json:"version"`
	Keys    []masterKey `json:"keys"` // oldest first
}

// Jar holds the master keys under which a server's cookies are sealed. They are kept in a file, so that the cookies that
// clients hold stay good when the server starts anew. It may be used from any goroutine.
type Jar struct {
	path string
	mu   sync.Mutex // one change at a time
	keys atomic.Pointer[[]masterKey]
}

// OpenJar reads the file of a jar, or makes one with mode 0600. Without a path the keys live as long as the program. The
// error is one line: the file, the reason, the mend.
func OpenJar(path string) (*Jar, error) {
	j := &Jar{path: path}
	keys, err := readJar(path)
	if err != nil {
		return nil, err
	}
	j.keys.Store(&keys)
	if len(keys) == 0 {
		return j, j.Rotate()
	}
	return j, nil
}

// Rotate makes a new master key for the cookies from now on, and forgets the oldest.
func (j *Jar) Rotate() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	old := *j.keys.Load()
	key := masterKey{ID: 1, secret: make([]byte, masterKeyLen)}
	if len(old) > 0 {
		key.ID = old[len(old)-1].ID + 1
	}
	rand.Read(key.secret)
	key.Key = hex.EncodeToString(key.secret)
	keys := append(slices.Clone(old), key)
	return j.replace(keys[max(0, len(keys)-keptKeys):])
}

// Run counts the hours and rotates when they are full, until ctx ends. How writing the file went, nil for
// well, is given to report each hour; the keys in memory are in force all the same.
func (j *Jar) Run(ctx context.Context, report func(error)) {
	hour := time.NewTicker(time.Hour)
	defer hour.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hour.C:
			report(j.age())
		}
	}
}

// age adds an hour.
func (j *Jar) age() error {
	j.mu.Lock()
	keys := slices.Clone(*j.keys.Load())
	newest := &keys[len(keys)-1]
	newest.Hours++
	full := newest.Hours >= RotationHours
	err := j.replace(keys)
	j.mu.Unlock()
	if full {
		return errors.Join(err, j.Rotate())
	}
	return err
}

// replace puts new keys into force and into the file; j.mu is held.
func (j *Jar) replace(keys []masterKey) error {
	j.keys.Store(&keys)
	if j.path == "" {
		return nil
	}
	text, err := json.MarshalIndent(jarFile{jarVersion, keys}, "", "\t")
	if err != nil {
		return err
	}
	if err := writeFile(j.path, append(text, '\n')); err != nil {
		return fmt.Errorf("the NTS master keys cannot be kept: %w; clients will have to establish new keys after a restart", err)
	}
	return nil
}

// writeFile replaces a file as a whole; only its owner may read it.
func writeFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // CreateTemp makes it 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// readJar gives no keys where there is no file yet.
func readJar(path string) ([]masterKey, error) {
	if path == "" {
		return nil, nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the NTS master keys: %w", err)
	}
	if mode := info.Mode(); runtime.GOOS != "windows" && mode&0o066 != 0 {
		return nil, fmt.Errorf("%s is open to group or others (mode %#o), and the NTS master keys in it may be known; remove it",
			path, mode.Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the NTS master keys: %w", err)
	}
	keys, err := parseJar(text)
	if err != nil {
		return nil, fmt.Errorf("%s is no file of NTS master keys (%w); remove it, and a new one is made", path, err)
	}
	return keys, nil
}

func parseJar(text []byte) ([]masterKey, error) {
	var file jarFile
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	if file.Version != jarVersion {
		return nil, fmt.Errorf("its version is %d, and %d is known here", file.Version, jarVersion)
	}
	if n := len(file.Keys); n == 0 || n > keptKeys {
		return nil, fmt.Errorf("it holds %d keys", n)
	}
	for i := range file.Keys {
		key := &file.Keys[i]
		secret, err := hex.DecodeString(key.Key)
		if err != nil || len(secret) != masterKeyLen || i > 0 && key.ID != file.Keys[i-1].ID+1 {
			return nil, fmt.Errorf("key %d is malformed", i+1)
		}
		key.secret = secret
	}
	return file.Keys, nil
}
