package serve

import (
	"time"

	"timestation/engine/serve/phc"
	"timestation/refclock"
)

// maxInCard is how long a packet may lie in the card before the kernel sees it: cards gather interrupts for some
// hundred microseconds, and a busy machine takes its time.
const maxInCard = 10 * time.Millisecond

// openCard has the card of an interface stamp packets, where the configuration names one and it can. Otherwise the kernel
// does, and one line says why.
func (s *Server) openCard() {
	if s.config.HardwareTimestamps == "" {
		return
	}
	card, err := phc.Open(s.config.HardwareTimestamps)
	for _, socket := range s.sockets {
		if err == nil {
			err = socket.stampBy(stampOptions | cardOptions)
		}
	}
	if err != nil {
		if card != nil {
			_ = card.Close()
		}
		s.log.Warn("hardware_timestamps: the kernel stamps packets, not a network card", "reason", err)
		return
	}
	s.card = card
	s.log.Info("the network card stamps packets", "interface", card.Name())
}

// arrival is when a packet that has both stamps came: by the card's, if it is of ours and fits the kernel's.
func (s *Server) arrival(seen stamps) (rx refclock.Stamp, byCard bool) {
	if seen.index != s.card.Index() {
		return seen.kernel, false
	}
	at, ok := s.card.Local(seen.card)
	if !ok {
		return seen.kernel, false
	}
	rx, byCard = plausible(at, seen.kernel)
	if byCard {
		s.tally.arrivedByCard.Add(1)
	}
	return rx, byCard
}

// plausible is the card's stamp of an arrival where it fits the kernel's, else the kernel's. It may seem later by what
// converting it is wrong, but is never taken as later.
func plausible(card, kernel refclock.Stamp) (rx refclock.Stamp, byCard bool) {
	const wrong = 50 * time.Microsecond
	switch before := kernel.Sub(card); {
	case before < -wrong || before > maxInCard:
		return kernel, false
	case before < 0:
		return kernel, true
	}
	return card, true
}

// departure gives when a packet left that the card alone stamped. The card is ours: that was asked for only in answer to
// what came by it.
func (s *Server) departure(seen stamps, to *refclock.Stamp) (ok bool) {
	if s.card == nil || seen.card == 0 {
		return false
	}
	if *to, ok = s.card.Local(seen.card); ok {
		s.tally.leftByCard.Add(1)
	}
	return ok
}
