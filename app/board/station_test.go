//go:build board && linux

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"timestation/app/printed"
	"timestation/engine/status"
)

const program = "/usr/bin/timestation"

// The station's user and groups (.ci/board-init).
const (
	uid     = 100
	dialout = 20
	gpio    = 97
)

// capabilities by systemd's names.
var capabilities = map[string]uintptr{
	"CAP_NET_BIND_SERVICE": unix.CAP_NET_BIND_SERVICE, "CAP_SYS_TIME": unix.CAP_SYS_TIME,
	"CAP_NET_ADMIN": unix.CAP_NET_ADMIN, "CAP_BPF": unix.CAP_BPF,
}

// ambient reads what systemd gives the service, from its unit and the drop-ins that are named.
func ambient(t *testing.T, files ...string) (all []uintptr) {
	t.Helper()
	for _, file := range append([]string{"timestation.service"}, files...) {
		text, err := os.ReadFile("/etc/systemd/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			words, is := strings.CutPrefix(strings.TrimSpace(line), "AmbientCapabilities=")
			for _, word := range strings.Fields(words) {
				if c, known := capabilities[word]; is && known {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

// station is a running one.
type station struct {
	name, web, ntp string
	command        *exec.Cmd
	printed        *printed.Text
	ended          chan struct{}
	err            error

	mu   sync.Mutex
	seen map[string]string
}

// addresses of the stations; those of different tests may be the same.
var addresses = map[string]struct{ web, ntp string }{
	"main": {"127.0.0.1:8123", "127.0.0.1:123"}, "radio": {"127.0.0.1:8124", "127.0.0.1:1123"},
	"steered": {"127.0.0.1:8123", "127.0.0.1:123"},
}

// start starts a station as systemd does: as its user, in its groups, with the capabilities of its unit. A name's data
// folder is kept from one start to the next.
func start(t *testing.T, name, config string, caps []uintptr) *station {
	t.Helper()
	at, known := addresses[name]
	if !known {
		t.Fatalf("there are no ports for %q", name)
	}
	s := &station{name: name, web: at.web, ntp: at.ntp, printed: &printed.Text{}, ended: make(chan struct{}), seen: map[string]string{}}
	config += "\n[[listener]]\naddress = \"" + s.ntp + "\"\n[control]\nchrony_address = \"\"\n[web]\nlisten = \"" + s.web + "\"\n"
	path, data := "/etc/timestation/"+name+".toml", filepath.Join("/var/lib/timestation", name)
	if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(data, uid, uid); err != nil {
		t.Fatal(err)
	}
	s.command = exec.Command(program, "run", "--headless", "--config", path, "--data", data)
	s.command.Stdout, s.command.Stderr = s.printed, s.printed
	s.command.Env = []string{"PATH=/bin", "HOME=/var/lib/timestation"}
	s.command.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: uid, Gid: uid, Groups: []uint32{dialout, gpio}},
		AmbientCaps: caps,
	}
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.err = s.command.Wait()
		close(s.ended)
	}()
	go s.follow()
	t.Cleanup(func() {
		s.stop(t)
		if t.Failed() {
			t.Logf("the station %s printed:\n%s", name, s.printed)
		}
	})
	return s
}

// stop ends a station as systemd does.
func (s *station) stop(t *testing.T) {
	t.Helper()
	select {
	case <-s.ended:
	default:
		began := time.Now()
		_ = s.command.Process.Signal(syscall.SIGTERM) // it may just have ended
		select {
		case <-s.ended:
			p := s.command.ProcessState
			t.Logf("%s: ended %v after SIGTERM; it took %v of processor time", s.name, time.Since(began).Round(time.Millisecond),
				(p.UserTime() + p.SystemTime()).Round(time.Millisecond))
		case <-time.After(10 * time.Second):
			_ = s.command.Process.Kill()
			<-s.ended
			t.Errorf("%s did not end within 10 s of SIGTERM", s.name)
		}
	}
	if s.err != nil {
		t.Errorf("%s ended: %v\n%s", s.name, s.err, s.printed)
	}
	s.err = nil // said once
}

// report asks the station; ok is false while it does not answer.
func (s *station) report() (r status.Snapshot, ok bool) {
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get("http://" + s.web + "/api/status")
	if err != nil {
		return r, false
	}
	defer answer.Body.Close()
	return r, json.NewDecoder(answer.Body).Decode(&r) == nil
}

// synchronised tells whether the station claims to know the time.
func (s *station) synchronised() bool {
	r, ok := s.report()
	return ok && r.State == status.Synchronised
}

// source is what the station says of one source.
func (s *station) source(name string) status.Source {
	r, _ := s.report()
	for _, src := range r.Sources {
		if src.Name == name {
			return src
		}
	}
	return status.Source{}
}

// beforeRestart is how the text of an alert of an earlier run begins.
const beforeRestart = "Before the restart"

// alert gives the text of an alert that stands; those of an earlier run stand for a while, too, and do not count.
func (s *station) alert(code, source string) string {
	r, _ := s.report()
	for _, a := range r.Alerts {
		if a.Code == code && (source == "" || a.Source == source) && !strings.HasPrefix(a.Text, beforeRestart) {
			return a.Text
		}
	}
	return ""
}

// follow remembers the states and alerts that the station shows, until it ends: what the scenario lets happen may be over
// when the test comes to ask for it.
func (s *station) follow() {
	for {
		select {
		case <-s.ended:
			return
		case <-time.After(time.Second):
		}
		r, ok := s.report()
		if !ok {
			continue
		}
		s.mu.Lock()
		s.seen[string(r.State)] = r.Reason
		for _, a := range r.Alerts {
			if s.seen[a.Code+" "+a.Source] == "" && !strings.HasPrefix(a.Text, beforeRestart) {
				s.seen[a.Code+" "+a.Source] = a.Text
			}
		}
		s.mu.Unlock()
	}
}

// was gives the text of an alert ("code source") or state that the station has shown, empty where it has not.
func (s *station) was(what string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[what]
}

// said is the status as a person would read it, for messages.
func (s *station) said() string {
	r, ok := s.report()
	if !ok {
		return s.name + " does not answer"
	}
	text, _ := json.Marshal(r)
	return string(text)
}

// instead is what was expected, and what the station says in place of it at the time when it is printed.
func (s *station) instead(expected string) fmt.Stringer { return instead{s, expected} }

type instead struct {
	station  *station
	expected string
}

func (i instead) String() string { return i.expected + ": " + i.station.said() }
