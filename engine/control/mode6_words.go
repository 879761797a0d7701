package control

import "timestation/engine/status"

// What the system's status word calls the kind of source that is followed (RFC 9327, section 3.1).
const (
	kindPulse   = 1
	kindLowRF   = 2
	kindUHF     = 4 // satellites
	kindNTP     = 6
	kindOther   = 7
	eventSynced = 5
	eventNoPeer = 8
)

// word is the system's status word (RFC 9327, section 3.1): leap indicator, kind of source, one event and its code.
func (v *view) word() uint16 {
	kind, event := uint16(0), uint16(eventNoPeer)
	if s := v.selected(); s != nil {
		kind, event = s.kind(), eventSynced
	}
	return uint16(v.leap())<<14 | kind<<8 | 1<<4 | event
}

func (s *source) kind() uint16 {
	switch {
	case s.Signal.Server != nil:
		return kindNTP
	case s.Signal.GNSS != nil:
		return kindUHF
	case s.Signal.Radio != nil:
		return kindLowRF
	case s.Signal.Pulses != nil:
		return kindPulse
	}
	return kindOther
}

// The bits of a peer's status word (RFC 9327, section 3.2), the selections that ntpq prints as " x.-+#*o", and events.
const (
	peerConfigured    = 0x80
	peerAuthEnabled   = 0x40
	peerAuthenticated = 0x20
	peerReachable     = 0x10

	selectedReject = 0
	selectedFalse  = 1
	selectedCombed = 4
	selectedSystem = 6
	selectedPulse  = 7

	eventUnreachable = 3
	eventReachable   = 4
	eventSystemPeer  = 10
)

// word is the peer's status word.
func (s *source) word() uint16 {
	bits, event := uint16(peerConfigured), uint16(eventUnreachable)
	if s.reach() != 0 {
		bits, event = bits|peerReachable, eventReachable
	}
	if server := s.Signal.Server; server != nil && server.Protection != "" && server.Protection != "none" {
		bits |= peerAuthEnabled
		if server.Authenticated {
			bits |= peerAuthenticated
		}
	}
	switch s.State {
	case status.Selected:
		bits, event = bits|selectedSystem, eventSystemPeer
		if s.Signal.Pulses != nil {
			bits |= selectedPulse
		}
	case status.Agreeing:
		bits |= selectedCombed
	case status.Falseticker:
		bits |= selectedFalse
	default:
		bits |= selectedReject
	}
	return bits<<8 | 1<<4 | event
}
