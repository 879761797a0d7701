//go:build peers

package notify

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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

	// A broker that hangs costs no more than the time of an attempt, and takes what comes once it is well again.
	if err := server.command.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	short, end := context.WithTimeout(t.Context(), 500*time.Millisecond)
	began := time.Now()
	if _, err := m.Send(short, lostNotice()); err == nil || time.Since(began) > 3*time.Second {
		t.Errorf("a broker that hangs: %v, after %v", err, time.Since(began))
	}
	end()
	if err := server.command.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	await(t, "the broker to be well", func() bool { _, err := m.Send(t.Context(), lostNotice()); return err == nil })

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

// TestPeersMQTTLimits: what a broker finds too long is shortened, and said to be; it does not wait for ever.
func TestPeersMQTTLimits(t *testing.T) {
	t.Parallel()
	root := peersDir(t)
	for _, limit := range []string{"max_packet_size 6000", "message_size_limit 6000"} { // which the client is told, and is not
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			port := freePort(t)
			startPeer(t, filepath.Join(root, "usr/sbin/mosquitto"), "-v", "-c", writeFile(t, filepath.Join(t.TempDir(), "mosquitto.conf"),
				"user root\nallow_anonymous true\nlistener "+port+" 127.0.0.1\n"+limit+"\n"))
			awaitTCP(t, port)
			reader := startPeer(t, filepath.Join(root, "usr/bin/mosquitto_sub"), "-p", port, "-V", "mqttv5", "-t", "+/+/alert", "-v")
			m := place(t, "mqtt", snmpEnvironment(), func(s *mqttSettings) { s.Broker = "mqtt://127.0.0.1:" + port }).(*mqtt)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { m.Follow(ctx); close(done) }()
			defer func() { cancel(); <-done }()
			small := lostNotice()
			await(t, "the broker", func() bool { _, err := m.Send(ctx, small); return err == nil })
			summary := Notice{ID: "many", Kind: Summary, Station: "Studio"}
			for i := range 60 {
				part := lostNotice()
				part.Alert.Code = fmt.Sprintf("part-%d", i)
				summary.Parts = append(summary.Parts, part)
			}
			await(t, "the summary to be taken", func() bool {
				attempt, stop := context.WithTimeout(ctx, 2*time.Second)
				defer stop()
				_, err := m.Send(attempt, summary)
				return err == nil
			})
			await(t, "the summary", func() bool { return strings.Contains(reader.output(), `"id":"many"`) })
			if text := last(reader.output(), "timestation/studio/alert"); !strings.Contains(text, `"part-59"`) || strings.Contains(text, `"part-0"`) ||
				!strings.Contains(text, `"omitted":`) {
				t.Errorf("it is %s", text)
			}
			long := lostNotice()
			long.Alert.Text = strings.Repeat("long ", 5000)
			await(t, "what cannot be shortened to be refused", func() bool {
				attempt, stop := context.WithTimeout(ctx, 2*time.Second)
				defer stop()
				_, err := m.Send(attempt, long)
				return errors.Is(err, ErrRefused)
			})
			await(t, "the next one", func() bool { _, err := m.Send(ctx, small); return err == nil })
		})
	}
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
