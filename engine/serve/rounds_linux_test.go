package serve

import (
	"runtime"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/serve/load"
	"timestation/engine/status"
)

// Rounds are for a thousand requests a second: fewer are not worth them, and with more the socket is hardly ever empty.
func TestRoundsBeginAndEnd(t *testing.T) {
	at := time.Unix(0, 0)
	var r rounds
	for _, c := range []struct {
		perSecond int
		length    time.Duration // of a round; 0 for none
	}{
		{1, 0}, {300, 0}, {500, 4 * time.Millisecond}, {1000, 3 * time.Millisecond}, {3500, time.Millisecond}, {300, 0},
		{1000, 3 * time.Millisecond}, {20_000, 0}, {1000, 3 * time.Millisecond}, {0, 0},
	} {
		due, seen := 0.0, at
		for end := at.Add(35 * time.Second); at.Before(end); {
			step := r.length
			if !r.on {
				step = time.Second / time.Duration(max(c.perSecond, 1))
			}
			at = at.Add(step)
			due += float64(c.perSecond) * step.Seconds()
			n := int(due + 1e-6)
			if due -= float64(n); n > 0 {
				seen = at
			}
			r.note(n, seen)
		}
		if r.on != (c.length > 0) || (r.length-c.length).Abs() > 200*time.Microsecond {
			t.Errorf("%d a second: rounds %v of %v, want %v", c.perSecond, r.on, r.length, c.length)
		}
	}
}

// A socket that is looked after in rounds answers every request within some milliseconds, and what an answer says it took
// the client saw pass. When few ask it is listened to again.
func TestRoundsAnswerEveryRequest(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // one socket
	config := listener(t, "127.0.0.1:0")
	config.RateLimitPerSecond = 0
	board := new(status.Board)
	model := good()
	defer keep(func() { republish(board, model, status.Synchronised) })()
	s, err := New(config, board, discard())
	if err != nil {
		t.Fatal(err)
	}
	w := s.newWorker(s.sockets[0])
	w.rounds = rounds{on: true, length: 2 * time.Millisecond, since: time.Now()}
	w.socket.unlisten()
	if err := w.socket.rest(w.rounds.length); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.run(t.Context())
	}()
	alone := func(n int) {
		t.Helper()
		for range n {
			began := time.Now()
			answer, err := ntp.Parse(exchange(t, s.Address().String(), request(4, ntp.Client), patience))
			if err != nil {
				t.Fatal(err)
			}
			if took := moment(answer.Transmit).Sub(moment(answer.Receive)); took < 0 || took > time.Since(began) {
				t.Errorf("an answer took %v by itself, of %v", took, time.Since(began))
			}
		}
	}
	alone(40)
	r, err := load.Run(load.Config{Target: s.Address(), Ports: 4, Window: 8, PerSecond: 1500, Duration: 200 * time.Millisecond})
	if err != nil || r.Answered < r.Sent || r.Wrong > 0 {
		t.Fatalf("%v, %v", r, err)
	}
	time.Sleep(2 * stretch * longestRound)
	alone(3)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	<-ended
}
