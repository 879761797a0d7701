package serve

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"timestation/engine/ntp"
	"timestation/engine/serve/load"
)

// unlimited is a listener that a test may ask as fast as it likes.
func unlimited(t testing.TB, address string) Config {
	config := DefaultConfig()
	config.Address, config.Keys = address, writeKeys(t, keyFile)
	config.RateLimitPerSecond = 0
	return config
}

// Thousands of requests from many ports and addresses, whole batches at a time: each gets its own answer, once.
func TestBatches(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0", ":0"} {
		s := start(t, unlimited(t, address))
		to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.Address().Port())
		key := s.keyring.Load().keys[5]
		for name, k := range map[string]*ntp.Key{"plain": nil, "CMAC": &key} {
			var sources []netip.Addr
			for i := range byte(40) {
				sources = append(sources, netip.AddrFrom4([4]byte{127, 0, 7, i + 1}))
			}
			r, err := load.Run(load.Config{
				Target: to, Ports: 40, Window: 8, Sources: sources, Duration: 100 * time.Millisecond, Key: k, PerSecond: 30000,
			})
			if err != nil {
				t.Fatal(err)
			}
			if r.Wrong != 0 || r.Answered == 0 || r.Lost*100 > r.Sent {
				t.Errorf("%s %s: %v", address, name, r)
			}
		}
		if n := len(s.Clients()); n != 40 {
			t.Errorf("%s: %d clients", address, n)
		}
		if c := counted(t, s, 1); c.Requests != c.Plain+c.Authenticated || c.Authenticated == 0 {
			t.Errorf("%+v", c)
		}
	}
}

// Keys are read again and again, some come and go, while a client under a key that stays asks without a pause: not one of
// its requests is lost.
func TestReloadLosesNoRequest(t *testing.T) {
	config := unlimited(t, "127.0.0.1:0")
	s := start(t, config)
	key := s.keyring.Load().keys[1]
	var reloads atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ctx.Err() == nil; n++ {
			text := keyFile
			if n%2 == 0 { // rotated: a new one beside the old
				text += "20 SHA1 ASCII:new\n"
			}
			// As keys rotate writes it: a new file in the place of the old.
			if err := os.WriteFile(config.Keys+".new", []byte(text), 0o600); err != nil {
				t.Error(err)
			}
			if err := os.Rename(config.Keys+".new", config.Keys); err != nil {
				t.Error(err)
			}
			if err := s.ReloadKeys(); err != nil {
				t.Error(err)
			}
			reloads.Add(1)
		}
	}()
	r, err := load.Run(load.Config{
		Target: s.Address(), Ports: 4, Window: 4, Duration: 300 * time.Millisecond, Key: &key, PerSecond: 3000,
	})
	stop()
	<-done
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d reloads; %v", reloads.Load(), r)
	if r.Wrong != 0 || r.Lost != 0 || r.Answered == 0 || reloads.Load() == 0 {
		t.Errorf("%v", r)
	}
}

// spoof sends one datagram each from many loopback addresses that nobody has asked from before, no faster than they are
// taken: what the kernel drops because the socket is full is not this program's doing.
func spoof(t *testing.T, to netip.AddrPort, in []byte, first, n int, taken func() uint64) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	control := make([]byte, unix.CmsgSpace(unix.SizeofInet4Pktinfo))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	h.Level, h.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
	h.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
	source := control[unix.CmsgLen(0)+4:][:4]
	for i := range n {
		binary.BigEndian.PutUint32(source, 127<<24|uint32(first+i)&0xffffff)
		for end := time.Now().Add(time.Second); i%64 == 0 && uint64(i) > taken()+512 && time.Now().Before(end); {
			time.Sleep(100 * time.Microsecond)
		}
		if source[1] == 0 && source[2] == 0 {
			continue // this machine's own
		}
		_, _, _ = conn.WriteMsgUDPAddrPort(in, control, to)
	}
}

// A flood from made-up addresses over a real socket: a client under a key is answered all the while, and the memory of
// the process stays where it was.
func TestFloodOverASocket(t *testing.T) {
	flood := 20_000
	if os.Getenv("TIMESTATION_MEASURE") != "" {
		flood = 1_000_000
	}
	s := start(t, unlimited(t, "0.0.0.0:0"))
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.Address().Port())
	key := s.keyring.Load().keys[5]
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	done := make(chan struct{})
	go func() {
		defer close(done)
		spoof(t, to, request(4, ntp.Client), 1<<16, flood, func() uint64 { return s.Counters().Requests })
	}()
	var sum load.Result
	for running := true; running; {
		s.board.Publish(good())
		r, err := load.Run(load.Config{
			Target: to, Sources: []netip.Addr{netip.MustParseAddr("127.0.0.9")}, Ports: 1, Window: 16,
			Duration: 100 * time.Millisecond, Key: &key, PerSecond: 100,
		})
		if err != nil {
			t.Fatal(err)
		}
		sum.Sent, sum.Answered, sum.Lost = sum.Sent+r.Sent, sum.Answered+r.Answered, sum.Lost+r.Lost
		sum.Wrong, sum.Elapsed = sum.Wrong+r.Wrong, sum.Elapsed+r.Elapsed
		select {
		case <-done:
			running = false
		default:
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	c := s.Counters()
	t.Logf("%d made-up sources, %d requests taken; the client with a key: %v; the heap grew by %d octets",
		flood, c.Requests, sum, grown)
	if sum.Answered == 0 || sum.Wrong != 0 || sum.Lost*20 > sum.Sent {
		t.Errorf("the client with a key: %v", sum)
	}
	if grown > 1<<20 {
		t.Errorf("the heap grew by %d octets", grown)
	}
	if n := len(s.Clients()); n > clientSets*clientsInSet {
		t.Errorf("%d clients", n)
	}
}

func TestBroadcast(t *testing.T) {
	heard, err := net.ListenUDP("udp4", &net.UDPAddr{})
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	at := heard.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	for _, address := range []string{"127.0.0.1:0", ":0"} {
		config := listener(t, address)
		config.Broadcast = []string{netip.AddrPortFrom(netip.MustParseAddr("127.255.255.255"), at).String()}
		config.BroadcastSeconds, config.BroadcastKey = 8, 7
		s := start(t, config)
		out := receive(t, heard, patience)
		packet, err := ntp.Parse(out)
		if err != nil || packet.Mode != ntp.Broadcast || packet.Poll != 3 || packet.Stratum != 1 || packet.Transmit == 0 ||
			packet.Origin != 0 || packet.Receive != 0 || packet.KeyID != 7 || packet.Digest == nil ||
			!authenticator(t, 7).Check(packet.Signed, packet.Digest) {
			t.Errorf("%s: %x %v", address, out, err)
		}
		if d := moment(packet.Transmit).Sub(noon2026.UTC().Time()); d < 0 || d > 2*time.Second {
			t.Errorf("%s: %v from the station's time", address, d)
		}
		if address == ":0" {
			continue
		}
		config.BroadcastKey, config.Address = 99, "127.0.0.1:0"
		if _, err := New(config, s.board, discard()); err == nil ||
			!bytes.HasPrefix([]byte(err.Error()), []byte("broadcast_key: the key file ")) {
			t.Error(err)
		}
	}
}

// A server that does not know the time broadcasts nothing.
func TestNoBroadcastWithoutTheTime(t *testing.T) {
	config := listener(t, "127.0.0.1:0")
	config.Broadcast, config.BroadcastSeconds, config.BroadcastKey = []string{"127.255.255.255:9"}, 64, 7
	s := start(t, config)
	f := s.newFace()
	if _, ok := s.announcement(&f, nil); !ok {
		t.Error("nothing to say")
	}
	lost := good()
	lost.State = "unsynchronised"
	s.board.Publish(lost)
	if _, ok := s.announcement(&f, nil); ok {
		t.Error("broadcast without the time")
	}
}

// echoControl answers a control message by two of its own length.
type echoControl struct{ from chan netip.AddrPort }

func (e echoControl) Control(in []byte, from netip.AddrPort, reply func([]byte)) bool {
	if in[1] == 0 {
		return false
	}
	e.from <- from
	reply(in)
	reply(in)
	return true
}

func TestControlMessages(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", ":0"} {
		s, err := New(unlimited(t, address), newBoard(), discard())
		if err != nil {
			t.Fatal(err)
		}
		e := echoControl{make(chan netip.AddrPort, 1)}
		s.ControlWith(e)
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		in := []byte{0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}
		conn := send(t, "127.0.0.1:"+port(s), in)
		for range 2 {
			if out := receive(t, conn, patience); !bytes.Equal(out, in) {
				t.Errorf("%s: %x", address, out)
			}
		}
		if from := <-e.from; from != conn.LocalAddr().(*net.UDPAddr).AddrPort() {
			t.Errorf("%s: from %v", address, from)
		}
		conn.Close()
		in[1] = 0 // refused
		if out := exchange(t, "127.0.0.1:"+port(s), in, silence); out != nil {
			t.Errorf("%x", out)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if c := counted(t, s, 2); c.Control != 1 || c.Dropped[Mode] != 1 || c.Requests != 2 {
			t.Errorf("%+v", c)
		}
	}
}

// Several sockets share the address, and nobody else can have it.
func TestOneSocketForEachProcessor(t *testing.T) {
	s := start(t, listener(t, "127.0.0.1:0"))
	if n := len(s.sockets); n != runtime.GOMAXPROCS(0) {
		t.Errorf("%d sockets", n)
	}
	if _, err := New(listener(t, s.Address().String()), s.board, discard()); err == nil {
		t.Error("a second station took the same port")
	}
}

// A server that is asked without a pause still stops at once.
func TestStopsUnderLoad(t *testing.T) {
	s := start(t, unlimited(t, "127.0.0.1:0"))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = load.Run(load.Config{Target: s.Address(), Ports: 8, Window: 32, Duration: 1500 * time.Millisecond})
	}()
	time.Sleep(50 * time.Millisecond)
	began := time.Now()
	_ = s.Close()
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v to stop", took)
	}
	<-done
}
