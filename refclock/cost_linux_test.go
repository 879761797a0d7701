package refclock_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"timestation/refclock"
	"timestation/refclock/dcf77"
	"timestation/refclock/edge"
	"timestation/refclock/gps"
	"timestation/refclock/gpsd"
	"timestation/refclock/longwave/receiver"
	"timestation/refclock/pps"
	"timestation/refclock/sinktest"
	"timestation/refclock/upstream"
)

// TestLiveCost runs every kind of driver at once, in real time: a u-blox that sends UBX ten times and NMEA once a second
// through a terminal, edges of its pulse and of a DCF77 module, a gpsd and an NTP server. Together they may take 2 % of a
// processor. Who feeds them is another process, but for the edges. TIMESTATION_MEASURE=1 takes a minute.
func TestLiveCost(t *testing.T) {
	if os.Getenv(peersOf) != "" {
		bePeers(t)
		return
	}
	master, device := terminal(t)
	gpsdAddress, ntpAddress := startPeers(t, master)
	length, limit := 3*time.Second, 0.05 // the machine that tests may be busy
	if os.Getenv("TIMESTATION_MEASURE") == "1" {
		length, limit = time.Minute, 0.02
	}
	g, d, u, p, r := gps.DefaultConfig(), gpsd.DefaultConfig(), upstream.DefaultConfig(), pps.DefaultConfig(), receiver.DefaultConfig()
	g.Device, g.Baud = device, 115200
	d.Address, u.Server = gpsdAddress, ntpAddress
	p.Line, p.With, r.Line = "GPIO18", "gps", "GPIO17"
	began := time.Now()
	epoch := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	environment := func(name string) refclock.Environment {
		return refclock.Environment{
			Name: name, Log: slog.New(slog.DiscardHandler), NotBefore: epoch.AddDate(-1, 0, 0),
			TAIMinusUTC: func(refclock.UTC) int32 { return 37 },
			UTC:         func() (refclock.UTC, bool) { return refclock.UTC{}, false },
			Now:         func() refclock.Stamp { return refclock.Stamp(epoch.UnixNano()).Add(time.Since(began)) },
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sinks := map[string]*sinktest.Record{}
	run := func(name string, driver refclock.Driver) {
		sinks[name] = &sinktest.Record{}
		go refclock.Supervise(ctx, name, driver, slog.New(slog.DiscardHandler), sinks[name])
	}
	for name, config := range map[string]refclock.Config{"gps": &g, "gpsd": &d, "ntp": &u} {
		registration, ok := refclock.Lookup(name)
		if !ok {
			t.Fatalf("%s: no such driver", name)
		}
		driver, err := registration.New(config, environment(name))
		if err != nil {
			t.Fatal(err)
		}
		run(name, driver)
	}
	lines := func(lengths func(second int) time.Duration) func(edge.Options) (edge.Line, error) {
		return func(edge.Options) (edge.Line, error) {
			l := make(beating, 4)
			go l.beat(ctx, environment("").Now, lengths)
			return l, nil
		}
	}
	run("pps", pps.New(p, environment("pps"), lines(func(int) time.Duration { return 100 * time.Millisecond })))
	telegram := dcf77.Code.Encode(dcf77.Code.At(epoch))
	run("dcf77", receiver.New(dcf77.Transmitter, r, environment("dcf77"), lines(func(second int) time.Duration {
		return 100 * time.Millisecond * time.Duration(1+telegram[second%59]%2)
	})))
	time.Sleep(time.Second)
	share := 1.0
	for range 3 { // a busy machine disturbs one stretch, and what else this process does another
		before := used(t)
		time.Sleep(length / 3)
		share = min(share, (used(t)-before).Seconds()/(length/3).Seconds())
	}
	for name, sink := range sinks {
		samples, signals := sink.Samples(), sink.Signals()
		t.Logf("%-5s %d samples, %d signals", name, len(samples), len(signals))
		if len(samples) == 0 && name != "dcf77" || len(signals) == 0 {
			t.Errorf("%s delivered %d samples and %v", name, len(samples), signals)
		}
	}
	t.Logf("%.2f ms of processor time a second", share*1000)
	if share > limit && !underRace {
		t.Errorf("all drivers together take %.1f %% of a processor", 100*share)
	}
}

// used is the processor time of this process.
func used(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// beating is a GPIO line with a pulse a second.
type beating chan edge.Edge

func (l beating) Edges() <-chan edge.Edge { return l }
func (l beating) Err() error              { return nil }
func (l beating) Active() (bool, error)   { return false, nil }
func (l beating) Close() error            { return nil }

func (l beating) beat(ctx context.Context, now func() refclock.Stamp, length func(second int) time.Duration) {
	next := now()
	for n := uint32(0); ctx.Err() == nil; n += 2 {
		next = next.Add(time.Second)
		end := next.Add(length(int(n / 2)))
		time.Sleep(next.Sub(now()))
		l <- edge.Edge{Stamp: next, Rising: true, Sequence: n + 1}
		time.Sleep(end.Sub(now()))
		l <- edge.Edge{Stamp: end, Sequence: n + 2}
	}
}

// terminal opens a pseudo-terminal: what is written to its master is read from the device.
func terminal(t *testing.T) (master *os.File, device string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	return master, fmt.Sprintf("/dev/pts/%d", number)
}

// peersOf makes a run of this program the peers of TestLiveCost.
const peersOf = "TIMESTATION_TEST_PEERS"

func startPeers(t *testing.T, master *os.File) (gpsd, ntp string) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestLiveCost$")
	c.Env = append(os.Environ(), peersOf+"=1")
	c.ExtraFiles = []*os.File{master}
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		c.Wait()
	})
	if _, err := fmt.Fscanln(bufio.NewReader(stdout), &gpsd, &ntp); err != nil {
		t.Fatal(err)
	}
	return gpsd, ntp
}

// bePeers is a receiver on file 3, a gpsd and an NTP server, until standard input ends.
func bePeers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(listener.Addr(), server.LocalAddr())
	go beUblox(os.NewFile(3, "terminal"))
	go beServer(server)
	go func() {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		io.WriteString(c, `{"class":"VERSION","release":"3.22","rev":"3.22","proto_major":3,"proto_minor":14}`+"\n"+
			`{"class":"DEVICES","devices":[{"class":"DEVICE","path":"/dev/ttyACM0","driver":"u-blox"}]}`+"\n")
		for at := range seconds() {
			stamp := at.Format("2006-01-02T15:04:05.000Z")
			fmt.Fprintf(c, `{"class":"TOFF","device":"/dev/ttyACM0","real_sec":%d,"real_nsec":0,"clock_sec":%d,"clock_nsec":117000000}`+"\n", at.Unix(), at.Unix())
			fmt.Fprintf(c, `{"class":"TPV","device":"/dev/ttyACM0","mode":3,"time":"%s","leapseconds":18,"lat":52.1,"lon":13.2,"altMSL":71.5}`+"\n", stamp)
			satellite := `{"PRN":5,"gnssid":0,"svid":5,"az":284.0,"el":19.0,"ss":38.0,"used":true}`
			fmt.Fprintf(c, `{"class":"SKY","device":"/dev/ttyACM0","uSat":20,"satellites":[%s%s]}`+"\n", strings.Repeat(satellite+",", 19), satellite)
		}
	}()
	io.Copy(io.Discard, os.Stdin)
}

// seconds ticks, from a date that the drivers believe.
func seconds() <-chan time.Time {
	all := make(chan time.Time)
	go func() {
		at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		for range time.Tick(time.Second) {
			all <- at
			at = at.Add(time.Second)
		}
	}()
	return all
}

func beServer(server net.PacketConn) {
	b := make([]byte, 48)
	for {
		n, from, err := server.ReadFrom(b)
		if err != nil {
			return
		}
		if n < 48 {
			continue
		}
		copy(b[24:32], b[40:48]) // the request's random number
		b[0], b[1] = 0x24, 1
		copy(b[12:16], "GPS\x00")
		for _, at := range []int{16, 32, 40} {
			binary.BigEndian.PutUint32(b[at:], 0xeeae0000)
		}
		server.WriteTo(b, from)
	}
}

// beUblox sends NAV-PVT ten times a second, and once a second NAV-SAT of 30 satellites and some NMEA.
func beUblox(port io.Writer) {
	const gpsEpoch = 315964800 - 18
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for range time.Tick(100 * time.Millisecond) {
		tow := uint32((at.UnixMilli() - gpsEpoch*1000) % (7 * 86400 * 1000))
		pvt := make([]byte, 92)
		binary.LittleEndian.PutUint32(pvt, tow)
		binary.LittleEndian.PutUint16(pvt[4:], uint16(at.Year()))
		copy(pvt[6:], []byte{byte(at.Month()), byte(at.Day()), byte(at.Hour()), byte(at.Minute()), byte(at.Second()), 7, 30})
		binary.LittleEndian.PutUint32(pvt[16:], uint32(at.Nanosecond()))
		copy(pvt[20:], []byte{3, 0xe1, 0xe0, 20})
		burst := ubx(0x01, 0x07, pvt)
		if at.Nanosecond() == 0 {
			sat := make([]byte, 8+12*30)
			binary.LittleEndian.PutUint32(sat, tow)
			sat[4], sat[5] = 1, 30
			for i := range 30 {
				copy(sat[8+12*i:], []byte{0, byte(i + 1), 40, 30, 20, 0, 0, 0, 8})
			}
			burst = append(burst, ubx(0x01, 0x35, sat)...)
			clock, date := at.Format("150405.00"), at.Format("020106")
			for _, text := range []string{"GNRMC," + clock + ",A,5205.00,N,01312.00,E,0.0,," + date + ",,,A", "GNGGA," + clock + ",5205.00,N,01312.00,E,1,20,0.6,71.5,M,45.0,M,,"} {
				sum := byte(0)
				for _, c := range []byte(text) {
					sum ^= c
				}
				burst = fmt.Appendf(burst, "$%s*%02X\r\n", text, sum)
			}
		}
		if _, err := port.Write(burst); err != nil {
			return
		}
		at = at.Add(100 * time.Millisecond)
	}
}

func ubx(class, id byte, payload []byte) []byte {
	p := append([]byte{0xb5, 0x62, class, id, byte(len(payload)), byte(len(payload) >> 8)}, payload...)
	var a, b byte
	for _, x := range p[2:] {
		a += x
		b += a
	}
	return append(p, a, b)
}
