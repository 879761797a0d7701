package status

import (
	"cmp"
	"net/netip"
	"slices"

	"timestation/refclock"
)

// Client is what an NTP server remembers of one source address. The counts run from when the address was first seen, or
// seen again after the server had to forget it: a count that is lower than before began again at zero.
type Client struct {
	// Address is IPv4, or IPv6 with its zone if it is link-local.
	Address netip.Addr `json:"address"`
	// Requests = Answered + Refused. A source address can be forged; Authenticated, which is part of Answered, cannot
	// without the key.
	Requests      uint64 `json:"requests"`
	Answered      uint64 `json:"answered"`
	Authenticated uint64 `json:"authenticated"`
	// Refused met with silence, whatever the reason.
	Refused uint64 `json:"refused"`
	// LastRefused is why the last of Refused got no answer, by the name that the server gives its reasons; empty where none
	// was refused.
	LastRefused string `json:"last_refused,omitempty"`
	// FirstSeen and LastSeen are when the first of Requests and the last arrived, by the local clock.
	FirstSeen refclock.Stamp `json:"first_seen_local_ns"`
	LastSeen  refclock.Stamp `json:"last_seen_local_ns"`
}

// MergeClients sums what several servers remember, address by address: the busiest first, and those that are equally busy
// in the order of their addresses.
func MergeClients(lists ...[]Client) []Client {
	all := slices.Concat(lists...)
	slices.SortFunc(all, func(a, b Client) int { return a.Address.Compare(b.Address) })
	merged := all[:0]
	for _, c := range all {
		if last := len(merged) - 1; last >= 0 && merged[last].Address == c.Address {
			merged[last].add(c)
		} else {
			merged = append(merged, c)
		}
	}
	slices.SortStableFunc(merged, func(a, b Client) int { return cmp.Compare(b.Requests, a.Requests) })
	return merged
}

func (c *Client) add(other Client) {
	c.Requests += other.Requests
	c.Answered += other.Answered
	c.Authenticated += other.Authenticated
	c.Refused += other.Refused
	if c.LastRefused == "" || other.LastRefused != "" && other.LastSeen > c.LastSeen {
		c.LastRefused = other.LastRefused
	}
	c.FirstSeen = min(c.FirstSeen, other.FirstSeen)
	c.LastSeen = max(c.LastSeen, other.LastSeen)
}
