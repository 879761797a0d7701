package control

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/status"
)

// chronyCommand writes a request as a client does: with the data it has, padded to a length.
func chronyCommand(command uint16, length int, data ...byte) []byte {
	b := []byte{chronyVersion, chronyRequest, 0, 0}
	b = binary.BigEndian.AppendUint16(b, command)
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint32(b, 0x12345678)
	b = append(b, make([]byte, 8)...)
	b = append(b, data...)
	return append(b, make([]byte, max(0, length-len(b)))...)
}

func testDesk(station Station) *desk { return &desk{station: station, watch: startStopwatch()} }

func index(i uint32) []byte { return binary.BigEndian.AppendUint32(nil, i) }

// The lengths of the answers are the protocol's, and a request that is one octet shorter gets the error that is allowed.
func TestChronyLengths(t *testing.T) {
	server := make([]byte, addressLen)
	copy(server, []byte{192, 0, 2, 17})
	server[17] = familyIPv4
	for _, c := range []struct {
		command uint16
		data    []byte
		kind    uint16
		length  int
	}{
		{cmdNull, nil, replyNull, 28},
		{cmdSources, nil, replySources, 32},
		{cmdSourceData, index(0), replySourceData, 76},
		{cmdTracking, nil, replyTracking, 104},
		{cmdSourceStats, index(4), replySourceStats, 84},
		{cmdActivity, nil, replyActivity, 48},
		{cmdServerStats, nil, replyServerStats2, 60},
		{cmdServerStats, nil, replyServerStats3, 72},
		{cmdServerStats, nil, replyServerStats4, 196},
		{cmdNTPData, server, replyNTPData, 152},
		{cmdNTPData, server, replyNTPData2, 172},
		{cmdSourceName, server, replySourceName, 284},
		{cmdClients, append(index(0), index(8)...), replyClients, 520},
	} {
		d := testDesk(testStation())
		answer := d.answer(chronyCommand(c.command, c.length, c.data...))
		if len(answer) != c.length || binary.BigEndian.Uint16(answer[6:]) != c.kind || answer[8] != 0 || answer[9] != 0 {
			t.Errorf("command %d: %d octets, head % x; want %d of kind %d", c.command, len(answer), answer[:min(28, len(answer))], c.length, c.kind)
		}
		if c.command == cmdServerStats && c.kind != replyServerStats2 || c.kind == replyNTPData2 {
			continue // a shorter request is one of an older client
		}
		short := d.answer(chronyCommand(c.command, c.length, c.data...)[:c.length-1])
		switch {
		case c.length == 28 && short != nil:
			t.Errorf("command %d: a request of 27 octets got %d", c.command, len(short))
		case c.length > 28 && chronyStatus(binary.BigEndian.Uint16(short[8:])) != chronyBadLength:
			t.Errorf("command %d: a request that is too short got % x", c.command, short)
		}
	}
}

func TestChronyRefuses(t *testing.T) {
	long := 520
	versioned := func(version uint8) []byte {
		b := chronyCommand(cmdTracking, long)
		b[0] = version
		return b
	}
	reply := chronyCommand(cmdTracking, long)
	reply[1] = chronyReply
	for name, c := range map[string]struct {
		request []byte
		want    chronyStatus // 0 for silence
	}{
		"online":          {chronyCommand(63, long), chronyUnauthorised},
		"makestep":        {chronyCommand(43, long), chronyUnauthorised},
		"add source":      {chronyCommand(64, long), chronyUnauthorised},
		"shutdown":        {chronyCommand(62, long), chronyUnauthorised},
		"no command":      {chronyCommand(75, long), chronyInvalid},
		"rtc":             {chronyCommand(cmdRTC, long), chronyNoRTC},
		"smoothing":       {chronyCommand(cmdSmoothing, long), chronyNotEnabled},
		"no source":       {chronyCommand(cmdSourceData, long, index(5)...), chronyNoSource},
		"no source at −1": {chronyCommand(cmdSourceStats, long, index(math.MaxUint32)...), chronyNoSource},
		"no server":       {chronyCommand(cmdNTPData, long), chronyNoSource},
		"reset of counts": {chronyCommand(cmdClients, long, append(append(index(0), index(8)...), append(index(0), index(1)...)...)...), chronyUnauthorised},
		"version 5":       {versioned(5), chronyBadVersion},
		"version 7":       {versioned(7), chronyBadVersion},
		"version 4":       {versioned(4), 0},
		"an answer":       {reply, 0},
		"a stub":          {chronyCommand(cmdTracking, 0)[:19], 0},
	} {
		answer := testDesk(testStation()).answer(c.request)
		switch {
		case c.want == 0 && answer != nil:
			t.Errorf("%s: answered", name)
		case c.want != 0 && (len(answer) != chronyReplyLen || chronyStatus(binary.BigEndian.Uint16(answer[8:])) != c.want):
			t.Errorf("%s: % x; want status %d", name, answer, c.want)
		}
	}
}

// fromChronyFloat reads what chronyFloat wrote, by the layout's own words.
func fromChronyFloat(b uint32) float64 {
	exponent, coefficient := int32(b)>>25, int32(b<<7)>>7
	return math.Ldexp(float64(coefficient), int(exponent)-25)
}

func TestChronyFloat(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		x := (random.Float64() - 0.5) * math.Pow(10, float64(random.IntN(34)-17))
		if got := fromChronyFloat(chronyFloat(x)); math.Abs(got-x) > math.Abs(x)*1e-7+1e-26 {
			t.Fatalf("%g came back as %g", x, got)
		}
	}
	largest := fromChronyFloat(chronyFloat(math.MaxFloat64))
	for x, want := range map[float64]float64{
		0: 0, 1: 1, -1: -1, math.Inf(1): largest, math.Inf(-1): -largest, -math.MaxFloat64: -largest, 1e-300: 0,
		math.Nextafter(1, 0): 1, math.Nextafter(-1, 0): -1,
	} {
		if got := fromChronyFloat(chronyFloat(x)); got != want {
			t.Errorf("%g came back as %g, want %g", x, got, want)
		}
	}
	if largest < 1e11 {
		t.Errorf("the largest is %g", largest)
	}
	if got := chronyFloat(math.NaN()); got != 0 {
		t.Errorf("what is no number: %#x", got)
	}
}

// TestChronyClients reads the list eight at a time while it changes its order: each client is seen once.
func TestChronyClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		station := testStation()
		station.clients = manyClients(100)
		d := testDesk(station)
		seen := map[netip.Addr]int{}
		for first := uint32(0); first < 100; {
			answer := d.answer(chronyCommand(cmdClients, 520, append(index(first), index(8)...)...))
			if len(answer) != 520 {
				t.Fatalf("%d octets", len(answer))
			}
			body := answer[chronyReplyLen:]
			total, next, n := binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:]), int(binary.BigEndian.Uint32(body[8:]))
			if total != 100 || next <= first || n > chronyClients {
				t.Fatalf("%d clients of %d, next %d", n, total, next)
			}
			for i := range n {
				seen[parseChronyAddress(body[12+60*i:])]++
			}
			first = next
			station.clients = append(station.clients[1:], station.clients[0])
			time.Sleep(time.Second / 2)
		}
		for _, c := range station.clients {
			if seen[c.Address] != 1 {
				t.Errorf("%v was seen %d times", c.Address, seen[c.Address])
			}
		}
	})
}

// TestChronyTags: no two reference clocks have the same four octets, whatever they are called.
func TestChronyTags(t *testing.T) {
	station := testStation()
	station.status.Sources = nil
	for range 60 {
		station.status.Sources = append(station.status.Sources, status.Source{Name: "GPS receiver"}, status.Source{Name: "µ"})
	}
	seen := map[[4]byte]bool{}
	for _, s := range look(station).sources {
		if seen[s.tag] {
			t.Errorf("source %d has the tag %q of another", s.number, s.tag)
		}
		seen[s.tag] = true
	}
}

// checkChrony holds for every request: the answer is not longer, and no request.
func checkChrony(t testing.TB, d *desk, request []byte) {
	t.Helper()
	answer := d.answer(request)
	if len(answer) > len(request) {
		t.Errorf("%d octets for a request of %d: % x", len(answer), len(request), request)
	}
	if _, ok := parseChrony(answer); ok {
		t.Errorf("the answer % x would be taken for a request", answer)
	}
	if answer != nil && (len(answer) < chronyReplyLen || string(answer[12:16]) == "" || string(answer[16:20]) != string(request[8:12])) {
		t.Errorf("% x does not answer % x", answer, request)
	}
}

func TestChronyNeverLonger(t *testing.T) {
	d := testDesk(testStation())
	for command := range uint16(chronyCommands + 2) {
		for length := chronyRequestLen; length <= 540; length++ {
			checkChrony(t, d, chronyCommand(command, length)[:length])
			checkChrony(t, d, chronyCommand(command, length, append(index(2), index(8)...)...)[:length])
		}
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		request := chronyCommand(uint16(random.IntN(chronyCommands)), random.IntN(600))
		for range random.IntN(8) {
			request[random.IntN(len(request))] = byte(random.Uint32())
		}
		checkChrony(t, d, request[:random.IntN(len(request)+1)])
	}
}

func FuzzChrony(f *testing.F) {
	station := testStation()
	f.Add(chronyCommand(cmdTracking, 104))
	f.Fuzz(func(t *testing.T, request []byte) { checkChrony(t, testDesk(station), request) })
}

func TestChronyListens(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	log := slog.New(slog.DiscardHandler)
	_, err = Listen(Config{ChronyAddress: taken.LocalAddr().String()}, testStation(), log)
	if err == nil || !strings.HasPrefix(err.Error(), "chrony_address: cannot listen on 127.0.0.1:") || !strings.Contains(err.Error(), "another program has this port") {
		t.Errorf("on a port that is taken: %v", err)
	}

	server, err := Listen(Config{ChronyAddress: "localhost:0"}, testStation(), log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- server.Run(ctx) }()
	for _, address := range server.Addresses() {
		conn, err := net.Dial("udp", address.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		answer := make([]byte, 1024)
		if _, err := conn.Write(chronyCommand(cmdTracking, 104)); err != nil {
			t.Error(err)
		}
		if n, err := conn.Read(answer); err != nil || n != 104 {
			t.Errorf("%v: %d octets, %v", address, n, err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}

	nothing, err := Listen(Config{}, testStation(), log)
	if err != nil {
		t.Fatal(err)
	}
	if err := nothing.Run(t.Context()); err != nil || len(nothing.Addresses()) != 0 {
		t.Errorf("with nothing to do: %v, %v", err, nothing.Addresses())
	}
}
