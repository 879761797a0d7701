//go:build peers

package control

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// peersFolder is where other people's programs are unpacked.
func peersFolder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("TIMESTATION_PEERS")
	if folder == "" {
		t.Fatal("TIMESTATION_PEERS names no folder with chronyc and ntpq; run this test with: make peers")
	}
	return folder
}

// run gives what a program prints on both outputs. It must end within a minute.
func run(t *testing.T, environment []string, name string, args ...string) (printed string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Env = append(os.Environ(), environment...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err = c.Run()
	return out.String(), err
}

// serveChrony has the station listen, and gives what runs one of chronyc's commands.
func serveChrony(t *testing.T, address string, station Station) func(command string) (string, error) {
	at := listenChrony(t, address, station)
	chronyc := filepath.Join(peersFolder(t), "usr/bin/chronyc")
	return func(command string) (string, error) {
		args := append([]string{"-n", "-h", at.Addr().String(), "-p", strconv.Itoa(int(at.Port()))}, strings.Fields(command)...)
		return run(t, nil, chronyc, args...)
	}
}

// listenChrony has the station listen for chrony's commands.
func listenChrony(t *testing.T, address string, station Station) netip.AddrPort {
	t.Helper()
	server, err := Listen(Config{ChronyAddress: address}, station, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return server.Addresses()[0]
}

// TestPeersChronyc lets Debian's chronyc read a station, over both families.
func TestPeersChronyc(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		chronyc := serveChrony(t, address, testStation())
		for _, c := range []struct {
			command string
			lines   []string // each a regular expression, blanks for any number of them
			refused bool
		}{
			{"tracking", []string{
				`^Reference ID : 47505300 \(GPS\)$`, `^Stratum : 1$`, `^Ref time \(UTC\) : Sun Nov 22 13:08:36 2026$`,
				`^System time : 0\.01234[56]\d* seconds slow of NTP time$`, `^Last offset : -0\.000123400 seconds$`,
				`^RMS offset : 0\.000020000 seconds$`, `^Frequency : 12\.345 ppm fast$`, `^Skew : 0\.250 ppm$`,
				`^Root delay : 0\.000000000 seconds$`, `^Root dispersion : 0\.001500\d* seconds$`, `^Leap status : Normal$`,
			}, false},
			{"sources", []string{
				`^#\* gps0 0 0 377 \d+ -123us\[ -123us\] \+/- 1500us$`, `^#\+ pps 0 0 377 0 \+1500ns\[\+1500ns\] \+/- 30us$`,
				`^\^\+ 192\.0\.2\.17 2 6 377 17 -3200us\[-3200us\] \+/- 9000us$`, `^#x dcf7 0 0 377 40 -2500ms\[-2500ms\] \+/- 5000us$`,
				`^#\? gp05 0 0 0 - `,
			}, false},
			{"-N sources", []string{`^\^\+ office 2 6`}, false},
			{"sourcestats", []string{`^gps0 900 0 0 \+0\.000 0\.000 -123us 20us$`, `^192\.0\.2\.17 44 0 0 `}, false},
			{"serverstats", []string{
				`^NTP packets received : 1050$`, `^NTP packets dropped : 50$`, `^Authenticated NTP packets : 40$`,
				`^Interleaved NTP packets : 7$`, `^NTS-KE connections accepted: 5$`, `^NTS-KE connections dropped : 1$`,
			}, false},
			{"activity", []string{`^4 sources online$`, `^1 sources offline$`}, false},
			{"clients", []string{`^192\.0\.2\.200 500 10 - - 3 `, `^2001:db8::5 20 0 - - 90 `, `^fe80::7 3 0 - - 20 `}, false},
			{"ntpdata", []string{
				`^Remote address : 192\.0\.2\.17 \(C0000211\)$`, `^Remote port : 123$`, `^Stratum : 2$`, `^Poll interval : 6 \(64 seconds\)$`,
				`^Reference ID : C6336409 `, `^Offset : \+0\.003200000 seconds$`, `^Peer delay : 0\.008500000 seconds$`,
				`^Root delay : 0\.002000 seconds$`, `^Root dispersion : 0\.001000 seconds$`, `^Authenticated : Yes$`,
				`^Interleaved : No$`, `^RX timestamping : Kernel$`, `^Total RX : 44$`, `^Total good RX : 44$`,
			}, false},
			{"sourcename 192.0.2.17", []string{`^office$`}, false},
			{"sourcename 192.0.2.18", []string{`^503 No such source$`}, true},
			{"smoothing", []string{`^505 Facility not enabled in daemon$`}, true},
			{"rtcdata", []string{`^513 RTC driver not running$`}, true},
			{"makestep", []string{`^501 Not authorised$`}, true},
			{"clients -r", []string{`501 Not authorised`}, true},
			{"online", []string{`^501 Not authorised$`}, true},
		} {
			t.Run(c.command+" "+address, func(t *testing.T) {
				printed, err := chronyc(c.command)
				if refused := err != nil; refused != c.refused {
					t.Errorf("it ended with %v", err)
				}
				expect(t, printed, c.lines)
			})
		}
	}
}

// expect looks for each pattern in what was printed, blanks for any number of them.
func expect(t *testing.T, printed string, lines []string) {
	t.Helper()
	blanks := regexp.MustCompile(` +`)
	squeezed := blanks.ReplaceAllString(printed, " ")
	squeezed = regexp.MustCompile(`(?m)^ | $`).ReplaceAllString(squeezed, "")
	for _, line := range lines {
		if !regexp.MustCompile(`(?m)` + line).MatchString(squeezed) {
			t.Errorf("there is no line %s in\n%s", line, printed)
		}
	}
}

// TestPeersChronycUnsynchronised: a station that does not know the time says so to chronyc too.
func TestPeersChronycUnsynchronised(t *testing.T) {
	station := testStation()
	station.now = station.now.Add(time.Hour) // the model has expired
	printed, err := serveChrony(t, "127.0.0.1:0", station)("tracking")
	if err != nil {
		t.Error(err)
	}
	expect(t, printed, []string{`^Reference ID : 00000000 \(\)$`, `^Stratum : 0$`, `^Leap status : Not synchronised$`})
}

// TestPeersChronyExporter: the client library of chrony_exporter, asked as that asks it, reads what Prometheus then shows.
func TestPeersChronyExporter(t *testing.T) {
	program := os.Getenv("TIMESTATION_CHRONYCLIENT")
	if program == "" {
		t.Fatal("TIMESTATION_CHRONYCLIENT names no program; run this test with: make peers")
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		printed, err := run(t, nil, program, listenChrony(t, address, testStation()).String())
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
		expect(t, printed, []string{
			`^{"\*chrony.ReplyTracking":.*"RefID":1196446464,.*"Stratum":1,"LeapStatus":0,"RefTime":"2026-11-22T13:08:36.5Z"` +
				`,.*"LastOffset":-0\.00012`,
			`^{"\*chrony.ReplyServerStats\d":.*"NTPHits":1050,"NKEHits":5,.*"NTPDrops":50,"NKEDrops":1,.*"NTPAuthHits":40,` +
				`"NTPInterleavedHits":7,`,
			`^{"\*chrony.ReplyActivity":.*"Online":4,"Offline":1,`,
			`^{"\*chrony.ReplySources":.*"NSources":5}`,
			`^{"\*chrony.ReplySourceData":.*"IP":\[192,0,2,17,.*"Poll":6,"Stratum":2,.*"SinceSample":17,`,
			`^{"\*chrony.ReplySourceStats":.*"NSamples":900,`,
		})
		if n := strings.Count(printed, `"*chrony.ReplySourceData"`); n != 5 {
			t.Errorf("%d sources", n)
		}
	}
}

// ntpqToPort runs ntpq, which knows no port but 123, with every address it looks up led to another.
const ntpqToPort = `
import runpy, socket, sys
look, port = socket.getaddrinfo, int(sys.argv[1])
def lead(host, _, family=0, type=0, proto=0, flags=0): return look(host, port, family, type, proto, flags)
socket.getaddrinfo = lead
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
`

// serveMode6 answers mode 6 on a loopback port, and gives what runs ntpq there.
func serveMode6(t *testing.T, network, host string, station Station) func(args ...string) (string, error) {
	responder, err := NewResponder(DefaultConfig(), station, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(host), 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		request := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(request)
			if err != nil {
				return
			}
			responder.Control(request[:n], from, func(datagram []byte) { conn.WriteToUDPAddrPort(datagram, from) })
		}
	}()
	peers := peersFolder(t)
	modules := filepath.Join(peers, "usr/lib/python3/dist-packages")
	if libraries, _ := filepath.Glob(filepath.Join(peers, "usr/lib/*/ntp/libntpc.so")); len(libraries) > 0 {
		// Its C part, which it looks for in the system's folders or beside its modules.
		if err := os.Symlink(libraries[0], filepath.Join(modules, "ntp/libntpc.so")); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	port := strconv.Itoa(conn.LocalAddr().(*net.UDPAddr).Port)
	return func(args ...string) (string, error) {
		args = append([]string{"-c", ntpqToPort, port, filepath.Join(peers, "usr/bin/ntpq"), "-n"}, args...)
		return run(t, []string{"PYTHONPATH=" + modules, "COLUMNS=100", "TZ=UTC"}, "python3", append(args, host)...)
	}
}

// TestPeersNtpq lets ntpsec's ntpq read a station, over both families.
func TestPeersNtpq(t *testing.T) {
	for network, host := range map[string]string{"udp4": "127.0.0.1", "udp6": "::1"} {
		ntpq := serveMode6(t, network, host, testStation())
		for _, c := range []struct {
			command string
			lines   []string
		}{
			{"peers", []string{
				`^\*gps0\(gps\) \.gps0\. 0 l \S+ 1 377 0\.0000 0\.1234 0\.0200$`, `^\+pps\(pps\) \.pps\. 0 l \S+ 1 377 `,
				`^\+192\.0\.2\.17 198\.51\.100\.9 2 u \S+ 64 377 8\.5000 3\.2000 0\.4000$`,
				`^xdcf77-cellar\(dc \.dcf7\. 0 l \S+ 1 377 0\.0000 2500\.000`, `^gps0 roof\(gps\) \.gp05\. 0 l - 1 0 `,
			}},
			{"associations", []string{`^1 1 961a yes yes none sys\.peer sys_peer 1$`, `^3 3 f414 yes yes ok candidate reachable 1$`,
				`^4 4 9114 yes yes none falsetick reachable 1$`, `^5 5 8013 yes no none reject unreachable 1$`}},
			{"rv", []string{
				`^associd=0 status=0415 leap_none, sync_uhf_radio, 1 event, clock_sync,$`, `leap=00, stratum=1, precision=-\d+`,
				`rootdelay=0\.0, rootdisp=1\.5, refid=GPS`, `reftime=eead67d4\.80000000 2026-11-22T13:08:36\.500`,
				`peer=1`, `offset=0\.1234`, `frequency=-12\.345`, `sys_jitter=0\.02\b`, `tai=37`, `version="timestation 1\.2\.3"`,
			}},
			{"sysinfo", []string{`system peer: 127\.127\.0\.1:123`, `system peer mode: client`, `leap indicator: 00`, `stratum: 1`,
				`log2 precision: -\d+`, `root dispersion: 1\.5`, `root distance 1\.5`, `reference ID: GPS`,
				`reference time: eead67d4\.80000000`, `system jitter: 0\.02`}},
			{"rv &1", []string{`^associd=1 status=961a conf, reach, sel_sys\.peer, 1 event, sys_peer,$`, `srcadr=127\.127\.0\.1`,
				`refid=gps0`, `reach=377`, `offset=0\.1234`, `jitter=0\.02`, `dispersion=1\.5`, `flash=00 ok`, `srchost="gps0\(gps\)"`}},
			{"rv 3 offset,delay", []string{`offset=3\.2, delay=8\.5`}},
			{"rv 0 nonsense", []string{`Server error code UNKNOWNVAR`}},
			{"cv &1", []string{`name="gps"`, `poll=900`, `badformat=3`, `device="ublox"`}},
			{"mrulist", []string{`^4 2\.00 0 \. 3 0 500 - 10 0 192\.0\.2\.200$`, `^21 0\.000 0 \. 3 0 3 - 0 0 fe80::7%eth0$`,
				`^91 67 0 \. 3 0 20 - 0 0 2001:db8::5$`, `Collected 3 slots`}},
			{"mrulist mincount=20", []string{`Collected 2 slots`}},
			{"mrulist recent=1", []string{`Collected 1 slots`}},
			{"sysstats", []string{`uptime: 00:0\d:\d\d`, `packets received: 1050 `, `bad length or format: 5 `, `authentication failed: 11 `,
				`restricted: 30 `, `declined: 4 `, `processed for time: 1000 `}},
		} {
			t.Run(c.command+" "+host, func(t *testing.T) {
				printed, err := ntpq("-c", c.command)
				if err != nil {
					t.Error(err)
				}
				expect(t, printed, c.lines)
			})
		}
	}
}

// TestPeersNtpqManyClients: ntpq reads a list of clients that takes many requests, and sees each once.
func TestPeersNtpqManyClients(t *testing.T) {
	station := testStation()
	station.clients = manyClients(4096)
	printed, err := serveMode6(t, "udp4", "127.0.0.1", station)("-c", "mrulist sort=addr")
	if err != nil {
		t.Error(err)
	}
	expect(t, printed, []string{`^# Collected 4096 slots`})
	if n := strings.Count(printed, "2001:db8:"); n != 4096 {
		t.Errorf("ntpq printed %d clients", n)
	}
}

// TestPeersNtpqUnsynchronised: a station that does not know the time says so to ntpq too.
func TestPeersNtpqUnsynchronised(t *testing.T) {
	station := testStation()
	station.now = station.now.Add(time.Hour) // the model has expired
	printed, err := serveMode6(t, "udp4", "127.0.0.1", station)("-c", "rv")
	if err != nil {
		t.Error(err)
	}
	expect(t, printed, []string{`status=c018 leap_alarm, sync_unspec, 1 event, no_sys_peer`, `leap=11, stratum=16`, `refid=INIT`, `peer=0`})
}
