package logbook

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"timestation/engine/status"
)

// serving is a station with NTP clients and, at times, a smear.
type serving struct {
	*world
	clients []status.Client
	smear   float64
}

func (s *serving) Clients() []status.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]status.Client(nil), s.clients...)
}

func (s *serving) SmearSeconds() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.smear
}

// What each client did in each hour is in the log, also when its count began anew, and the last hour as far as it went.
func TestClientsByHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		b := openBook(t, dir, &alertList{})
		steady, seldom := netip.MustParseAddr("192.168.1.7"), netip.MustParseAddr("fe80::1%eth0")
		w := &serving{world: newWorld()}
		counts := func(clients ...status.Client) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.clients = clients
		}
		stop := run(t, b, w)
		time.Sleep(30 * time.Minute) // it is 13:30
		counts(status.Client{Address: steady, Requests: 100, Answered: 90, Authenticated: 80, Refused: 10},
			status.Client{Address: seldom, Requests: 1, Answered: 1})
		time.Sleep(time.Hour)
		counts(status.Client{Address: steady, Requests: 130, Answered: 120, Authenticated: 110, Refused: 10},
			status.Client{Address: seldom, Requests: 1, Answered: 1})
		time.Sleep(time.Hour)
		counts(status.Client{Address: steady, Requests: 7, Answered: 7}) // forgotten meanwhile, and seen again
		time.Sleep(15 * time.Minute)
		w.mu.Lock()
		w.smear = -0.25
		w.mu.Unlock()
		b.EventBy(EventAlertAcknowledged, "gps", "source-lost", "ada", "192.168.1.9")
		time.Sleep(17 * time.Second)
		stop()
		var got []string
		for _, h := range collect(t, openRead(t, dir).ClientHours(t.Context(), time.Time{}, time.Time{})) {
			for _, c := range h.Clients {
				got = append(got, fmt.Sprint(h.Hour.Hour(), " ", c.Address, " ", c.ClientCounts))
			}
		}
		want := []string{"13 192.168.1.7 {100 90 80 10}", "13 fe80::1%eth0 {1 1 0 0}", "14 192.168.1.7 {30 30 30 0}",
			"15 192.168.1.7 {7 7 0 0}"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %q, want %q", got, want)
		}
		rows := allRows(t, dir, StationName)
		if last := rows[len(rows)-1]; last.SmearSeconds.V != -0.25 || last.TemperatureCelsius.V != 41.5 || rows[0].SmearSeconds.V != 0 {
			t.Errorf("the last row: %+v", last)
		}
		events := collect(t, openRead(t, dir).Events(t.Context(), time.Time{}, time.Time{}, "gps"))
		if e := events[len(events)-1]; e.Kind != EventAlertAcknowledged || e.Who != "ada" || e.From != "192.168.1.9" || !e.Known {
			t.Errorf("the last event: %+v", e)
		}
	})
}

// A flood of addresses costs a bounded record, in which the busiest still stand alone and nothing is left out.
func TestManyClients(t *testing.T) {
	var clients []status.Client
	for i := range 5000 {
		address := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		clients = append(clients, status.Client{Address: address, Requests: uint64(1 + i), Refused: uint64(1 + i)})
	}
	var w clientWatch
	h := w.difference(clients)
	if len(h.Clients) != clientsPerHour || h.OtherAddresses != 4000 || h.Clients[0].Requests != 5000 ||
		h.Others.Requests != 4000*4001/2 || h.Others.Refused != h.Others.Requests {
		t.Errorf("%d clients, the first %+v; %d others: %+v", len(h.Clients), h.Clients[0], h.OtherAddresses, h.Others)
	}
	if size := len(encodeClients(h)); size > 20000 {
		t.Errorf("an hour takes %d bytes", size)
	}
	if h := w.difference(clients); len(h.Clients) != 0 || h.OtherAddresses != 0 {
		t.Errorf("then nobody did anything, but: %+v", h)
	}
}
