package logbook

import (
	"time"

	"timestation/engine/status"
)

// ClientStation is a Station that knows its NTP clients. A Book asks it once an hour.
type ClientStation interface {
	// Clients gives what each address did since the station started, or since it was seen again.
	Clients() []status.Client
}

// ClientCounts is what clients did in an hour.
type ClientCounts struct{ Requests, Answered, Authenticated, Refused uint64 }

// ClientCount is what one address did in an hour.
type ClientCount struct {
	Address string
	ClientCounts
}

// ClientHour is what all clients did in one hour of UTC, or in the part of it that the station ran.
type ClientHour struct {
	// Moment is when it was counted, and Hour when the hour began.
	Moment
	Hour time.Time
	// Clients are the busiest, at most clientsPerHour of them.
	Clients []ClientCount
	// OtherAddresses is how many more there were, and Others what they did together.
	OtherAddresses int
	Others         ClientCounts
}

// clientsPerHour bounds what a flood of addresses costs: some 20 kB an hour.
const clientsPerHour = 1000

// clientWatch finds out what clients did in each hour.
type clientWatch struct {
	hour   time.Time // zero before the first
	before map[string]ClientCounts
}

// look returns the record of the hour that is over at m, if one is; last says that there will be no other look.
func (w *clientWatch) look(st Station, m Moment, last bool) []record {
	counting, ok := st.(ClientStation)
	if !ok || !m.Known {
		return nil
	}
	hour := m.UTC.Time().Truncate(time.Hour)
	if w.hour.IsZero() {
		w.hour = hour
	}
	if hour.Equal(w.hour) && !last {
		return nil
	}
	h := w.difference(counting.Clients())
	h.Moment, h.Hour = m, w.hour
	w.hour = hour
	if len(h.Clients) == 0 {
		return nil
	}
	return []record{h}
}

// difference is what was done since the last one.
func (w *clientWatch) difference(clients []status.Client) (h ClientHour) {
	now := make(map[string]ClientCounts, len(clients))
	var busy []status.Client
	for _, c := range clients {
		address := c.Address.String()
		counts := ClientCounts{c.Requests, c.Answered, c.Authenticated, c.Refused}
		now[address] = counts
		if before := w.before[address]; before.Requests <= c.Requests { // otherwise the counts began anew
			c.Requests -= before.Requests
			c.Answered -= min(before.Answered, c.Answered)
			c.Authenticated -= min(before.Authenticated, c.Authenticated)
			c.Refused -= min(before.Refused, c.Refused)
		}
		if c.Requests > 0 {
			busy = append(busy, c)
		}
	}
	w.before = now
	for i, c := range status.MergeClients(busy) { // the busiest first
		counts := ClientCounts{c.Requests, c.Answered, c.Authenticated, c.Refused}
		if i < clientsPerHour {
			h.Clients = append(h.Clients, ClientCount{c.Address.String(), counts})
			continue
		}
		h.OtherAddresses++
		h.Others.add(counts)
	}
	return h
}

func (c *ClientCounts) add(d ClientCounts) {
	c.Requests += d.Requests
	c.Answered += d.Answered
	c.Authenticated += d.Authenticated
	c.Refused += d.Refused
}
