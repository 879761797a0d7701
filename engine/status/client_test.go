package status

import (
	"net/netip"
	"slices"
	"testing"
)

func TestMergeClients(t *testing.T) {
	a, b, c := netip.MustParseAddr("192.168.1.7"), netip.MustParseAddr("192.168.1.8"), netip.MustParseAddr("fe80::1%eth0")
	one := []Client{
		{Address: c, Requests: 2, Refused: 2, LastRefused: "denied", FirstSeen: 40, LastSeen: 40},
		{Address: a, Requests: 5, Answered: 4, Authenticated: 3, Refused: 1, LastRefused: "bad-mac", FirstSeen: 5, LastSeen: 30},
	}
	other := []Client{
		{Address: b, Requests: 2, Answered: 2, FirstSeen: 9, LastSeen: 10},
		{Address: a, Requests: 7, Answered: 6, Authenticated: 1, Refused: 1, LastRefused: "mode", FirstSeen: 3, LastSeen: 20},
	}
	want := []Client{
		{Address: a, Requests: 12, Answered: 10, Authenticated: 4, Refused: 2, LastRefused: "bad-mac", FirstSeen: 3, LastSeen: 30},
		{Address: b, Requests: 2, Answered: 2, FirstSeen: 9, LastSeen: 10},
		{Address: c, Requests: 2, Refused: 2, LastRefused: "denied", FirstSeen: 40, LastSeen: 40},
	}
	if got := MergeClients(one, other); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if one[0].Address != c || other[1].Requests != 7 {
		t.Error("the lists were changed")
	}
	if got := MergeClients(); len(got) != 0 {
		t.Errorf("of nothing: %+v", got)
	}
}
