//go:build board && linux

package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/refclock"
)

// judge asks a station for the time over NTP, once a second, and holds the answers against the truth: true time is read
// before the request and after the reply, and the answer must lie between them, give or take the bound that it states.
type judge struct {
	world *World
	stop  chan struct{}
	done  sync.WaitGroup

	mu              sync.Mutex
	asked, claimed  int
	outside         int
	worst, narrow   time.Duration
	first           string
	began, lockedAt time.Duration
}

// judged watches a station until the test ends.
func judged(t *testing.T, w *World, s *station) *judge {
	j := &judge{world: w, stop: make(chan struct{}), began: w.since()}
	connection, err := net.Dial("udp", s.ntp)
	if err != nil {
		t.Fatal(err)
	}
	j.done.Go(func() {
		defer connection.Close()
		for {
			select {
			case <-j.stop:
				return
			case <-time.After(time.Second):
				j.ask(connection)
			}
		}
	})
	t.Cleanup(func() {
		close(j.stop)
		j.done.Wait()
		t.Logf("%s: asked %d times, claimed to know the time %d times, first %v after it was started; farthest from the truth "+
			"%v, tightest bound %v", s.name, j.asked, j.claimed, (j.lockedAt - j.began).Round(time.Second), j.worst, j.narrow)
		if j.outside > 0 {
			t.Errorf("%s: %d of %d answers were further from the truth than their bound: %s", s.name, j.outside, j.claimed, j.first)
		}
		if j.claimed == 0 {
			t.Errorf("%s never knew the time", s.name)
		}
	})
	return j
}

func (j *judge) ask(connection net.Conn) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.asked++
	request := make([]byte, ntp.HeaderLen)
	request[0] = 4<<3 | byte(ntp.Client)
	binary.BigEndian.PutUint64(request[40:], uint64(j.asked)) // the answer repeats it: one that comes late is told by it
	_ = connection.SetDeadline(time.Now().Add(900 * time.Millisecond))
	before := j.world.Now()
	if _, err := connection.Write(request); err != nil {
		return
	}
	var p ntp.Packet
	for p.Origin != ntp.Timestamp(j.asked) {
		var buffer [256]byte
		n, err := connection.Read(buffer[:])
		if err != nil {
			return
		}
		if p, err = ntp.Parse(buffer[:n]); err != nil {
			return
		}
	}
	after := j.world.Now()
	if p.Leap == ntp.LeapUnsynchronised || p.Stratum == 0 || p.Stratum > 15 {
		return
	}
	if before.TAIMinusUTC != after.TAIMinusUTC || before.InLeap != after.InLeap || j.world.nearLeap(before) {
		return // both sides of a leap second have the same count
	}
	if j.claimed++; j.claimed == 1 {
		j.lockedAt = j.world.since()
	}
	bound := p.RootDispersion.Duration() + p.RootDelay.Duration()/2
	received, sent := count(p.Receive), count(p.Transmit)
	tooEarly := time.Duration(posix(before) - received)
	tooLate := time.Duration(sent - posix(after))
	off := max(tooEarly, tooLate, 0)
	j.worst = max(j.worst, off)
	if j.narrow == 0 || bound < j.narrow {
		j.narrow = bound
	}
	if off > bound {
		if j.outside++; j.first == "" {
			j.first = fmt.Sprintf("%v after the beginning by %v, bound %v", j.world.since().Round(time.Millisecond), off, bound)
		}
	}
}

// nearLeap tells whether the count repeats so soon that the station may be on the other side, within its bound.
func (w *World) nearLeap(i refclock.Instant) bool {
	const margin = 300 * time.Millisecond
	a, b := w.table.FromTAI(i.TAI-int64(margin)), w.table.FromTAI(i.TAI+int64(margin))
	return a.TAIMinusUTC != b.TAIMinusUTC || a.InLeap != b.InLeap
}

// posix counts as NTP and the kernel do.
func posix(i refclock.Instant) int64 {
	u := i.UTC()
	return u.Seconds*1e9 + int64(u.Nanoseconds)
}

func count(t ntp.Timestamp) int64 {
	const about = 1_800_000_000 // the era
	seconds, nanoseconds := t.Unix(about)
	return seconds*1e9 + int64(nanoseconds)
}
