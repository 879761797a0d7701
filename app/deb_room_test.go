//go:build deb && linux

package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// room is a small Debian in a folder, with network interfaces and mounts of its own: nothing that happens in it is seen
// outside, and its ports are free. All its processes are started by one thread, which alone is in there.
type room struct {
	dir string
	do  chan func()
}

// newRoom unpacks a Debian from a tar file.
func newRoom(t *testing.T, tar string) *room {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("only root may make a folder the root of a process; run this test with: make deb-test")
	}
	r := &room{dir: t.TempDir(), do: make(chan func())}
	if out, err := exec.Command("tar", "-xf", tar, "-C", r.dir, "--numeric-owner").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this function, and the mounts with it
		err := r.enter()
		ready <- err
		if err == nil {
			for f := range r.do {
				f()
			}
		}
	}()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(r.do) })
	return r
}

// enter takes the thread into namespaces of its own.
func (r *room) enter() error {
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	for _, m := range [][3]string{{"proc", "proc", ""}, {"devpts", "dev/pts", "newinstance,ptmxmode=0666,mode=0620"}} {
		dir := filepath.Join(r.dir, m[1])
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m[0], dir, m[0], 0, m[2]); err != nil {
			return fmt.Errorf("mount %s: %w", m[0], err)
		}
	}
	// The loopback interface is down in a new network namespace.
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}

// path is where a file of the room lies.
func (r *room) path(name string) string { return filepath.Join(r.dir, name) }

// command makes a command that sees the room as the whole system.
func (r *room) command(t *testing.T, limit time.Duration, words ...string) *exec.Cmd {
	c := commandFor(t, limit, words[0], words[1:]...)
	c.Dir = "/"
	c.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}
	c.SysProcAttr = &syscall.SysProcAttr{Chroot: r.dir}
	return c
}

// start starts a command from the thread that is in the room.
func (r *room) start(c *exec.Cmd) error {
	result := make(chan error)
	r.do <- func() { result <- c.Start() }
	return <-result
}

// run runs a command to its end.
func (r *room) run(t *testing.T, words ...string) result {
	t.Helper()
	c := r.command(t, time.Minute, words...)
	return finish(t, c, func() error {
		if err := r.start(c); err != nil {
			return err
		}
		return c.Wait()
	})
}

// must runs a command that has to succeed and gives what it printed.
func (r *room) must(t *testing.T, words ...string) string {
	t.Helper()
	done := r.run(t, words...)
	if done.code != 0 {
		t.Fatalf("%s: exit code %d\n%s%s", strings.Join(words, " "), done.code, done.stdout, done.stderr)
	}
	return done.stdout
}

// serve starts a station as systemd would: as the service's user, with the one capability that the unit gives it.
func (r *room) serve(t *testing.T, words ...string) *process {
	t.Helper()
	c := r.command(t, 2*time.Minute, words...)
	uid, gid := r.user(t, "timestation")
	c.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	c.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_NET_BIND_SERVICE}
	return startProcess(t, c, func() error { return r.start(c) })
}

// user looks a user up in the room.
func (r *room) user(t *testing.T, name string) (uid, gid uint32) {
	t.Helper()
	if _, err := fmt.Sscan(r.must(t, "/usr/bin/id", "-u", name), &uid); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(r.must(t, "/usr/bin/id", "-g", name), &gid); err != nil {
		t.Fatal(err)
	}
	return uid, gid
}

// files lists what is in the room, without what the package system and user administration keep for themselves.
func (r *room) files(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	err := filepath.WalkDir(r.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, r.dir+"/")
		for _, own := range []string{"proc", "dev", "run", "var/lib/dpkg", "var/log", "var/cache"} {
			if name == own {
				return fs.SkipDir
			}
		}
		if backup, _ := filepath.Match("etc/*-", name); !backup {
			all[name] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// copyIn puts a file into the room.
func (r *room) copyIn(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(r.path(to), content, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// unitLines gives the values of a key in a systemd unit.
func unitLines(t *testing.T, path, key string) (values []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		if value, ok := strings.CutPrefix(string(line), key+"="); ok {
			values = append(values, strings.TrimSpace(value))
		}
	}
	if len(values) == 0 {
		t.Fatalf("%s has no %s=", path, key)
	}
	return values
}
