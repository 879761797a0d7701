//go:build peers

package notify

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"timestation/engine/status"
)

// snmpEnvironment is a synchronised station with two sources.
func snmpEnvironment() Environment {
	env := environment()
	bound := 0.000123456
	env.Status = func() status.Snapshot {
		s := status.Snapshot{State: status.Synchronised, Stratum: 1, Selected: "gps0", Leap: "insert", LeapAt: &epoch,
			Sources: []status.Source{
				{Name: "gps0", Driver: "gps", OffsetSeconds: -1.5e-6, JitterSeconds: 2e-6, MaxErrorSeconds: 1e-4},
				{Name: "dcf77", Driver: "dcf77", OffsetSeconds: 2e-3},
			}}
		s.MaxErrorSeconds = &bound
		return s
	}
	env.Served = func() Served { return Served{Received: 1<<32 + 12, Sent: 11, BadVersion: 1} }
	return env
}

// TestPeersSNMPWalk: Debian's snmpwalk and snmpget judge the agent, by version 2c and 3.
func TestPeersSNMPWalk(t *testing.T) {
	t.Parallel()
	root := peersDir(t)
	port := freePort(t)
	agent := place(t, "snmp-agent", snmpEnvironment(), func(s *snmpAgentSettings) {
		s.Listen, s.CommunityFile = "127.0.0.1:"+port, secretFile(t, "hush")
		s.User, s.AuthPasswordFile, s.PrivacyPasswordFile = "anna", secretFile(t, "authpassword"), secretFile(t, "privpassword")
	}).(Follower)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { agent.Follow(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	ask := func(program string, args ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), filepath.Join(root, "usr/bin", program), append([]string{"-On", "-m", "", "-t", "2", "-r", "1"}, args...)...)
		text, _ := c.CombinedOutput() // what it says is judged
		return string(text)
	}
	at := "127.0.0.1:" + port
	community := []string{"-v2c", "-c", "hush", at}
	user := []string{"-v3", "-u", "anna", "-l", "authPriv", "-a", "SHA-256", "-A", "authpassword", "-x", "AES", "-X", "privpassword", at}
	want := []string{
		`.1.3.6.1.2.1.197.1.1.1.0 = STRING: "Timestation"`, `.1.3.6.1.2.1.197.1.1.5.0 = Gauge32: 1000`, `.1.3.6.1.2.1.197.1.1.6.0 = INTEGER: -20`,
		`.1.3.6.1.2.1.197.1.1.7.0 = STRING: "0.123456 ms"`, `.1.3.6.1.2.1.197.1.2.1.0 = INTEGER: 5`, `.1.3.6.1.2.1.197.1.2.2.0 = Gauge32: 1`,
		`.1.3.6.1.2.1.197.1.2.3.0 = Gauge32: 1`, `.1.3.6.1.2.1.197.1.2.4.0 = STRING: "gps0"`, `.1.3.6.1.2.1.197.1.2.5.0 = STRING: "-0.001500 ms"`,
		`.1.3.6.1.2.1.197.1.2.6.0 = Gauge32: 2`, `.1.3.6.1.2.1.197.1.2.8.0 = Timeticks: (360000) 1:00:00.00`,
		`.1.3.6.1.2.1.197.1.2.10.0 = Hex-STRING: 00 00 00 00 EE`, `.1.3.6.1.2.1.197.1.2.11.0 = INTEGER: 1`,
		`.1.3.6.1.2.1.197.1.2.12.0 = Counter32: 12`, `.1.3.6.1.2.1.197.1.2.17.1.3.4 = Counter32: 12`,
		`.1.3.6.1.2.1.197.1.3.1.1.2.2 = STRING: "dcf77"`,
	}
	for name, how := range map[string][]string{"2c": community, "3": user} {
		for _, program := range []string{"snmpwalk", "snmpbulkwalk"} {
			text := ask(program, append(slices.Clone(how), ".1.3.6.1.2.1.197")...)
			for _, line := range want {
				if !strings.Contains(text, line) {
					t.Errorf("%s by %s does not show %s", program, name, line)
				}
			}
			if t.Failed() {
				t.Fatalf("%s", text)
			}
		}
		if text := ask("snmpget", append(slices.Clone(how), ".1.3.6.1.2.1.1.1.0", ".1.3.6.1.2.1.197.1.2.2.1", ".1.3.6.1.2.1.198.1.0")...); !strings.Contains(text, `STRING: "Timestation 1"`) ||
			!strings.Contains(text, "No Such Instance") || !strings.Contains(text, "No Such Object") {
			t.Errorf("snmpget by %s: %s", name, text)
		}
		if text := ask("snmpset", append(slices.Clone(how), ".1.3.6.1.2.1.1.5.0", "s", "mine")...); !strings.Contains(text, "notWritable") {
			t.Errorf("snmpset by %s: %s", name, text)
		}
	}
	for name, how := range map[string][]string{
		"a wrong community": {"-v2c", "-c", "public", at},
		"a wrong password":  {"-v3", "-u", "anna", "-l", "authPriv", "-a", "SHA-256", "-A", "wrongpassword", "-x", "AES", "-X", "privpassword", at},
		"no encryption":     {"-v3", "-u", "anna", "-l", "authNoPriv", "-a", "SHA-256", "-A", "authpassword", at},
	} {
		if text := ask("snmpget", append(append([]string{"-r", "0", "-t", "0.3"}, how...), ".1.3.6.1.2.1.1.1.0")...); strings.Contains(text, "Timestation") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// TestPeersSNMPTraps: Debian's snmptrapd takes traps and informs, by version 2c and 3.
func TestPeersSNMPTraps(t *testing.T) {
	t.Parallel()
	root, dir := peersDir(t), t.TempDir()
	env := snmpEnvironment()
	port := freePort(t)
	engine := fmt.Sprintf("0x%x", engineID(env))
	config := writeFile(t, filepath.Join(dir, "snmptrapd.conf"), "authCommunity log hush\nauthUser log anna priv\nauthUser log ben auth\n"+
		"createUser -e "+engine+" anna SHA-256 authpassword AES privpassword\ncreateUser anna SHA-256 authpassword AES privpassword\n"+
		"createUser -e "+engine+" ben SHA authpassword\ncreateUser ben SHA authpassword\n")
	start := func() *peer {
		server := startPeer(t, "env", "SNMP_PERSISTENT_DIR="+dir, filepath.Join(root, "usr/sbin/snmptrapd"), "-f", "-Lo", "-On", "-m", "", "-C", "-c", config, "127.0.0.1:"+port)
		await(t, "snmptrapd", func() bool { return strings.Contains(server.output(), "NET-SNMP version") })
		return server
	}
	server := start()
	password, privacy := secretFile(t, "authpassword"), secretFile(t, "privpassword")
	ways := map[string]func(*snmpSettings){
		"2c": func(s *snmpSettings) { s.CommunityFile = secretFile(t, "hush") },
		"3 sealed": func(s *snmpSettings) {
			s.Version, s.User, s.AuthPasswordFile, s.PrivacyPasswordFile = "3", "anna", password, privacy
		},
		"3 signed": func(s *snmpSettings) { s.Version, s.User, s.Auth, s.AuthPasswordFile = "3", "ben", "sha", password },
	}
	var informer Sink
	for name, way := range ways {
		for _, inform := range []bool{false, true} {
			p := place(t, "snmp", env, func(s *snmpSettings) { way(s); s.Target, s.Inform = "127.0.0.1:"+port, inform }).(Sink)
			mark := fmt.Sprintf("mark %s %v.", name, inform)
			n := lostNotice()
			n.Alert.Text = mark
			answer := send(t, p, n)
			await(t, mark, func() bool { return strings.Contains(server.output(), mark) })
			if inform != strings.Contains(answer, "acknowledged") {
				t.Errorf("%s: %q", mark, answer)
			}
			if inform {
				informer = p
			}
		}
	}
	for line := range strings.Lines(server.output()) {
		if strings.Contains(line, "mark ") && (!strings.Contains(line, ".1.3.6.1.6.3.1.1.4.1.0 = OID: .1.3.6.1.2.1.197.0.5") ||
			!strings.Contains(line, `.1.3.6.1.2.1.197.1.3.1.1.2.1 = STRING: "gps0"`) || !strings.Contains(line, ".1.3.6.1.2.1.197.1.5.1.0 = STRING: ")) {
			t.Errorf("%s", line)
		}
	}
	over := lostNotice()
	over.Kind, over.Alert.Code, over.Alert.Source = Cleared, "unsynchronised", ""
	send(t, informer, over)
	await(t, "a change of mode", func() bool {
		return strings.Contains(server.output(), "OID: .1.3.6.1.2.1.197.0.1\t.1.3.6.1.2.1.197.1.2.1.0 = INTEGER: 5")
	})
	server.stop()
	if _, err := informer.Send(t.Context(), over); err == nil {
		t.Error("nobody took the inform, and that was not noticed")
	}
	server = start()
	send(t, informer, over)
	await(t, "an inform after snmptrapd was back", func() bool { return strings.Contains(server.output(), "197.0.1") })
}

// TestPeersSNMPState: changes of the station's state are told by themselves.
func TestPeersSNMPState(t *testing.T) {
	t.Parallel()
	root, dir := peersDir(t), t.TempDir()
	port := freePort(t)
	server := startPeer(t, "env", "SNMP_PERSISTENT_DIR="+dir, filepath.Join(root, "usr/sbin/snmptrapd"), "-f", "-Lo", "-On", "-m", "", "-C", "-c",
		writeFile(t, filepath.Join(dir, "conf"), "authCommunity log public\n"), "127.0.0.1:"+port)
	await(t, "snmptrapd", func() bool { return strings.Contains(server.output(), "NET-SNMP version") })
	env := snmpEnvironment()
	var holdover atomic.Bool
	good := env.Status
	env.Status = func() status.Snapshot {
		s := good()
		if holdover.Load() {
			s.State, s.Selected, s.Stratum = status.Holdover, "", 2
		}
		return s
	}
	p := place(t, "snmp", env, func(s *snmpSettings) { s.Target, s.HeartbeatSeconds = "127.0.0.1:"+port, 1 }).(Follower)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { p.Follow(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	await(t, "a heartbeat", func() bool { return strings.Contains(server.output(), "197.0.8") })
	holdover.Store(true)
	for what, text := range map[string]string{
		"mode": "OID: .1.3.6.1.2.1.197.0.1\t.1.3.6.1.2.1.197.1.2.1.0 = INTEGER: 4", "stratum": "197.0.2", "source": "Studio: source is none, was gps0",
	} {
		await(t, what, func() bool { return strings.Contains(server.output(), text) })
	}
}
