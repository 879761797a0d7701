package serve

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

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

func port(s *Server) string { return strconv.Itoa(int(s.Address().Port())) }
