package main

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Root may replace /dev/null; a command that writes to it must not.
func TestDevicesAreWrittenToAndNotReplaced(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0) // read and write: opening does not wait for the other side
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	const text = "time_utc\n"
	if err := writeTo(pipe, nil, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(pipe); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Fatalf("the pipe was replaced: %v, %v", info, err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(reader, got); err != nil || string(got) != text {
		t.Errorf("read %q, %v", got, err)
	}
}
