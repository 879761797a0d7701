package nts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Cookies stay good over a restart and over the rotations that are promised, and no longer.
func TestCookiesOutliveRestartAndRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nts.json")
	jar, err := OpenJar(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	keys := bytes.Repeat([]byte{9}, 64)
	cookie := newBaker(jar).bake(nil, keys)
	running := newBaker(jar)
	for rotations := range keptKeys + 2 {
		again, err := OpenJar(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, b := range map[string]*baker{"running": running, "started anew": newBaker(again)} {
			got, err := b.eat(nil, cookie)
			if known := err == nil && bytes.Equal(got, keys); known != (rotations < keptKeys) {
				t.Errorf("%s: after %d rotations: %v", name, rotations, err)
			}
		}
		if err := jar.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("files were left behind: %v", files)
	}
}

// A day of running rotates, though nobody ever runs for a day and nobody knows the date.
func TestRotationCountsHoursOfRunning(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nts.json")
	for run := range 10 {
		synctest.Test(t, func(t *testing.T) {
			jar, err := OpenJar(path)
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithTimeout(t.Context(), 6*time.Hour+time.Minute)
			defer stop()
			jar.Run(ctx, func(err error) {
				if err != nil {
					t.Error(err)
				}
			})
			keys := *jar.keys.Load()
			if newest, want := keys[len(keys)-1].ID, uint32(1+(run+1)*6/RotationHours); newest != want {
				t.Errorf("after %d runs of 6 hours the newest key is %d, want %d", run+1, newest, want)
			}
		})
	}
}

func TestJarFilesThatAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nts.json")
	key := strings.Repeat("ab", masterKeyLen)
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"open to the group":  {`{"version":1,"keys":[{"id":1,"key":"` + key + `"}]}`, 0o640, "is open to group or others"},
		"nothing in it":      {"", 0o600, "remove it"},
		"of a later version": {`{"version":2}`, 0o600, "version is 2"},
		"no keys":            {`{"version":1,"keys":[]}`, 0o600, "holds 0 keys"},
		"a short key":        {`{"version":1,"keys":[{"id":1,"key":"abcd"}]}`, 0o600, "key 1 is malformed"},
		"a gap":              {`{"version":1,"keys":[{"id":1,"key":"` + key + `"},{"id":3,"key":"` + key + `"}]}`, 0o600, "key 2 is malformed"},
	} {
		if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := OpenJar(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenJar(filepath.Join(t.TempDir(), "missing", "nts.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
}

func TestMasterKeysAreNotPrinted(t *testing.T) {
	jar := newJar(t)
	key := (*jar.keys.Load())[0]
	if text := fmt.Sprintf("%v %+v %#v", key, *jar.keys.Load(), key); strings.Contains(text, key.Key) {
		t.Error(text)
	}
}
