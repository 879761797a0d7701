//go:build peers

package serve

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"timestation/engine/serve/namespace"
)

// unable runs a daemon without the capability to set or steer the clock, whatever it tries, and as if this machine had
// the users and folders that its package would have made. Its arguments are a folder, and the daemon's.
const unable = `set -e
grep -v '^ntpd:' /etc/passwd >"$1/passwd"
echo 'ntpd:x:65533:65533::/:/bin/false' >>"$1/passwd"
mkdir -p "$1/lib/openntpd/run" "$1/lib/openntpd/db"
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/lib" /var/lib
shift
exec setpriv --bounding-set -sys_time --inh-caps -sys_time "$@"
`

// The daemons that ask all day: each gets answers that it calls valid, from a station that is 30 ms ahead of this machine,
// and measures that within the delay that it states. Debian's packages are never installed.
func TestPeersFleet(t *testing.T) {
	t.Parallel()
	station, clients := namespace.New(t), namespace.New(t)
	namespace.Join(t, station, "ts0", clients, "ts1")
	station.Run(t, "ip addr add 10.79.0.1/24 dev ts0\nip addr add fd79::1/64 dev ts0 nodad\n"+
		"ip addr add 10.79.0.3/24 dev ts0\nip addr add 10.79.0.4/24 dev ts0")
	clients.Run(t, "ip addr add 10.79.0.2/24 dev ts1\nip addr add fd79::2/64 dev ts1 nodad")
	certFile, certKey, _ := certificate(t, net.IPv4(10, 79, 0, 4))
	const ahead = 30 * time.Millisecond
	cfg := childConfig{Config: DefaultConfig(), Ahead: ahead, Establish: ":4460", Certificate: certFile, Key: certKey}
	cfg.Address, cfg.Keys, cfg.NTS = ":123", writeKeys(t, keyFile), true
	keys := writeKeys(t, "6 AES 7EA62AE64D190114D46D5A082F948EC1\n") // which ntpsec can read
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), childEnv+"="+string(text))
	if err := station.Start(server); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })

	const number = `([-+]?[0-9.]+(?:e[-+]?[0-9]+)?)`
	const busybox = `reply from %s: offset:` + number + ` delay:` + number + ` status:0x24 strat:1`
	plain := []string{"10.79.0.1"}
	for _, c := range []struct {
		name, program string
		args          []string
		conf, file    string // written, and read
		// servers are who is asked; measured has the offset of one of them, %s, from the client and the delay, in seconds.
		// valid is what else is said.
		servers         []string
		measured, valid string
	}{
		{name: "busybox", program: "busybox", args: []string{"ntpd", "-n", "-w", "-dd", "-p", "10.79.0.1"}, servers: plain,
			measured: busybox},
		{name: "busybox over IPv6", program: "busybox", args: []string{"ntpd", "-n", "-w", "-dd", "-p", "fd79::1"},
			servers: []string{"fd79::1"}, measured: busybox},
		{name: "busybox with a key", program: "busybox", args: []string{"ntpd", "-n", "-w", "-dd", "-k", "CONF", "-p", "keyno:2:10.79.0.1"},
			servers: plain, measured: busybox, conf: "2 SHA1 933F62BE1D604E68A81B557F18CFA200483F5B70\n"},
		{name: "openntpd", program: "openntpd", args: []string{"-d", "-v", "-f", "CONF"}, conf: "servers 10.79.0.1\n",
			servers: plain, measured: `reply from %s: offset ` + number + ` delay ` + number, valid: `peer 10\.79\.0\.1 now valid`},
		// Plain, under a key and under NTS. The status says that the server is a candidate or better.
		{name: "ntpsec", program: "ntpd", args: []string{"-n", "-c", "CONF", "-f", "DIR/drift"}, file: "peerstats",
			conf: "server 10.79.0.1 iburst minpoll 3 maxpoll 3\nserver 10.79.0.3 key 6 iburst minpoll 3 maxpoll 3\n" +
				"server 10.79.0.4 nts ca " + certFile + " iburst minpoll 3 maxpoll 3\nkeys " + keys + "\ntrustedkey 6\n" +
				"statsdir DIR/\nstatistics peerstats\nfilegen peerstats file peerstats type none enable\n",
			servers:  []string{"10.79.0.1", "10.79.0.3", "10.79.0.4"},
			measured: `%s [0-9a-f][4-7][0-9a-f]{2} ` + number + ` ` + number},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			fill := strings.NewReplacer("CONF", filepath.Join(dir, "conf"), "DIR", dir)
			if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(fill.Replace(c.conf)), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"--mount", "sh", "-c", unable, "sh", dir, peerProgram(t, c.program)}
			for _, a := range c.args {
				args = append(args, fill.Replace(a))
			}
			daemon := exec.Command("unshare", args...)
			log, err := os.Create(filepath.Join(dir, "log"))
			if err != nil {
				t.Fatal(err)
			}
			defer log.Close()
			daemon.Stdout, daemon.Stderr = log, log
			if err := clients.Start(daemon); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = daemon.Process.Signal(os.Interrupt); _ = daemon.Wait() })
			file := "log"
			if c.file != "" {
				file = c.file
			}
			said := func() string {
				all, _ := os.ReadFile(filepath.Join(dir, file))
				return string(all)
			}
			var want []string
			for _, server := range c.servers {
				want = append(want, fmt.Sprintf(c.measured, regexp.QuoteMeta(server)))
			}
			all := eventually(t, 90*time.Second, said, append(want, c.valid)...)
			for i, server := range c.servers {
				found := regexp.MustCompile(want[i]).FindAllStringSubmatch(all, -1)
				last := found[len(found)-1]
				offset, err1 := strconv.ParseFloat(last[1], 64)
				delay, err2 := strconv.ParseFloat(last[2], 64)
				if err1 != nil || err2 != nil {
					t.Fatal(last[0])
				}
				t.Logf("%s: offset %.6f s, delay %.6f s", server, offset, delay)
				if off := offset - ahead.Seconds(); off > delay/2+20e-6 || off < -delay/2-20e-6 || delay <= 0 || delay > 1 {
					t.Errorf("%s: not %v within half the delay", last[0], ahead)
				}
			}
			unableToSet(t, daemon.Process.Pid)
		})
	}
}

// unableToSet makes sure that a process cannot set the clock.
func unableToSet(t *testing.T, pid int) {
	t.Helper()
	const sysTime = 1 << 25
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range regexp.MustCompile(`Cap(?:Eff|Prm|Bnd):\s*([0-9a-f]+)`).FindAllStringSubmatch(string(text), -1) {
		if bits, err := strconv.ParseUint(set[1], 16, 64); err != nil || bits&sysTime != 0 {
			t.Errorf("%s lets the daemon set the clock", set[0])
		}
	}
}
