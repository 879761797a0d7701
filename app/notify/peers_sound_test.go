//go:build peers

package notify

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"timestation/engine/status"
)

// TestPeersSound: Debian's aplay plays the gong, on a sound card that writes what it hears into a file.
func TestPeersSound(t *testing.T) {
	root, dir := peersDir(t), t.TempDir()
	heard := filepath.Join(dir, "heard.raw")
	t.Setenv("ALSA_CONFIG_PATH", writeFile(t, filepath.Join(dir, "alsa.conf"),
		`pcm.nothing { type null }
pcm.card { type file slave.pcm nothing file "`+heard+`" format raw }
`))
	sink := func(card string) Sink {
		return place(t, "sound", environment(), func(s *soundSettings) {
			s.Command = []string{filepath.Join(root, "usr/bin/aplay"), "-D", card}
		}).(Sink)
	}
	n := lostNotice()
	n.Alert.Severity = status.Critical
	if answer := send(t, sink("card"), n); !strings.Contains(answer, "Signed 16 bit Little Endian, Rate 22050 Hz, Mono") {
		t.Errorf("aplay says %q", answer)
	}
	const header = 44 // octets of a WAV before its samples
	if samples, err := os.ReadFile(heard); err != nil || !bytes.HasPrefix(samples, gong(3)[header:]) {
		t.Errorf("the card has heard %d octets, of %d: %v", len(samples), len(gong(3))-header, err)
	}
	if answer, err := sink("away").Send(t.Context(), n); err == nil || !strings.Contains(err.Error(), "away") {
		t.Errorf("without a card: %q, %v", answer, err)
	}
}
