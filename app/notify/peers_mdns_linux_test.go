//go:build peers

package notify

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"timestation/engine/serve/namespace"
	"timestation/engine/status"
)

// announcing names the variable that has this test's program announce and do nothing else.
const announcing = "TIMESTATION_TEST_ANNOUNCES"

// TestPeersMDNS: Debian's avahi-browse, on another machine of a network of their own, finds the station while it knows the
// time.
func TestPeersMDNS(t *testing.T) {
	if os.Getenv(announcing) != "" {
		announceForTest(t)
		return
	}
	station, listener := namespace.New(t), namespace.New(t)
	namespace.Join(t, station, "wire", listener, "wire")
	station.Run(t, "ip addr add 10.9.0.1/24 dev wire")
	listener.Run(t, "ip addr add 10.9.0.2/24 dev wire")

	browse := &peer{command: exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "testdata/avahi.sh", peersDir(t))}
	browse.command.WaitDelay = time.Second
	browse.command.Stdout, browse.command.Stderr = browse, browse
	if err := listener.Start(browse.command); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(browse.stop)
	await(t, "avahi-daemon", func() bool { return strings.Contains(browse.output(), "Server startup complete") })
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	announcer := &peer{command: exec.Command(program, "-test.run", "^TestPeersMDNS$")}
	announcer.command.Env = append(os.Environ(), announcing+"=1")
	announcer.command.Stdout, announcer.command.Stderr = announcer, announcer
	if err := station.Start(announcer.command); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(announcer.stop)
	look := func() string {
		looks := strings.Split(browse.output(), "== look")
		if len(looks) < 3 {
			return ""
		}
		return looks[len(looks)-2] // the last that is whole
	}
	for what, line := range map[string]string{"NTP": `=;wire;IPv4;Studio;_ntp._udp;local;`, "the page": `=;wire;IPv4;Studio;_http._tcp;local;`} {
		await(t, what, func() bool { return strings.Contains(look(), line) })
	}
	for line := range strings.Lines(look()) {
		if strings.HasPrefix(line, "=") && (!strings.Contains(line, ";10.9.0.1;123;") && !strings.Contains(line, ";10.9.0.1;8123;")) {
			t.Errorf("%s", line)
		}
	}
	await(t, "the end of NTP", func() bool {
		return strings.Contains(look(), "_http._tcp") && !strings.Contains(look(), "_ntp._udp")
	})
}

// announceForTest is a station that knows the time for a while.
func announceForTest(t *testing.T) {
	env := environment()
	env.NTPPort, env.WebPort, env.WebAddress = 123, 8123, "http://10.9.0.1:8123"
	bound := 0.001
	var lost atomic.Bool
	env.Status = func() status.Snapshot {
		if lost.Load() {
			return status.Snapshot{State: status.Unsynchronised}
		}
		s := status.Snapshot{State: status.Synchronised}
		s.MaxErrorSeconds = &bound
		return s
	}
	a := place(t, "mdns", env, func(*mdnsSettings) {}).(Follower)
	const knows, lives = 8 * time.Second, 40 * time.Second
	time.AfterFunc(knows, func() { lost.Store(true) })
	ctx, cancel := context.WithTimeout(t.Context(), lives)
	defer cancel()
	a.Follow(ctx)
}
