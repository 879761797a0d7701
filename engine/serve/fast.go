package serve

import (
	"context"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/serve/fastpath"
	"timestation/engine/status"
)

// fastEvery is how often the kernel gets a new model: soon after each of the engine's.
const fastEvery = 100 * time.Millisecond

// attach has plain requests answered in the kernel, where the configuration says so and the kernel can. Otherwise they
// are answered here, and one line says why.
func (s *Server) attach() {
	if !s.config.FastPath {
		return
	}
	network, _, _ := s.config.bind()
	var err error
	s.fast, err = fastpath.Attach(fastpath.Options{
		Address: s.Address(), OnlyIPv6: network == "udp6", Allow: s.access.allow, Deny: s.access.deny,
		RateInterval: s.limit.interval, RateBurst: s.limit.burst, Kisses: s.config.Kisses != KissNone,
	})
	if err != nil {
		s.log.Warn(err.Error())
		return
	}
	s.log.Info("answering plain requests in the kernel", "interfaces", s.fast.Interfaces())
}

// keepFast refreshes the kernel's model until ctx ends.
func (s *Server) keepFast(ctx context.Context) {
	if s.fast == nil {
		return
	}
	f := s.newFace()
	f.broke = func() {} // the responders notice themselves
	tick := time.NewTicker(fastEvery)
	defer tick.Stop()
	var last string
	for {
		f.look()
		if err := s.fast.Publish(f.model()); err != nil && ctx.Err() == nil && err.Error() != last {
			last = err.Error()
			s.log.Warn("fast path", "reason", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// countFast adds what the kernel answered.
func (s *Server) countFast(c *Counters) {
	if s.fast == nil {
		return
	}
	k := s.fast.Counters()
	c.InKernel = k.Answered
	c.Plain += k.Answered
	c.Dropped[RateLimited] += k.RateLimited
	c.Kisses += k.Kisses
	c.Requests += k.Answered + k.RateLimited
}

// Clients gives what is remembered of the addresses that asked, in no order: at most 4096, the threat model says which,
// and as many that the fast path answered. It may be called from any goroutine.
func (s *Server) Clients() []status.Client {
	all := s.clients.list()
	if s.fast == nil {
		return all
	}
	return status.MergeClients(all, s.fast.Clients())
}

// model is what the kernel may say from the last look on: as long as the status is valid, if until then nothing of it
// changes but what runs evenly. Otherwise it is none, and the sockets answer.
func (f *face) model() (m fastpath.Model) {
	now := f.status.At(f.at)
	m.Valid = min(status.Validity, f.status.Epoch.Add(status.Validity).Sub(f.at))
	if f.ill != Answered || !now.Synchronised() || m.Valid <= 0 {
		return fastpath.Model{}
	}
	middle, end := f.at.Add(m.Valid/2), f.at.Add(m.Valid)
	begins, halfway, ends := f.exactly(f.at, f.at), f.exactly(middle, middle), f.exactly(end, end)
	fixed := func(h ntp.Header) ntp.Header {
		h.Receive, h.Transmit, h.RootDispersion = 0, 0, 0
		return h
	}
	// Leap seconds and the corners of a smear bend the line.
	const tolerance = 43 // of 2⁻³² s: 10 ns
	bend := int64(halfway.Receive-begins.Receive) - int64(ends.Receive-halfway.Receive)
	if begins.Leap == ntp.LeapUnsynchronised || fixed(begins) != fixed(halfway) || fixed(begins) != fixed(ends) ||
		bend > tolerance || bend < -tolerance {
		return fastpath.Model{}
	}
	m.At = f.looked
	m.Header = begins
	m.Rate = float64(ends.Receive-begins.Receive)/(1<<32)/m.Valid.Seconds() - 1
	m.Dispersion = f.status.At(f.at.Add(boundAhead)).MaxError - ntp.ShortFromDuration(f.status.RootDelay).Duration()/2
	m.DispersionGrowth = max(0, f.status.MaxErrorGrowth)
	return m
}
