//go:build peers

package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"timestation/engine/status"
)

// startJournal runs systemd-journald in a namespace in which it has a /run of its own, whoever is the machine's init, and
// keeps its sockets and files in a folder. It hears neither the kernel nor the machine.
func startJournal(t *testing.T, dir string) *peer {
	t.Helper()
	const inside = `mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log/journal &&
		printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nRateLimitBurst=0\n' >/run/systemd/journald.conf.d/own.conf &&
		mount --bind "$1/sockets" /run/systemd/journal && mount --bind "$1/files" /run/log/journal && exec /lib/systemd/systemd-journald`
	args := []string{"--mount", "--propagation", "private"}
	if os.Geteuid() != 0 {
		args = append(args, "--map-root-user")
	}
	socket := filepath.Join(dir, "sockets/socket")
	_ = os.Remove(socket) // of one that ended
	p := startPeer(t, "unshare", append(args, "sh", "-c", inside, "sh", dir)...)
	await(t, "the journal's socket", func() bool {
		_, err := os.Stat(socket)
		return err == nil
	})
	return p
}

// journalEntries asks journalctl for the entries of a kind, oldest first.
func journalEntries(t *testing.T, dir, match string) (entries []map[string]any) {
	t.Helper()
	text, err := exec.Command("journalctl", "--directory", filepath.Join(dir, "files"), "--output", "json", "--quiet", "--no-pager", match).Output()
	if err != nil {
		return nil // it has written nothing yet
	}
	for line := range bytes.Lines(text) {
		var e map[string]any
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		entries = append(entries, e)
	}
	return entries
}

// TestPeersJournal: systemd's own journal takes the notices, and journalctl finds them by their fields.
func TestPeersJournal(t *testing.T) {
	t.Parallel()
	peersDir(t)
	dir := t.TempDir()
	for _, name := range []string{"sockets", "files"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	journal := startJournal(t, dir)
	sink := place(t, "journal", environment(), func(s *journalSettings) { s.Socket = filepath.Join(dir, "sockets/socket") }).(Sink)
	entries := func(match string, n int) []map[string]any {
		t.Helper()
		var all []map[string]any
		await(t, match, func() bool { all = journalEntries(t, dir, match); return len(all) >= n })
		if len(all) != n {
			t.Fatalf("%s: %d entries, want %d", match, len(all), n)
		}
		return all
	}

	n := lostNotice()
	n.Alert.Text = "gps0 ist weg.\nDie zweite Zeile: µs, €."
	send(t, sink, n)
	got := entries("TIMESTATION_CODE="+n.Alert.Code, 1)[0]
	for field, want := range map[string]string{
		"MESSAGE": english.headline(n) + ": " + n.Alert.Text, "PRIORITY": "4", "SYSLOG_IDENTIFIER": application, "TIMESTATION_ID": n.ID,
		"TIMESTATION_KIND": "raised", "TIMESTATION_SOURCE": n.Alert.Source, "TIMESTATION_SEVERITY": "warning",
		"TIMESTATION_STATION": n.Station, "TIMESTATION_MEND": n.Alert.Mend, "TIMESTATION_AT": n.At.String(), "_TRANSPORT": "journal",
	} {
		if got[field] != want {
			t.Errorf("%s is %q, want %q", field, got[field], want)
		}
	}

	over := lostNotice()
	over.Kind, over.ID = Cleared, "over"
	worse := lostNotice()
	worse.Alert.Severity, worse.ID = status.Critical, "worse"
	send(t, sink, Notice{Kind: Summary, ID: "both", Parts: []Notice{over, worse}})
	if a, b := entries("TIMESTATION_ID=over", 1)[0], entries("TIMESTATION_ID=worse", 1)[0]; a["PRIORITY"] != "5" || b["PRIORITY"] != "2" {
		t.Errorf("priorities %v and %v", a["PRIORITY"], b["PRIORITY"])
	}

	// A journal that hangs fills its socket; what finds no room is an error within its time, and not lost in silence.
	if err := journal.command.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	taken, began := 0, time.Now()
	for ; ; taken++ {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		n := lostNotice()
		n.Alert.Code = "slow"
		_, err := sink.Send(ctx, n)
		cancel()
		if err != nil {
			break
		}
		if taken > 10000 {
			t.Fatal("a journal that reads nothing takes everything")
		}
	}
	if time.Since(began) > 5*time.Second {
		t.Errorf("that took %v", time.Since(began))
	}
	if err := journal.command.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	entries("TIMESTATION_CODE=slow", taken)

	journal.stop()
	if _, err := sink.Send(t.Context(), lostNotice()); err == nil || !strings.Contains(err.Error(), "systemd") {
		t.Errorf("without a journal: %v", err)
	}
	startJournal(t, dir)
	again := lostNotice()
	again.ID = "again"
	send(t, sink, again)
	entries("TIMESTATION_ID=again", 1)
}
