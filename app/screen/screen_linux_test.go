package screen

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"timestation/engine/status"
)

// role is the environment variable that makes this test program the display.
const role = "TIMESTATION_TEST_DISPLAY"

func TestMain(m *testing.M) {
	if os.Getenv(role) != "" {
		fmt.Println(os.Getpid()) // it runs
	}
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "stay":
		ctx := Leash(context.Background(), os.Stdin)
		<-ctx.Done()
		os.Exit(0)
	case "close":
		os.Exit(0)
	case "crash":
		panic("the graphics driver")
	case "fill":
		for all := [][]byte{}; ; {
			block := make([]byte, 16<<20)
			for i := 0; i < len(block); i += 4096 {
				block[i] = 1
			}
			all = append(all, block)
			runtime.KeepAlive(all)
		}
	}
}

// wall collects what becomes of a display.
type wall struct {
	mu             sync.Mutex
	starts, raised int
	// said is what the displays wrote: their process numbers.
	said bytes.Buffer
}

func (w *wall) Raise(status.Alert) { w.mu.Lock(); w.raised++; w.mu.Unlock() }
func (w *wall) Clear(_, _ string)  {}

func (w *wall) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said.Write(p)
}

// child plays the roles one after the other, and the last for ever.
func (w *wall) child(roles ...string) Child {
	memory := uint64(256 << 20)
	if underRace { // the race detector maps terabytes
		memory = math.MaxInt64
	}
	return Child{Alerts: w, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Memory: memory, Command: func() *exec.Cmd {
		w.mu.Lock()
		defer w.mu.Unlock()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), role+"="+roles[min(w.starts, len(roles)-1)])
		cmd.Stdout = w
		w.starts++
		return cmd
	}}
}

// wait gives the process number of the display that ran as the n-th.
func (w *wall) wait(t *testing.T, n int) int {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		w.mu.Lock()
		lines := strings.Fields(w.said.String())
		w.mu.Unlock()
		if len(lines) >= n {
			pid, err := strconv.Atoi(lines[n-1])
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatalf("the display did not run %d times", n)
	return 0
}

// TestComesBack: a display that crashes, fills its memory or is killed is started again, and so is one that somebody closes.
func TestComesBack(t *testing.T) {
	w := &wall{}
	began := time.Now()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var done sync.WaitGroup
	roles := []string{"crash", "fill", "close", "stay"}
	if underRace {
		roles[1] = "crash"
	}
	done.Go(func() { w.child(roles...).Run(ctx) })
	w.wait(t, 4)
	stop()
	done.Wait()
	if w.starts != 4 || w.raised != 2 {
		t.Errorf("%d starts, %d alerts", w.starts, w.raised)
	}
	t.Logf("a crash, a full memory and a closed window took %v", time.Since(began).Round(time.Millisecond))
}

func TestKilledAndStopped(t *testing.T) {
	w := &wall{}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.child("stay").Run(ctx)
	}()
	first := w.wait(t, 1)
	killed := time.Now()
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second := w.wait(t, 2)
	t.Logf("started again %v after it was killed", time.Since(killed).Round(time.Millisecond))
	{
		for key, want := range map[string]string{"CapEff": "0000000000000000", "CapPrm": "0000000000000000", "CapAmb": "0000000000000000", "NoNewPrivs": "1"} {
			if got := processStatus(t, second, key); got != want {
				t.Errorf("%s of the display is %s, want %s", key, got, want)
			}
		}
	}
	stop()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the display does not end with the station")
	}
	if err := syscall.Kill(second, 0); err == nil {
		t.Error("the display outlives the station")
	}
}

// processStatus reads a line of proc_pid_status(5), once the process is this program (after its exec).
func processStatus(t *testing.T, pid int, key string) string {
	t.Helper()
	f, err := os.Open(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), key+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
