//go:build peers || deb

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"timestation/app/printed"
	"timestation/app/web"
)

// synchroniseWithin is how long after its start a demonstration may take to know the time.
const synchroniseWithin = time.Minute

// buildProgram builds the headless station as a user would and gives its path.
func buildProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "timestation")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "headless", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// needPorts fails the test with a clear word if the demonstration's ports are taken: then it would ask somebody else.
func needPorts(t *testing.T) {
	t.Helper()
	for _, address := range demoAddresses {
		c, err := net.ListenPacket("udp", address)
		if err != nil {
			t.Fatalf("UDP %s cannot be opened (%v): is a demonstration running? Stop it and try again", address, err)
		}
		c.Close()
	}
	address := strings.TrimPrefix(standardStation, "http://")
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("TCP %s cannot be opened (%v): is a station running? Stop it and try again", address, err)
	}
	l.Close()
}

// process is a station that the test started.
type process struct {
	command *exec.Cmd
	began   time.Time
	printed printed.Text
	ended   chan struct{} // closed when it is gone
	err     error         // as Wait gave it, once ended
}

// startProcess starts a command and sees to its end with the test's. start is command.Start, or what stands for it.
func startProcess(t *testing.T, command *exec.Cmd, start func() error) *process {
	t.Helper()
	p := &process{command: command, began: time.Now(), ended: make(chan struct{})}
	command.Stdout, command.Stderr = &p.printed, &p.printed
	if err := start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		command.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("the station printed:\n%s", p.printed.String())
		}
	})
	return p
}

// stop sends SIGTERM and says how long the program took to end.
func (p *process) stop(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("SIGTERM: %v; the station printed:\n%s", err, p.printed.String())
	}
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		t.Fatal("10 s after SIGTERM the station still runs")
	}
	if p.err != nil {
		t.Errorf("after SIGTERM the station ended with: %v", p.err)
	}
	return time.Since(began)
}

// awaitHealthy waits until /healthz says that the station knows the time.
func (p *process) awaitHealthy(t *testing.T) {
	t.Helper()
	last := errors.New("it was never asked")
	for time.Since(p.began) < synchroniseWithin {
		select {
		case <-p.ended:
			t.Fatalf("the station ended by itself: %v", p.err)
		case <-time.After(200 * time.Millisecond):
		}
		if _, last = get(t, "/healthz"); last == nil {
			t.Logf("synchronised %.1f s after the start", time.Since(p.began).Seconds())
			return
		}
	}
	t.Fatalf("not synchronised within %v of the start: %v", synchroniseWithin, last)
}

// get asks the station's web page; any answer but 200 is an error.
func get(t *testing.T, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, standardStation+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(answer.Body); err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", answer.Status, strings.TrimSpace(body.String()))
	}
	return body.Bytes(), nil
}

// boundOf is the error bound that a station states; it must state one.
func boundOf(t *testing.T, r web.Report) float64 {
	t.Helper()
	if r.MaxErrorSeconds == nil {
		t.Fatalf("the station states no error bound: %s, %s", r.State, r.Reason)
	}
	return *r.MaxErrorSeconds
}

// report is the station's snapshot.
func report(t *testing.T) (r web.Report) {
	t.Helper()
	body, err := get(t, "/api/status")
	if err == nil {
		err = json.Unmarshal(body, &r)
	}
	if err != nil {
		t.Fatalf("/api/status: %v", err)
	}
	return r
}

// result is what a finished command left.
type result struct {
	code           int
	stdout, stderr string
}

// finish runs a command to its end, in no more than 20 s.
func finish(t *testing.T, command *exec.Cmd, run func() error) (r result) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", command.Args, err)
	}
	return result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// commandFor makes a command that cannot outlive its time.
func commandFor(t *testing.T, limit time.Duration, name string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, name, args...)
}

// ask runs the program with a command that ends by itself.
func ask(t *testing.T, program string, args ...string) result {
	t.Helper()
	c := commandFor(t, 20*time.Second, program, args...)
	return finish(t, c, c.Run)
}
