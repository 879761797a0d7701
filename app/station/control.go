package station

import (
	"fmt"

	"timestation/engine/control"
)

// openControl lets ntpq look in through the listeners, and chronyc on a port of its own. Without that port the station
// goes on: a chronyd that it feeds may well have it.
func (s *Station) openControl() error {
	responder, err := control.NewResponder(s.Config.Control, s, s.options.Version)
	if err != nil {
		return fmt.Errorf("control.%w", err)
	}
	for _, server := range s.servers {
		server.ControlWith(responder)
	}
	switch server, err := control.Listen(s.Config.Control, s, s.options.Log); {
	case err != nil:
		s.options.Log.Warn("chronyc cannot look in", "reason", fmt.Errorf("control.%w", err))
	case server != nil:
		s.keep(server.Run, server.Close)
	}
	return nil
}

// Served is what the NTP servers have counted.
func (s *Station) Served() control.Served {
	all := control.Served{Dropped: map[string]uint64{}}
	for _, server := range s.servers {
		c := server.Counters()
		all.Precision = server.Precision() // of one clock
		all.Requests += c.Requests - c.Control
		all.Answered += c.Plain + c.Authenticated
		all.Authenticated += c.Authenticated
		all.Interleaved += c.Interleaved
		all.Kisses += c.Kisses
		for reason, n := range c.Dropped {
			all.Dropped[reason.String()] += n
		}
	}
	if s.nts != nil {
		c := s.nts.server.Counters()
		all.KeyExchanges, all.KeyExchangesFailed = c.Established, c.Refused+c.Failed+c.Busy
	}
	return all
}
