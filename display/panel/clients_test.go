package panel

import (
	"net/netip"
	"strconv"
	"testing"

	"timestation/display/draw"
	"timestation/display/words"
	"timestation/engine/status"
)

func TestClientsSayWhoAndWhyNot(t *testing.T) {
	in := inputOf(judged(), words.English)
	says(t, pictureOf(t, "clients", in, wall), "Nobody has asked yet", "[[listener]]")
	in.ClientsError = "no contact with http://station:8123"
	says(t, pictureOf(t, "clients", in, wall), "No contact with http://station:8123")

	in.ClientsError = ""
	in.Clients.RequestsPerSecond, in.Clients.Known = 12.44, 41
	in.Clients.Refused = map[string]uint64{"denied": 1234, "bad-mac": 0, "to-come": 1}
	in.Clients.Clients = []status.Client{
		{Address: netip.MustParseAddr("10.0.0.1"), Requests: 1001, Answered: 1001, Authenticated: 1001, FirstSeen: 0, LastSeen: 64_000e9},
		{Address: netip.MustParseAddr("2001:db8::7"), Requests: 10, Answered: 4, Refused: 6, LastRefused: "rate-limited", LastSeen: 90e9},
		{Address: netip.MustParseAddr("10.0.0.3"), Requests: 1, Answered: 1},
	}
	p := pictureOf(t, "clients", in, wall)
	says(t, p, "12.4", "41 clients known", "99 % authenticated", "address not allowed", "1 234", "to-come", "10.0.0.1", "1 001", "every 64 s", "authenticated",
		"2001:db8::7", "6 refused: asks too often", "every 10 s", "once", "not authenticated", "38 more not listed")
	if p.LastRow != 0 {
		t.Errorf("three clients scroll by %d", p.LastRow)
	}
	for i := range 250 {
		in.Clients.Clients = append(in.Clients.Clients, status.Client{Address: netip.MustParseAddr("10.0.1." + strconv.Itoa(i)), Requests: 1})
	}
	p = pictureOf(t, "clients", in, draw.Size{W: 800, H: 480})
	in.View.Row = p.LastRow
	says(t, pictureOf(t, "clients", in, draw.Size{W: 800, H: 480}), "10.0.1.249")
}

func TestSharesAreNeverRoundedAway(t *testing.T) {
	p := newPen(inputOf(judged(), words.English), draw.NewGrid(wall))
	for _, c := range []struct {
		part, all uint64
		want      string
	}{{1, 1, "100 %"}, {0, 5, "none"}, {1, 1_000_000, "< 1 %"}, {999_999, 1_000_000, "> 99 %"}, {1, 2, "50 %"}} {
		if got := p.percent(c.part, c.all); got != c.want {
			t.Errorf("%d of %d is written %q, want %q", c.part, c.all, got, c.want)
		}
	}
}
