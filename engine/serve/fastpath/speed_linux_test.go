package fastpath

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"timestation/engine/serve/namespace"
)

// burst is how many requests are under way at a time.
const burst = 64

// volley asks in bursts from one socket, sleeping until the answers are there, and gives how many came.
func volley(to netip.AddrPort, bursts int) (answered int, err error) {
	type mmsghdr struct {
		header unix.Msghdr
		length uint32
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	file, err := conn.File() // blocking
	if err != nil {
		return 0, err
	}
	defer file.Close()
	fd := int(file.Fd())
	limit := unix.NsecToTimeval(time.Second.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		return 0, err
	}
	var out, in [burst]mmsghdr
	var outAt, inAt [burst]unix.Iovec
	var buffers [burst][512]byte
	payload := asked()
	for i := range burst {
		outAt[i].Base, inAt[i].Base = &payload[0], &buffers[i][0]
		outAt[i].SetLen(len(payload))
		inAt[i].SetLen(len(buffers[i]))
		out[i].header.Iov, in[i].header.Iov = &outAt[i], &inAt[i]
		out[i].header.SetIovlen(1)
		in[i].header.SetIovlen(1)
	}
	for range bursts {
		sent, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&out[0])), burst, 0, 0, 0)
		if errno != 0 {
			return answered, errno
		}
		for left := sent; left > 0; {
			got, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&in[0])), left,
				unix.MSG_WAITFORONE, 0, 0)
			if errno == unix.EINTR {
				continue
			}
			if errno != 0 {
				return answered, errno
			}
			for i := range got {
				if in[i].length == uint32(len(payload)) {
					answered++
				}
			}
			left -= got
		}
	}
	return answered, nil
}

// processorTime is what a process has used, its system calls and what interrupts did on its back included.
func processorTime(t testing.TB, schedstat string) time.Duration {
	t.Helper()
	b, err := os.ReadFile(schedstat)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := strconv.ParseInt(strings.Fields(string(b))[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(ns)
}

// BenchmarkAgainstEcho asks the kernel and a bare echo in C in turn, on loopback, and gives the ratio of the processor
// time that a request costs altogether, with what the client and the network stack need for it, of the same round: the
// median of all rounds, and their spread. The client sleeps while it waits. It and the echo share a processor, which is
// best for the echo: it is woken once for a whole burst. All features are on: access list, table of clients, rate limit
// (never reached), counts.
//
//	TIMESTATION_MEASURE=1 go test -run '^$' -bench AgainstEcho -benchtime 1x -v ./engine/serve/fastpath
func BenchmarkAgainstEcho(b *testing.B) {
	needRoot(b)
	rounds, bursts := 5, 500
	if os.Getenv("TIMESTATION_MEASURE") != "" {
		rounds, bursts = 41, 2000
	}
	n := namespace.New(b)
	program := filepath.Join(b.TempDir(), "echo")
	if out, err := exec.Command("gcc", "-O2", "-o", program, "../testdata/echo.c").CombinedOutput(); err != nil {
		b.Skipf("no C compiler: %v: %s", err, out)
	}
	echo := exec.Command(program, "4001")
	if err := n.Start(echo); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { echo.Process.Kill(); echo.Wait() })
	var one unix.CPUSet
	one.Set(runtime.NumCPU() - 1)
	if err := unix.SchedSetaffinity(echo.Process.Pid, &one); err != nil {
		b.Fatal(err)
	}
	p := attach(b, n, Options{
		Address: netip.MustParseAddrPort("127.0.0.1:4002"),
		Allow: []netip.Prefix{
			netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fc00::/7"),
			netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("172.16.0.0/12"),
		},
		RateInterval: time.Nanosecond, RateBurst: time.Second, Kisses: true,
	})
	p.looked = time.Now().Add(time.Hour) // the interfaces stay as they are
	publish(b, n, p, model())
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(Longest / 8):
				_ = p.Publish(model())
			}
		}
	}()
	statistics, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		b.Fatal(err)
	}
	echoStat := "/proc/" + strconv.Itoa(echo.Process.Pid) + "/schedstat"
	// cost is nanoseconds of processor time for a request, and the server's share that is known apart.
	cost := func(port uint16, stat string) (all, apart float64) {
		var answered int
		var err error
		var client, server time.Duration
		n.Do(func() {
			_ = unix.SchedSetaffinity(0, &one)
			mine := "/proc/self/task/" + strconv.Itoa(unix.Gettid()) + "/schedstat"
			client -= processorTime(b, mine)
			if stat != "" {
				server -= processorTime(b, stat)
			}
			answered, err = volley(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port), bursts)
			client += processorTime(b, mine)
		})
		if stat != "" {
			server += processorTime(b, stat)
		}
		if err != nil || answered != bursts*burst {
			b.Fatalf("port %d: %d of %d answered, %v", port, answered, bursts*burst, err)
		}
		return float64((client + server).Nanoseconds()) / float64(answered), float64(server.Nanoseconds()) / float64(answered)
	}
	ranBefore := programStats(b, p)
	cost(4002, "")
	ran := programStats(b, p)
	statistics.Close() // which costs some itself
	own := float64(ran.Runtime-ranBefore.Runtime) / float64(ran.RunCount-ranBefore.RunCount) * 2
	for b.Loop() {
		var kernel, echoes, apart, ratios []float64
		for range rounds {
			k, _ := cost(4002, "")
			e, a := cost(4001, echoStat)
			kernel, echoes, apart, ratios = append(kernel, k), append(echoes, e), append(apart, a), append(ratios, k/e)
		}
		for _, v := range [][]float64{kernel, echoes, apart, ratios} {
			slices.Sort(v)
		}
		m := rounds / 2
		b.ReportMetric(ratios[m], "of-C-echo")
		b.Logf("kernel %.0f ns a request, C echo %.0f ns (%.0f ns of it the echo's process): %.3f (rounds from %.3f to %.3f)",
			kernel[m], echoes[m], apart[m], ratios[m], ratios[0], ratios[rounds-1])
		b.Logf("the program itself: %.0f ns for a request and the answer, which passes by it too on loopback", own)
	}
}

func programStats(b *testing.B, p *Path) *ebpf.ProgramStats {
	b.Helper()
	for _, a := range p.on {
		s, err := a.program.Stats()
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	b.Fatal("on no interface")
	return nil
}
