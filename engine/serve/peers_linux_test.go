package serve

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"timestation/engine/ntp"
	"timestation/engine/nts"
	"timestation/engine/serve/load"
	"timestation/engine/status"
	"timestation/refclock"
)

// childEnv makes this program be a server instead of a test: its value is a childConfig.
const childEnv = "TIMESTATION_SERVE_CHILD"

// loadEnv makes it ask two servers in turn, for ever: its value is their addresses, and how often in a second.
const loadEnv = "TIMESTATION_SERVE_LOAD"

func TestMain(m *testing.M) {
	if text := os.Getenv(loadEnv); text != "" {
		childLoad(text)
		return
	}
	if text := os.Getenv(childEnv); text != "" {
		child(text)
		return
	}
	os.Exit(m.Run())
}

// childConfig is a Config, and where keys are established for it, if they are.
type childConfig struct {
	Config
	Establish        string
	Certificate, Key string
	// Ahead is by how much more than this machine's clock it says.
	Ahead time.Duration
}

func childLoad(text string) {
	var servers [2]string
	var pace float64
	if _, err := fmt.Sscan(text, &servers[0], &servers[1], &pace); err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	for end := time.Now().Add(time.Hour); time.Now().Before(end); {
		for _, s := range servers {
			_, _ = load.Run(load.Config{
				Target: netip.MustParseAddrPort(s), Ports: 8, Window: 8, PerSecond: 2 * pace, Duration: 100 * time.Millisecond,
			})
		}
	}
}

// child serves the time of this machine, as if it were right to 50 µs, until it is told to stop.
func child(text string) {
	cfg := childConfig{Config: DefaultConfig()}
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	board := new(status.Board)
	publish := func() {
		at := now()
		board.Publish(&status.Status{
			Epoch: at, EpochInstant: refclock.Instant{TAI: int64(at.Add(cfg.Ahead)) + 37e9, TAIMinusUTC: 37},
			MaxError: 50 * time.Microsecond, MaxErrorGrowth: 15e-6, MaxErrorLimit: time.Second,
			State: status.Synchronised, Stratum: 1, ReferenceID: [4]byte{'G', 'P', 'S'}, Leap: refclock.LeapNone,
			ReferenceTime: refclock.Instant{TAI: int64(at.Add(cfg.Ahead)) + 37e9 - 1e8, TAIMinusUTC: 37},
		})
	}
	publish()
	s, err := New(cfg.Config, board, discard())
	if err == nil && cfg.Establish != "" {
		err = establishing(s, cfg)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(testContext{}, syscall.SIGTERM, os.Interrupt)
	defer stop()
	go func() {
		for ctx.Err() == nil {
			time.Sleep(250 * time.Millisecond)
			publish()
		}
	}()
	fmt.Println("ready", s.Address())
	_ = s.Run(ctx)
}

// establishing gives out keys for a server, as long as the program runs.
func establishing(s *Server, cfg childConfig) error {
	jar, err := nts.OpenJar("")
	if err != nil {
		return err
	}
	s.ProtectWith(jar)
	host, _, err := net.SplitHostPort(cfg.Establish)
	if err != nil {
		return err
	}
	ke, err := nts.NewKEServer(nts.KEConfig{
		Certificate: cfg.Certificate, Key: cfg.Key, NTPServer: host, NTPPort: s.Address().Port(),
	}, jar, discard())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.Establish)
	if err != nil {
		return err
	}
	go func() { _ = ke.Serve(testContext{}, listener) }()
	return nil
}

// testContext is never done by itself.
type testContext struct{}

func (testContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (testContext) Done() <-chan struct{}       { return nil }
func (testContext) Err() error                  { return nil }
func (testContext) Value(any) any               { return nil }

// peerProgram finds a program of other people's: in TIMESTATION_PEERS, where make peers unpacks them, or installed.
func peerProgram(t testing.TB, name string) string {
	t.Helper()
	home, _ := os.UserCacheDir()
	for _, dir := range []string{os.Getenv("TIMESTATION_PEERS"), filepath.Join(home, "timestation/peers"), "/"} {
		for _, bin := range []string{"usr/sbin", "usr/bin"} {
			if path := filepath.Join(dir, bin, name); dir != "" && executable(path) {
				return path
			}
		}
	}
	t.Skipf("%s is not here: make peers unpacks it", name)
	return ""
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}

// onProcessor runs f on one processor; what f starts stays there.
func onProcessor(t testing.TB, n int, f func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	one.Set(n)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		t.Skip("cannot choose a processor:", err)
	}
	defer unix.SchedSetaffinity(0, &before)
	f()
}

// startChild starts a server on processor 0 and waits until it answers; it ends with the test.
func startChild(t testing.TB, to netip.AddrPort, c *exec.Cmd, probe []byte) int {
	t.Helper()
	var output strings.Builder
	c.Stdout, c.Stderr = &output, &output
	var err error
	onProcessor(t, 0, func() { err = c.Start() })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		timer := time.AfterFunc(2*time.Second, func() { _ = c.Process.Kill() })
		defer timer.Stop()
		_ = c.Wait()
	})
	for range 400 {
		if conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to)); err == nil {
			_, _ = conn.Write(probe)
			_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			n, _ := conn.Read(make([]byte, 200))
			conn.Close()
			if n > 0 {
				return c.Process.Pid
			}
		}
		time.Sleep(30 * time.Millisecond)
	}
	t.Fatalf("%s does not answer:\n%s", c.Path, output.String())
	return 0
}

// freePort is one that nobody has.
func freePort(t testing.TB) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// self starts this program as a server.
func self(t testing.TB, cfg Config) int { return selfWith(t, childConfig{Config: cfg}) }

func selfWith(t testing.TB, cfg childConfig) int {
	t.Helper()
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childEnv+"="+string(text))
	return startChild(t, netip.MustParseAddrPort(cfg.Address), c, request(4, ntp.Client))
}

// echo compiles and starts the yardstick.
func echo(t testing.TB) (netip.AddrPort, int) {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("the yardstick is in C, and gcc is not here")
	}
	program := filepath.Join(t.TempDir(), "echo")
	if out, err := exec.Command(gcc, "-O2", "-o", program, "testdata/echo.c").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	to := freePort(t)
	return to, startChild(t, to, exec.Command(program, strconv.Itoa(int(to.Port()))), request(4, ntp.Client))
}

// chronyd starts a chronyd that serves this machine's clock, and never touches it.
func chronyd(t testing.TB, extra ...string) (netip.AddrPort, int) {
	t.Helper()
	program := peerProgram(t, "chronyd")
	dir, to := t.TempDir(), freePort(t)
	conf := append([]string{
		"pidfile " + filepath.Join(dir, "pid"), "cmdport 0", "bindcmdaddress /", "local stratum 1", "allow",
		"bindaddress 127.0.0.1", "port " + strconv.Itoa(int(to.Port())),
	}, extra...)
	path := filepath.Join(dir, "chrony.conf")
	if err := os.WriteFile(path, []byte(strings.Join(conf, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return to, startChild(t, to, exec.Command(program, "-x", "-d", "-U", "-u", me.Username, "-f", path), request(4, ntp.Client))
}

// processorTime is what a process used so far.
func processorTime(t testing.TB, pid int) (total time.Duration) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		var ns int64
		if text, err := os.ReadFile(task); err == nil {
			_, _ = fmt.Sscan(string(text), &ns)
		}
		total += time.Duration(ns)
	}
	return total
}

// runLoad asks from processor 1.
func runLoad(t testing.TB, c load.Config) (r load.Result) {
	t.Helper()
	var err error
	onProcessor(t, 1, func() { r, err = load.Run(c) })
	if err != nil {
		t.Fatal(err)
	}
	return r
}
