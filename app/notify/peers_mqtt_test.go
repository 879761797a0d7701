//go:build peers

package notify

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPeersMQTT: Debian's mosquitto, with a user and a password, and its subscriber judge the client; the will says when
// the station is gone.
func TestPeersMQTT(t *testing.T) {
	t.Parallel()
	root, dir := peersDir(t), t.TempDir()
	port, secure := freePort(t), freePort(t)
	pair, key := pairFiles(t)
	passwords := filepath.Join(dir, "passwords")
	if out, err := exec.Command(filepath.Join(root, "usr/bin/mosquitto_passwd"), "-b", "-c", passwords, "time", "hunter2").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	config := writeFile(t, filepath.Join(dir, "mosquitto.conf"), fmt.Sprintf("user root\npassword_file %s\nallow_anonymous false\nlistener %s 127.0.0.1\n"+
		"listener %s 127.0.0.1\ncertfile %s\nkeyfile %s\n", passwords, port, secure, pair, key))
	start := func() *peer {
		server := startPeer(t, filepath.Join(root, "usr/sbin/mosquitto"), "-c", config, "-v")
		awaitTCP(t, port)
		return server
	}
	server := start()
	subscribe := func() *peer {
		return startPeer(t, filepath.Join(root, "usr/bin/mosquitto_sub"), "-h", "127.0.0.1", "-p", port, "-u", "time", "-P", "hunter2", "-V", "mqttv5",
			"-t", "#", "-v")
	}
	reader := subscribe()
	m := place(t, "mqtt", snmpEnvironment(), func(s *mqttSettings) {
		s.Broker, s.CAFile, s.User, s.PasswordFile = "mqtts://127.0.0.1:"+secure, pair, "time", secretFile(t, "hunter2")
	}).(*mqtt)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { m.Follow(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	for _, text := range []string{
		"timestation/studio/availability online", `timestation/studio/state {"state":"synchronised","time_valid":"ON","problem":"OFF"`,
		`homeassistant/binary_sensor/studio/time_valid/config {"availability_topic":"timestation/studio/availability"`,
		`homeassistant/sensor/studio/max_error_seconds/config {`,
	} {
		await(t, text, func() bool { return strings.Contains(reader.output(), text) })
	}
	if answer := send(t, m, lostNotice()); answer != "taken by the broker" {
		t.Errorf("answered %q", answer)
	}
	await(t, "the alert", func() bool {
		return strings.Contains(reader.output(), `timestation/studio/alert {"id":"a1b2c3d4-7","kind":"raised"`)
	})

	stranger := place(t, "mqtt", snmpEnvironment(), func(s *mqttSettings) {
		s.Broker, s.User, s.PasswordFile, s.Topic = "mqtt://127.0.0.1:"+port, "time", secretFile(t, "hunter3"), "stranger"
	}).(*mqtt)
	strange, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() { stranger.Follow(strange); close(left) }()
	await(t, "a wrong password to be refused", func() bool {
		_, err := stranger.Send(t.Context(), lostNotice())
		return err != nil && strings.Contains(err.Error(), "135") // not authorised
	})
	leave()
	<-left

	server.stop()
	await(t, "the end of the broker to be noticed", func() bool { _, err := m.Send(t.Context(), lostNotice()); return err != nil })
	start()
	reader = subscribe()
	await(t, "the broker to be back", func() bool { _, err := m.Send(t.Context(), lostNotice()); return err == nil })
	await(t, "availability", func() bool { return strings.Contains(reader.output(), "timestation/studio/availability online") })
	m.connection.TerminateConnectionForTest()
	await(t, "the will", func() bool { return strings.Contains(reader.output(), "timestation/studio/availability offline") })
	await(t, "the return", func() bool {
		return strings.HasSuffix(strings.TrimSpace(last(reader.output(), "timestation/studio/availability")), "online")
	})
	cancel()
	<-done
	await(t, "the parting word", func() bool {
		return strings.HasSuffix(strings.TrimSpace(last(reader.output(), "timestation/studio/availability")), "offline")
	})
}

// last is the last line that begins with a word.
func last(text, word string) (found string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, word) {
			found = line
		}
	}
	return found
}
