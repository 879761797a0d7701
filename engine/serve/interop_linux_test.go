//go:build peers

package serve

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"timestation/engine/ntp"
)

// chronydClient runs a chronyd that asks a server every second and never touches the clock; the function asks its chronyc.
func chronydClient(t *testing.T, server string, wrap ...string) (chronyc func(...string) string) {
	t.Helper()
	program, command := peerProgram(t, "chronyd"), peerProgram(t, "chronyc")
	// chronyd wants the folder of its command socket for itself; a path of a socket is short.
	dir, err := os.MkdirTemp("", "chrony")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	socket, conf := filepath.Join(dir, "sock"), filepath.Join(dir, "conf")
	text := fmt.Sprintf("pidfile %s/pid\ncmdport 0\nbindcmdaddress %s\nport 0\n%s\n", dir, socket, server)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	args := append(wrap, program, "-x", "-d", "-U", "-u", me.Username, "-f", conf)
	c := exec.Command(args[0], args[1:]...)
	var output strings.Builder
	c.Stdout, c.Stderr = &output, &output
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		_ = c.Wait()
		if t.Failed() {
			t.Log(output.String())
		}
	})
	return func(args ...string) string {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		out, _ := exec.CommandContext(ctx, command, append([]string{"-h", socket, "-n"}, args...)...).CombinedOutput()
		return string(out)
	}
}

// eventually asks until what is said matches, for at most that long.
func eventually(t *testing.T, limit time.Duration, say func() string, want ...string) string {
	t.Helper()
	var said string
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		said = say()
		missing := false
		for _, w := range want {
			missing = missing || !regexp.MustCompile(w).MatchString(said)
		}
		if !missing {
			return said
		}
	}
	t.Fatalf("never said %q:\n%s", want, said)
	return ""
}

// chronyd itself judges interleaved mode: it says so, with the kernel's stamps on both sides, plain and under a key.
func TestPeersChronydInterleaves(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		for _, key := range []string{"", " key 6"} {
			t.Run(address+key, func(t *testing.T) {
				t.Parallel()
				cfg := DefaultConfig()
				cfg.Address = netip.AddrPortFrom(netip.MustParseAddr(address), freePort(t).Port()).String()
				cfg.Keys = writeKeys(t, keyFile)
				self(t, cfg)
				chronyKeys := writeKeys(t, strings.ReplaceAll(keyFile, "AES 7EA", "AES128 HEX:7EA"))
				chronyc := chronydClient(t, fmt.Sprintf("keyfile %s\nserver %s port %d iburst xleave minpoll 0 maxpoll 0%s",
					chronyKeys, address, netip.MustParseAddrPort(cfg.Address).Port(), key))
				said := eventually(t, time.Minute, func() string { return chronyc("ntpdata") },
					`Interleaved +: Yes`, `TX timestamping +: Kernel`, `RX timestamping +: Kernel`, `NTP tests +: 111 111 1111`,
					`Stratum +: 1`, `Reference ID +: \w+ \(GPS\)`)
				if key != "" && !regexp.MustCompile(`Authenticated +: Yes`).MatchString(said) {
					t.Error(said)
				}
				if m := regexp.MustCompile(`Offset +: ([+-][0-9.]+) seconds`).FindStringSubmatch(said); m == nil {
					t.Error(said)
				} else {
					t.Logf("interleaved: offset %s s from the same clock", m[1])
				}
			})
		}
	}
}

// The gateway redirects whatever NTP passes it to its own station (the README's nftables rule): the client, in a network
// of its own, has its answer from the address it asked.
func TestPeersGatewayHijack(t *testing.T) {
	nft := peerProgram(t, "nft")
	if _, err := exec.LookPath("ip"); err != nil || os.Getuid() != 0 {
		t.Skip("needs root and ip, for networks of its own")
	}
	gateway, inside := fmt.Sprintf("ts-gw-%d", os.Getpid()), fmt.Sprintf("ts-in-%d", os.Getpid())
	run := func(input string, args ...string) {
		t.Helper()
		c := exec.Command(args[0], args[1:]...)
		c.Stdin = strings.NewReader(input)
		c.Env = os.Environ()
		if root, found := strings.CutSuffix(nft, "/usr/sbin/nft"); found && root != "" {
			libraries, _ := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-gnu*"))
			c.Env = append(c.Env, "LD_LIBRARY_PATH="+strings.Join(libraries, ":"))
		}
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	for _, n := range []string{gateway, inside} {
		run("", "ip", "netns", "add", n)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", n).Run() })
		run("", "ip", "-n", n, "link", "set", "lo", "up")
	}
	run("", "ip", "-n", gateway, "link", "add", "gw0", "type", "veth", "peer", "name", "in0", "netns", inside)
	for _, a := range [][]string{
		{gateway, "gw0", "10.77.0.1/24", "fd77::1/64"}, {inside, "in0", "10.77.0.2/24", "fd77::2/64"},
	} {
		run("", "ip", "-n", a[0], "addr", "add", a[2], "dev", a[1])
		run("", "ip", "-n", a[0], "addr", "add", a[3], "dev", a[1], "nodad")
		run("", "ip", "-n", a[0], "link", "set", a[1], "up")
	}
	run("", "ip", "-n", inside, "route", "add", "default", "via", "10.77.0.1")
	run("", "ip", "-n", inside, "-6", "route", "add", "default", "via", "fd77::1")
	run(`table inet timestation {
	chain hijack {
		type nat hook prerouting priority dstnat
		udp dport 123 redirect to :123
	}
}
`, "ip", "netns", "exec", gateway, nft, "-f", "-")

	cfg := DefaultConfig()
	cfg.Address = ":123"
	text := fmt.Sprintf(`{"Address":%q}`, cfg.Address)
	c := exec.Command("ip", "netns", "exec", gateway, os.Args[0])
	c.Env = append(os.Environ(), childEnv+"="+text)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })

	// Addresses of other people's servers, which no packet can reach from here.
	for _, server := range []string{"192.0.2.123", "2001:db8::123"} {
		chronyc := chronydClient(t, "server "+server+" iburst minpoll 0 maxpoll 0", "ip", "netns", "exec", inside)
		said := eventually(t, time.Minute, func() string { return chronyc("ntpdata") },
			`Remote address +: `+server, `NTP tests +: 111 111 1111`, `Stratum +: 1`, `Total valid RX +: [1-9]`)
		t.Log(regexp.MustCompile(`(?m)^(Local address|Offset).*$`).FindAllString(said, -1))
	}
}

// The keys that chronyd knows, in the lengths it sends: its own judgement of our answers.
func TestPeersChronydKeys(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Address, cfg.Keys = freePort(t).String(), writeKeys(t, keyFile)
	self(t, cfg)
	keys, err := parseKeyFile(cfg.Keys)
	if err != nil {
		t.Fatal(err)
	}
	chronyKeys := writeKeys(t, strings.NewReplacer("AES 7EA", "AES128 HEX:7EA", "AES-256 37D", "AES256 HEX:37D").Replace(keyFile))
	for _, k := range keys.keys {
		if k.Algorithm == ntp.AES192 {
			continue // unknown to chronyd
		}
		t.Run(k.Algorithm.String(), func(t *testing.T) {
			t.Parallel()
			chronyc := chronydClient(t, fmt.Sprintf("keyfile %s\nserver 127.0.0.1 port %d iburst minpoll 0 maxpoll 0 key %d",
				chronyKeys, netip.MustParseAddrPort(cfg.Address).Port(), k.ID))
			eventually(t, time.Minute, func() string { return chronyc("ntpdata") },
				`Authenticated +: Yes`, `NTP tests +: 111 111 1111`, `Total valid RX +: [1-9]`)
		})
	}
}

// BenchmarkAccuracy has one chronyd, over a pair of network interfaces, ask this server and a chronyd server on the same
// clock: the medians of what it measures should agree, and the spreads.
//
//	TIMESTATION_MEASURE=1 go test -tags headless,peers -run '^$' -bench Accuracy -benchtime 1x -v ./engine/serve
//
// takes some four minutes. Without TIMESTATION_MEASURE it is a short look.
func BenchmarkAccuracy(b *testing.B) {
	lasting := 4 * time.Second
	if os.Getenv("TIMESTATION_MEASURE") != "" {
		lasting = time.Minute
	}
	n := newNetworks(b)
	for _, mode := range []string{"", " xleave"} {
		for _, pace := range []float64{0, 20000} {
			name := "basic"
			if mode != "" {
				name = "interleaved"
			}
			if pace > 0 {
				name += "-under-load"
			}
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					n.compare(b, mode, pace, lasting)
				}
			})
		}
	}
}

// compare starts both servers, and a client that asks both, and reports what it measured. The client begins twice, with
// either first: it asks both at the same pace, and who is asked second may find the processors awake.
func (n *networks) compare(b *testing.B, mode string, pace float64, lasting time.Duration) {
	dir := b.TempDir()
	program := peerProgram(b, "chronyd")
	ours, theirs := n.addresses[0], n.addresses[1]
	start := func(c *exec.Cmd) (stop func()) {
		if err := c.Start(); err != nil {
			b.Fatal(err)
		}
		return func() { _ = c.Process.Signal(os.Interrupt); _ = c.Wait() }
	}
	chrony := func(network, name, text string) (stop func()) {
		path := filepath.Join(dir, name)
		text = fmt.Sprintf("pidfile %s.pid\ncmdport 0\nbindcmdaddress /\n%s", path, text)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		return start(exec.Command("ip", "netns", "exec", network, program, "-x", "-d", "-U", "-u", "root", "-f", path))
	}
	own := exec.Command("ip", "netns", "exec", n.outer, os.Args[0])
	own.Env = append(os.Environ(), childEnv+fmt.Sprintf(`={"Address":%q,"RateLimitPerSecond":0}`, ours+":123"))
	defer start(own)()
	defer chrony(n.outer, "server", "local stratum 1\nallow\nbindaddress "+theirs+"\n")()
	if pace > 0 {
		asking := exec.Command("ip", "netns", "exec", n.inner, os.Args[0])
		asking.Env = append(os.Environ(), fmt.Sprintf("%s=%s:123 %s:123 %v", loadEnv, ours, theirs, pace/2))
		defer start(asking)()
	}
	offsets := map[string][]float64{}
	for _, order := range [][2]string{{ours, theirs}, {theirs, ours}} {
		text := fmt.Sprintf("port 0\nlogdir %s\nlog rawmeasurements\n", dir)
		for _, server := range order {
			text += fmt.Sprintf("server %s minpoll -4 maxpoll -4%s\n", server, mode)
		}
		stop := chrony(n.inner, "client", text)
		time.Sleep(lasting / 2)
		stop()
	}
	text, err := os.ReadFile(filepath.Join(dir, "measurements.log"))
	if err != nil {
		b.Fatal(err)
	}
	const address, offset, last = 2, 11, -3
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 16 || (mode != "") != strings.HasSuffix(f[len(f)+last], "I") {
			continue // a heading, or not yet in that mode
		}
		if v, err := strconv.ParseFloat(f[offset], 64); err == nil {
			offsets[f[address]] = append(offsets[f[address]], v*1e6)
		}
	}
	if len(offsets[ours]) < 20 || len(offsets[theirs]) < 20 {
		b.Fatalf("%d and %d measurements:\n%.3000s", len(offsets[ours]), len(offsets[theirs]), text)
	}
	// What the ratio of spreads is worth: the same for each tenth of the time.
	const parts = 10
	var ratios []float64
	for i := range parts {
		part := func(v []float64) []float64 { return slices.Clone(v[i*len(v)/parts : (i+1)*len(v)/parts]) }
		_, s1 := middle(part(offsets[ours]))
		_, s2 := middle(part(offsets[theirs]))
		ratios = append(ratios, s1/s2)
	}
	slices.Sort(ratios)
	m1, s1 := middle(offsets[ours])
	m2, s2 := middle(offsets[theirs])
	b.Logf("%d and %d measurements: median %.2f and %.2f µs, half of them within %.2f and %.2f µs: %.2f (tenths: %.2f, from %.2f to %.2f)",
		len(offsets[ours]), len(offsets[theirs]), m1, m2, s1, s2, s1/s2, (ratios[parts/2-1]+ratios[parts/2])/2, ratios[0], ratios[parts-1])
	b.ReportMetric(m1-m2, "µs-from-chronyd")
	b.ReportMetric(s1/s2, "spread-of-chronyd")
}

// middle is the median, and how wide the middle half lies.
func middle(v []float64) (median, spread float64) {
	slices.Sort(v)
	return v[len(v)/2], v[len(v)*3/4] - v[len(v)/4]
}

// networks are two of their own, joined by a cable.
type networks struct {
	outer, inner string
	addresses    []string // of the outer
}

func newNetworks(t testing.TB) *networks {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil || os.Getuid() != 0 {
		t.Skip("needs root and ip, for networks of its own")
	}
	n := &networks{fmt.Sprintf("ts-out-%d", os.Getpid()), fmt.Sprintf("ts-in-%d", os.Getpid()), []string{"10.78.0.1", "10.78.0.3"}}
	ip := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v\n%s", args, err, out)
		}
	}
	for _, name := range []string{n.outer, n.inner} {
		ip("netns", "add", name)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
		ip("-n", name, "link", "set", "lo", "up")
	}
	ip("-n", n.outer, "link", "add", "out0", "type", "veth", "peer", "name", "in0", "netns", n.inner)
	for _, a := range n.addresses {
		ip("-n", n.outer, "addr", "add", a+"/24", "dev", "out0")
	}
	ip("-n", n.inner, "addr", "add", "10.78.0.2/24", "dev", "in0")
	ip("-n", n.outer, "link", "set", "out0", "up")
	ip("-n", n.inner, "link", "set", "in0", "up")
	return n
}
