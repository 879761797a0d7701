package upstream

import (
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/refclock"
)

// FuzzAnswer: no packet makes the driver fall over, and what becomes a sample repeats the request's number and is possible.
func FuzzAnswer(f *testing.F) {
	s := newScene()
	made, err := newDriver(s.config, s.env, s.network)
	if err != nil {
		f.Fatal(err)
	}
	d := made.(*driver)
	request := ntp.Header{Version: 4, Mode: ntp.Client, Transmit: 0x0123456789abcdef, Origin: 5, Receive: 0xfedcba9876543210}
	good := newFakeServer().header
	good.Origin, good.Receive, good.Transmit = request.Transmit, stampOf(truth), stampOf(truth.Add(time.Millisecond))
	f.Add(good.Append(nil), int64(5_000_000))
	good.Origin = request.Receive
	f.Add(good.Append(nil), int64(0))
	f.Fuzz(func(t *testing.T, packet []byte, round int64) {
		w := &wire{protection: unprotected{}}
		h, interleaved, why := w.judge(packet, request)
		if why != used {
			return
		}
		if h.Origin != request.Transmit && !(interleaved && h.Origin == request.Receive) {
			t.Fatalf("origin %x", h.Origin)
		}
		if usable(&h) != used {
			return
		}
		d.loop(port123, &h)
		round %= int64(time.Hour)
		sample, why := d.judge(&reply{Header: h, T4: localNow(), T1: localNow().Add(-time.Duration(round))}, false)
		if why != used {
			return
		}
		x := sample.Exchange
		delay := x.T4.Sub(x.T1) - x.T3.Sub(x.T2)
		if x.T3.Sub(x.T2) < 0 || delay < -time.Second-stampNoise || delay > refclock.Seconds(d.config.MaxDelaySeconds) ||
			x.Stratum == 0 || x.Stratum > highestStratum || x.T2.UTC().Time().Before(built.AddDate(0, 0, -1)) || sample.Noise <= 0 {
			t.Errorf("%+v, noise %v, delay %v", x, sample.Noise, delay)
		}
	})
}
