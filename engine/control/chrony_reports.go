package control

import (
	"encoding/binary"
	"math"
	"net/netip"
	"strings"

	"timestation/engine/status"
)

// never is how many seconds ago something was that never was.
const never = math.MaxUint32

// chronyReport writes what follows the head of an answer.
type chronyReport func(f *fields)

// tracking: the correction of the system clock is positive for one that is slow, the frequency for an oscillator that
// runs fast, and the last offset where the station is ahead of the source that is followed.
func (v *view) tracking(f *fields) {
	var reference [4]byte
	var address netip.Addr
	var offset, jitter float64
	stratum := uint16(0)
	if v.now.Synchronised() {
		reference, stratum = v.ReferenceID, uint16(v.now.Stratum)
	}
	if v.Demonstration {
		reference = v.ReferenceID
	}
	if s := v.selected(); s != nil {
		address, offset, jitter = s.address.Addr(), -s.OffsetSeconds, s.JitterSeconds
	}
	f.u8(reference[:]...)
	f.address(address)
	f.u16(stratum, uint16(v.leap()))
	f.time(v.ReferenceTime)
	if v.now.Known {
		f.duration(v.now.Offset)
	} else {
		f.float(0)
	}
	f.float(offset, jitter, v.FrequencyPPM, 0, v.Uncertainty95Growth*1e6)
	f.duration(v.RootDelay, v.rootDispersion(), 0)
}

// The states and modes of a source, which chronyc prints as "*?x~+-" and "^=#".
const (
	chronySelected   = 0
	chronyUnusable   = 1
	chronyFalse      = 2
	chronyCombined   = 4
	chronyModeClient = 0
	chronyModeClock  = 2
)

func (s *source) chronyState() uint16 {
	switch s.State {
	case status.Selected:
		return chronySelected
	case status.Agreeing:
		return chronyCombined
	case status.Falseticker:
		return chronyFalse
	}
	return chronyUnusable
}

// chronyAddress is a server's, or for a reference clock its four octets.
func (s *source) chronyAddress() (a netip.Addr, mode uint16) {
	if s.address.IsValid() {
		return s.address.Addr(), chronyModeClient
	}
	return netip.AddrFrom4(s.tag), chronyModeClock
}

func (s *source) data(f *fields) {
	address, mode := s.chronyAddress()
	f.address(address)
	f.u16(uint16(s.poll()), uint16(s.stratum()), s.chronyState(), mode, 0, uint16(s.reach()))
	f.u32(s.secondsAgo())
	f.float(-s.OffsetSeconds, -s.OffsetSeconds, s.MaxErrorSeconds)
}

func (s *source) secondsAgo() uint32 {
	if s.AgeSeconds < 0 {
		return never
	}
	return uint32(min(s.AgeSeconds, never-1))
}

// stats: how many samples the estimate rests on, and over which time, is not told by the station; all samples are
// counted, and runs and time are 0.
func (s *source) stats(f *fields) {
	address, mode := s.chronyAddress()
	if mode == chronyModeClock {
		f.u8(s.tag[:]...)
		address = netip.Addr{}
	} else {
		f.u32(0)
	}
	f.address(address)
	f.u32(uint32(min(s.Samples, math.MaxUint32)), 0, 0)
	f.float(s.JitterSeconds, 0, 0, -s.OffsetSeconds, s.MaxErrorSeconds)
}

func (v *view) activity(f *fields) {
	var online, offline uint32
	for i := range v.sources {
		if v.sources[i].reach() != 0 {
			online++
		} else {
			offline++
		}
	}
	f.u32(online, offline, 0, 0, 0)
}

// serverStats knows three layouts, as chrony's grew: of 4.0, 4.2 and 4.4.
func (v *view) serverStats(kind uint16, requests, refused uint64) chronyReport {
	s := v.served
	counts := []uint64{
		s.Requests, s.KeyExchanges, requests, s.dropped(), s.KeyExchangesFailed, refused, 0, s.Authenticated,
		s.Interleaved, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	}
	return func(f *fields) {
		if kind == replyServerStats4 {
			f.u64(counts...)
			return
		}
		if kind == replyServerStats2 {
			counts = counts[:8]
		}
		for _, n := range counts[:min(len(counts), 11)] {
			f.u32(uint32(n))
		}
	}
}

// ntpData is of a server. Here alone an offset is positive where the server is ahead. How many answers came is not told
// apart from how many were good.
func (s *source) ntpData(kind uint16) chronyReport {
	const (
		testsPassed         = 0x3ff
		flagInterleaved     = 0x4000
		flagAuthenticated   = 0x8000
		version, modeServer = 4, 4
	)
	return func(f *fields) {
		server := s.server()
		flags := uint16(testsPassed)
		if server.Interleaved {
			flags |= flagInterleaved
		}
		if server.Authenticated {
			flags |= flagAuthenticated
		}
		stamps := uint8('D')
		if server.KernelStamps {
			stamps = 'K'
		}
		f.address(s.address.Addr())
		f.address(netip.Addr{})
		f.u16(s.address.Port())
		f.u8(0, version, modeServer, server.Stratum, uint8(s.poll()), 0)
		f.float(server.RootDelay, server.RootDispersion)
		f.u32(serverReference(server.ReferenceID))
		f.zeros(12)
		f.float(s.OffsetSeconds, server.DelaySeconds, s.JitterSeconds, 0, 0)
		f.u16(flags)
		f.u8(stamps, stamps)
		samples := uint32(min(s.Samples, math.MaxUint32))
		f.u32(samples, samples, samples, samples)
		if kind == replyNTPData2 {
			f.zeros(8 * 4)
		} else {
			f.zeros(3 * 4)
		}
	}
}

// serverReference is a reference ID from its text: an IPv4 address, or up to four characters.
func serverReference(text string) uint32 {
	if a, err := netip.ParseAddr(text); err == nil && a.Is4() {
		octets := a.As4()
		return binary.BigEndian.Uint32(octets[:])
	}
	if text == "" {
		return 0
	}
	octets := fourOctets(text)
	return binary.BigEndian.Uint32(octets[:])
}

// nameLen is the room for a source's name, the zero at its end included.
const nameLen = 256

func (s *source) chronyName(f *fields) {
	name := strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f {
			return '?'
		}
		return r
	}, s.Name)
	name = name[:min(len(name), nameLen-1)]
	f.u8([]byte(name)...)
	f.zeros(nameLen - len(name))
}

// chronyClients is how many clients fit an answer.
const chronyClients = 8

// clients lists those from an index on. What is not remembered of them, such as how often they ask, says so.
func (v *view) clients(all []status.Client, first, most uint32, fewest uint32) chronyReport {
	return func(f *fields) {
		const unknownInterval = 127
		begin := min(uint64(first), uint64(len(all)))
		end := min(begin+uint64(min(most, chronyClients)), uint64(len(all)))
		var chosen []status.Client
		for _, c := range all[begin:end] {
			if c.Requests >= uint64(fewest) {
				chosen = append(chosen, c)
			}
		}
		f.u32(uint32(len(all)), uint32(end), uint32(len(chosen)))
		for _, c := range chosen {
			f.address(c.Address.WithZone(""))
			f.u32(uint32(min(c.Requests, math.MaxUint32)), 0, 0, uint32(min(c.Refused, math.MaxUint32)), 0, 0)
			f.u8(unknownInterval, unknownInterval, unknownInterval, unknownInterval)
			f.u32(uint32(max(0, min(v.at.Sub(c.LastSeen).Seconds(), never-1))), never, never)
		}
		f.zeros((chronyClients - len(chosen)) * 60)
	}
}
