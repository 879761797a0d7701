package serve

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"timestation/engine/ntp"
	"timestation/engine/status"
)

// TestArrivalIsTheKernels: a request that lies in the socket while the program sleeps arrived before.
func TestArrivalIsTheKernels(t *testing.T) {
	board := new(status.Board)
	board.Publish(good())
	for _, address := range []string{"127.0.0.1:0", ":0"} {
		s, err := New(listener(t, address), board, discard())
		if err != nil {
			t.Fatal(err)
		}
		const sleep = 80 * time.Millisecond
		time.Sleep(sleep) // the kernel begins to stamp a moment after it is asked to
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		conn := send(t, "127.0.0.1:"+port(s), request(4, ntp.Client))
		defer conn.Close()
		time.Sleep(sleep)
		go func() {
			if err := s.Run(ctx); err != nil {
				t.Error(err)
			}
		}()
		answer, err := ntp.Parse(receive(t, conn, patience))
		if err != nil {
			t.Fatal(err)
		}
		if waited := moment(answer.Transmit).Sub(moment(answer.Receive)); waited < sleep*9/10 || waited > patience {
			t.Errorf("%s: the answer says that the request waited %v, it was %v", address, waited, sleep)
		}
	}
}

// TestAnswersLeaveFromTheAddressAsked: a client's connected socket takes answers from nowhere else.
func TestAnswersLeaveFromTheAddressAsked(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0"} {
		s := start(t, listener(t, address))
		for _, host := range []string{"127.0.0.1", "127.0.0.2", "127.9.9.9"} {
			if out := exchange(t, net.JoinHostPort(host, port(s)), request(4, ntp.Client), patience); out == nil {
				t.Errorf("listening on %s: no answer from %s", address, host)
			}
		}
	}
}

func TestSocketPathAllocatesNothing(t *testing.T) {
	s := start(t, listener(t, ":0"))
	conn, err := net.Dial("udp", "127.0.0.1:"+port(s))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		t.Fatal(err)
	}
	in, out := signed(t, request(4, ntp.Client), 6, 0), make([]byte, 100)
	allocs := testing.AllocsPerRun(200, func() { // of the whole process: client and server
		if _, err := conn.Write(in); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(out); err != nil {
			t.Fatal(err)
		}
	})
	if allocs >= 1 {
		t.Errorf("%v allocations a request", allocs)
	}
}

// Over a real socket: the transmit time is the kernel's, later than what the answer itself could say, and not after the
// client had it.
func TestTransmitStampsOfTheKernel(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", ":0"} {
		s := start(t, listener(t, address))
		conn, err := net.Dial("udp", "127.0.0.1:"+port(s))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		exchange := func(in []byte) ntp.Packet {
			t.Helper()
			if _, err := conn.Write(in); err != nil {
				t.Fatal(err)
			}
			out := receive(t, conn, patience)
			answer, err := ntp.Parse(out)
			if err != nil {
				t.Fatal(err)
			}
			return answer
		}
		before := exchange(request(4, ntp.Client))
		before = exchange(interleaved(before.Header, 1, 2))
		for i := range ntp.Timestamp(20) {
			said := before.Transmit
			time.Sleep(2 * time.Millisecond)
			answer := exchange(interleaved(before.Header, 10+2*i, 11+2*i))
			if answer.Origin != 10+2*i {
				t.Fatalf("%s: answer %d is of the basic mode: %+v; %+v", address, i, answer.Header, s.Counters())
			}
			if i == 0 { // the answer before said its own transmit time
				if d := moment(answer.Transmit).Sub(moment(said)); d < -time.Millisecond || d > time.Second {
					t.Errorf("%s: the kernel says %v after the program", address, d)
				}
			}
			if d := moment(answer.Receive).Sub(moment(answer.Transmit)); d < 2*time.Millisecond || d > time.Second {
				t.Errorf("%s: the answer before left %v before this request came", address, d)
			}
			before = answer
		}
		c := counted(t, s, 22)
		if c.Interleaved != 20 || c.TransmitStamps != FromKernel {
			t.Errorf("%+v", c)
		}
	}
}

func port(s *Server) string { return strconv.Itoa(int(s.Address().Port())) }

// A socket tells of what arrives, also of what came while it was not listened to, and of nothing else: not of answers
// that have left.
func TestSocketTellsOfArrivalsAlone(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSocket(conn)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	client, err := net.Dial("udp4", s.address.String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	raw, err := s.arrivals.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	// told says whether the socket tells of anything once something has been done.
	told := func(limit time.Duration, done func()) bool {
		t.Helper()
		_ = s.arrivals.SetReadDeadline(time.Now().Add(limit))
		asked := 0
		err := raw.Read(func(uintptr) bool {
			if asked++; asked == 1 {
				done()
			}
			return asked > 1
		})
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		return err == nil
	}
	write := func() {
		if _, err := client.Write([]byte("request")); err != nil {
			t.Error(err)
		}
	}
	listen := func() {
		if err := s.listen(); err != nil {
			t.Error(err)
		}
	}
	send := func() {
		if err := s.send([]byte("answer"), client.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
			t.Error(err)
		}
		if got := receive(t, client, patience); string(got) != "answer" {
			t.Errorf("%q", got)
		}
	}
	read := func() {
		if n, _, err := unix.Recvfrom(s.fd, make([]byte, 10), unix.MSG_DONTWAIT); n != 7 || err != nil {
			t.Errorf("%d octets, %v", n, err)
		}
	}
	for range 3 {
		if !told(patience, write) {
			t.Error("what came was not told")
		}
		read()
		s.unlisten()
		if told(20*time.Millisecond, write) {
			t.Error("told while it was not listened to")
		}
		if !told(patience, listen) {
			t.Error("what came meanwhile was not told")
		}
		read()
		if told(20*time.Millisecond, send) {
			t.Error("told of an answer that left")
		}
	}
}
