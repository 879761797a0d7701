//go:build peers

package feed

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"timestation/engine/status"
	"timestation/refclock"
)

// TestPeersFeed lets Debian's chronyd take the station for its reference clock both ways. The model says that this
// machine's clock is 40 ms slow, and so must chronyd.
func TestPeersFeed(t *testing.T) {
	peers := os.Getenv("TIMESTATION_PEERS")
	if peers == "" {
		t.Fatal("TIMESTATION_PEERS names no folder with chronyd; run this test with: make peers")
	}
	const wrong = 40 * time.Millisecond
	unit := 100 + os.Getpid()%100 // nobody else's
	dir := t.TempDir()
	socket := filepath.Join(dir, "feed.sock")
	conf := filepath.Join(dir, "chrony.conf")
	text := fmt.Sprintf(`pidfile %[1]s/pid
cmdport 0
bindcmdaddress /
port 0
logdir %[1]s
log refclocks
refclock SOCK %[2]s refid SOCK poll 0 filter 1
refclock SHM %[3]d:perm=0600 refid SHM poll 0 filter 1
`, dir, socket, unit)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 40*time.Second)
	defer stop()
	// -x: the clock of this machine is never touched. -d: in the foreground. -U and -u: as whoever runs the test.
	chronyd := exec.CommandContext(ctx, filepath.Join(peers, "usr/sbin/chronyd"), "-x", "-d", "-U", "-u", me.Username, "-f", conf)
	printed := &bytes.Buffer{}
	chronyd.Stdout, chronyd.Stderr = printed, printed
	chronyd.Cancel = func() error { return chronyd.Process.Signal(os.Interrupt) }
	chronyd.WaitDelay = 5 * time.Second
	if err := chronyd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if id, err := unix.SysvShmGet(shmKey+unit, 0, 0); err == nil {
			unix.SysvShmCtl(id, unix.IPC_RMID, nil)
		}
	}()

	now := func() refclock.Stamp { return refclock.Stamp(time.Now().UnixNano()) }
	board := &status.Board{}
	publish := func() {
		s, at := synchronised(), now()
		s.Epoch = at
		s.EpochInstant = refclock.UTC{Seconds: int64(at) / 1e9, Nanoseconds: int32(int64(at) % 1e9)}.Instant(37).Add(wrong)
		board.Publish(s)
	}
	alerts := &alertList{standing: map[string]status.Alert{}}
	for _, c := range []Config{{Kind: sock, Path: socket, MaxErrorSeconds: 0.1}, {Kind: shm, Unit: unit, MaxErrorSeconds: 0.1}} {
		go Run(ctx, c, board, now, alerts)
	}
	var offsets map[string][]float64
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(200 * time.Millisecond) {
		publish()
		if offsets = taken(t, filepath.Join(dir, "refclocks.log")); len(offsets["SOCK"]) >= 8 && len(offsets["SHM"]) >= 8 {
			break
		}
	}
	stop()
	chronyd.Wait()
	for _, name := range []string{"SOCK", "SHM"} {
		if len(offsets[name]) < 8 {
			t.Errorf("%s: chronyd took %d samples; it printed:\n%s", name, len(offsets[name]), printed)
		}
		for _, o := range offsets[name] {
			if math.Abs(o-wrong.Seconds()) > 1e-6 {
				t.Errorf("%s: chronyd was told %+.9f s", name, o)
			}
		}
	}
	if !strings.Contains(printed.String(), "Selected source") {
		t.Errorf("chronyd selected neither:\n%s", printed)
	}
	if len(alerts.list()) > 0 {
		t.Error(alerts.list())
	}
	t.Logf("samples that chronyd took: %d by SOCK, %d by SHM", len(offsets["SOCK"]), len(offsets["SHM"]))
}

// taken reads chronyd's log: the raw offsets, by reference ID (chrony.conf(5), "log refclocks"). chronyd's sign is that
// of ours: positive where the local clock is slow.
func taken(t *testing.T, path string) map[string][]float64 {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil // not yet
	}
	all := map[string][]float64{}
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		if len(fields) != 9 || fields[3] == "-" || !strings.HasPrefix(fields[0], "20") { // "-": the filtered ones
			continue
		}
		offset, err := strconv.ParseFloat(fields[6], 64)
		if err != nil {
			t.Errorf("%q: %v", line, err)
		}
		all[fields[2]] = append(all[fields[2]], offset)
	}
	return all
}
