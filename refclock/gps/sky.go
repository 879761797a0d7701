package gps

import (
	"cmp"
	"slices"
	"time"

	"timestation/refclock"
)

// The constellations, in the order in which they are listed; the first six are in the order of their NMEA system IDs.
const (
	gps = iota
	glonass
	galileo
	beidou
	qzss
	navic
	sbas
)

var constellations = [...]string{"GPS", "GLONASS", "Galileo", "BeiDou", "QZSS", "NavIC", "SBAS"}

// order is where a constellation stands in a list, by its name.
var order = func() map[string]int {
	at := map[string]int{}
	for i, name := range constellations {
		at[name] = i
	}
	return at
}()

var talkers = map[string]int{"GP": gps, "GL": glonass, "GA": galileo, "GB": beidou, "BD": beidou, "GQ": qzss, "QZ": qzss,
	"GI": navic}

// satellite names one: its constellation, and its number as the receiver gives it.
type satellite struct{ constellation, number int }

// identify finds the constellation by the system ID where there is one, else by the talker, else (talker GN) by the
// number. Numbers tell what GP and GN cannot: SBAS is 33 to 64 in NMEA and 120 to 158 by PRN, GLONASS 65 to 99; the rest
// are the habits of u-blox (QZSS 193, Galileo 301, BeiDou 401) and MediaTek (BeiDou 201).
func identify(talker string, system, number int) satellite {
	constellation, known := talkers[talker]
	if system >= 1 && system <= 6 {
		constellation, known = system-1, true
	}
	switch {
	case known && constellation != gps:
		if constellation == glonass && number >= 33 && number <= 64 {
			constellation = sbas
		}
	case number >= 33 && number <= 64, number >= 120 && number <= 158:
		constellation = sbas
	case number >= 65 && number <= 99:
		constellation = glonass
	case number >= 193 && number <= 200:
		constellation = qzss
	case number >= 201 && number <= 263, number >= 401 && number <= 463:
		constellation = beidou
	case number >= 301 && number <= 336:
		constellation = galileo
	default:
		constellation = gps
	}
	return satellite{constellation, number}
}

// staleAfter is how long satellites are shown that the receiver no longer lists. Some list them once a minute.
const staleAfter = 90 * time.Second

// longestList is in sentences of four satellites each; a real sky needs up to 8 for one constellation.
const longestList = 32

// sky is what the receiver says of the satellites.
type sky struct {
	views map[viewKey]view
	// parts gathers the sentences of one talker's list, by signal; expected is the number of the next, 0 for none.
	parts       map[string][]heard
	partsTalker string
	expected    int
	// gathering is the used satellites of the burst that is running, used those of the last one that told.
	gathering           map[satellite]bool
	gatheringDimensions int
	used                map[satellite]bool
	usedAt              time.Duration
	// listed is what a UBX receiver lists, ready for use; it stands in for the sentences' lists while it is fresh.
	listed   []refclock.Satellite
	listedAt time.Duration
}

// list takes over the list of a UBX message, and gives how many of it are used.
func (s *sky) list(satellites []refclock.Satellite, age time.Duration) (used int) {
	slices.SortStableFunc(satellites, func(a, b refclock.Satellite) int {
		return cmp.Or(cmp.Compare(order[a.Constellation], order[b.Constellation]), cmp.Compare(a.PRN, b.PRN))
	})
	for _, one := range satellites {
		if one.Used {
			used++
		}
	}
	s.listed, s.listedAt = satellites, age
	return used
}

// known tells whether the receiver has listed satellites at all.
func (s *sky) known() bool { return s.views != nil || s.listed != nil }

// viewKey is what a list replaces: a receiver lists the satellites of each constellation once for each signal. u-blox
// makes a list of each signal, Quectel one list of all.
type viewKey struct{ talker, signal string }

type view struct {
	satellites []heard
	at         time.Duration
}

// add takes a sentence of a list, and replaces the old list once the new one is whole; age is how long the port has
// been open.
func (s *sky) add(v inView, age time.Duration) {
	if _, known := talkers[v.Talker]; !known && v.Talker != "GN" {
		return
	}
	if v.number == 1 && v.total <= longestList {
		s.parts, s.partsTalker, s.expected = map[string][]heard{}, v.Talker, 1
	}
	if v.Talker != s.partsTalker || v.number != s.expected {
		s.expected = 0 // a sentence was lost: wait for the next list
		return
	}
	s.parts[v.signal] = append(s.parts[v.signal], v.satellites...)
	s.expected++
	if v.number < v.total {
		return
	}
	if s.views == nil {
		s.views = map[viewKey]view{}
	}
	for signal, satellites := range s.parts {
		s.views[viewKey{v.Talker, signal}] = view{satellites, age}
	}
	s.expected = 0
}

// use takes the used satellites of a burst; each constellation has its own sentence.
func (s *sky) use(a active) {
	if s.gathering == nil {
		s.gathering, s.gatheringDimensions = map[satellite]bool{}, 0
	}
	for _, number := range a.numbers {
		s.gathering[identify(a.Talker, a.system, number)] = true
	}
	s.gatheringDimensions = max(s.gatheringDimensions, a.dimensions)
}

// endBurst takes over the used satellites that were gathered, and returns the dimensions of the fix; told is false where
// the burst had no GSA.
func (s *sky) endBurst(age time.Duration) (dimensions int, told bool) {
	if s.gathering != nil {
		s.used, s.usedAt, dimensions, told = s.gathering, age, s.gatheringDimensions, true
	}
	s.gathering = nil
	if age-s.usedAt > staleAfter {
		s.used = nil
	}
	return dimensions, told
}

// satellites lists what is in view: each satellite once, with the best C/N0 of its signals.
func (s *sky) satellites(age time.Duration) []refclock.Satellite {
	if s.listed != nil && age-s.listedAt <= staleAfter {
		return slices.Clone(s.listed)
	}
	found := map[satellite]refclock.Satellite{}
	for key, v := range s.views {
		if age-v.at > staleAfter {
			delete(s.views, key)
			continue
		}
		for _, h := range v.satellites {
			id := identify(key.talker, 0, h.number)
			one, again := found[id]
			if !again {
				one = refclock.Satellite{
					Constellation: constellations[id.constellation], PRN: h.number,
					Elevation: -1, Azimuth: -1, Used: s.used[id],
				}
			}
			one.Elevation, one.Azimuth = max(one.Elevation, h.elevation), max(one.Azimuth, h.azimuth)
			one.CN0 = max(one.CN0, float64(h.cn0))
			found[id] = one
		}
	}
	ids := make([]satellite, 0, len(found))
	for id := range found {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b satellite) int {
		return cmp.Or(cmp.Compare(a.constellation, b.constellation), cmp.Compare(a.number, b.number))
	})
	list := make([]refclock.Satellite, 0, len(ids))
	for _, id := range ids {
		list = append(list, found[id])
	}
	return list
}
