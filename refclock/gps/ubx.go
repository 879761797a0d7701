package gps

import (
	"encoding/binary"
	"math"
	"strings"
	"time"

	"timestation/refclock"
)

// The UBX messages that are read, as class and id (u-blox M8, F9 and Antaris 4 interface descriptions).
const (
	navPOSECEF = 0x0101
	navPOSLLH  = 0x0102
	navSTATUS  = 0x0103
	navSOL     = 0x0106
	navPVT     = 0x0107
	navTIMEGPS = 0x0120
	navTIMEUTC = 0x0121
	navCLOCK   = 0x0122
	navTIMELS  = 0x0126
	navSVINFO  = 0x0130
	navSAT     = 0x0135
	navSVIN    = 0x013b
	ackNAK     = 0x0500
	ackACK     = 0x0501
	monVER     = 0x0a04
	monHW      = 0x0a09
	monRF      = 0x0a38
	timTP      = 0x0d01
	timTM2     = 0x0d03
	timSVIN    = 0x0d04
	secSIG     = 0x2709
)

// leastPayload is how many bytes of each message are read at least; a shorter one is of a version that nobody knows.
var leastPayload = map[uint16]int{
	navPOSECEF: 20, navPOSLLH: 28, navSTATUS: 16, navSOL: 52, navPVT: 84, navTIMEGPS: 16, navTIMEUTC: 20, navCLOCK: 20,
	navTIMELS: 24, navSVINFO: 8, navSAT: 8, navSVIN: 40, ackNAK: 2, ackACK: 2, monVER: 40, monHW: 24, monRF: 4, timTP: 16,
	timTM2: 28, timSVIN: 28, secSIG: 4,
}

// navigation is what the UBX messages of one solution say together; each message sets its part.
type navigation struct {
	// tow is the GPS time of week of the solution in milliseconds: messages with the same one belong together.
	tow uint32
	// fix comes from the best of the messages that tell it, by fixRank, 0 for none; usable is gnssFixOK, that the solution
	// is within the receiver's own limits.
	fix     refclock.Fix
	fixRank int
	usable  bool
	// civil is UTC as the receiver says it in calendar fields, to the second, and nano what is to be added; only where its
	// flags say that date and time are valid and no second is in doubt. confirmed: checked against a second source.
	civil     civil
	nano      time.Duration
	civilRank int
	confirmed bool
	// denied: the receiver says that it does not know UTC.
	denied bool
	// week is of GPS time, and tow + fraction the time in it, where weekKnown.
	week      int
	fraction  time.Duration
	weekKnown bool
	// accuracy is the receiver's own estimate of its time's, 1σ; 0 where it does not say.
	accuracy time.Duration
	// used is how many satellites the solution used, listed how many of the listed ones are marked as used; -1 where not told.
	used, listed int
	place        *place
	placeRank    int
}

// civil is a moment in calendar fields; second may be 60.
type civil struct{ year, month, day, hour, minute, second int }

// merge adds what another message of the same solution says.
func (n *navigation) merge(m navigation) {
	if m.fixRank > n.fixRank {
		n.fix, n.fixRank, n.usable = m.fix, m.fixRank, m.usable
	}
	if m.civilRank > n.civilRank {
		n.civil, n.nano, n.civilRank = m.civil, m.nano, m.civilRank
	}
	n.confirmed, n.denied = n.confirmed || m.confirmed, n.denied || m.denied
	if m.weekKnown {
		n.week, n.fraction, n.weekKnown = m.week, m.fraction, true
	}
	n.accuracy = max(n.accuracy, m.accuracy)
	n.used, n.listed = max(n.used, m.used), max(n.listed, m.listed)
	if m.placeRank > n.placeRank {
		n.place, n.placeRank = m.place, m.placeRank
	}
}

// fields reads little-endian numbers at given offsets of a payload.
type fields []byte

func (f fields) u2(at int) uint16 { return binary.LittleEndian.Uint16(f[at:]) }
func (f fields) i2(at int) int    { return int(int16(f.u2(at))) }
func (f fields) u4(at int) uint32 { return binary.LittleEndian.Uint32(f[at:]) }
func (f fields) i4(at int) int32  { return int32(f.u4(at)) }
func (f fields) i1(at int) int    { return int(int8(f[at])) }

// solution is what a NAV message says of the solution it belongs to; ok is false where it says nothing of one. What it
// says of the receiver is noted.
func (r *receiver) solution(message uint16, f fields, age time.Duration) (n navigation, ok bool) {
	n = navigation{used: -1, listed: -1}
	if message>>8 == 0x01 && message != navSVIN {
		n.tow = f.u4(0)
	}
	switch message {
	case navPVT:
		n.pvt(f)
	case navSOL:
		n.fix, n.usable, n.fixRank = fixOf(f[10]), f[11]&1 != 0, 2
		if f[11]&0x0c == 0x0c {
			n.gpsTime(f.i2(8), f.i4(4))
		}
		n.used = int(f[47])
		n.ecef(f, 12)
	case navSTATUS:
		n.fix, n.usable, n.fixRank = fixOf(f[4]), f[5]&1 != 0, 1
		if !n.usable {
			n.fix = refclock.NoFix
		}
		r.spoofing[fromStatus] = f[7] >> 3 & 3
	case navPOSLLH:
		n.place, n.placeRank = geodetic(f, 4), 2
	case navPOSECEF:
		n.ecef(f, 4)
	case navTIMEGPS:
		if f[11]&3 == 3 {
			n.gpsTime(f.i2(8), f.i4(4))
		}
		n.accuracy = nanoseconds(f.u4(12))
		r.leap.byTimeGPS(f.i1(10), f[11]&4 != 0)
	case navTIMEUTC:
		n.accuracy = nanoseconds(f.u4(4))
		if f[19]&4 == 0 {
			n.denied = true
			break
		}
		n.calendar(f, 12, f.i4(8), 1)
	case navCLOCK:
		n.accuracy = nanoseconds(f.u4(12))
	case navTIMELS:
		r.leap.byTimeLS(f)
	case navSAT:
		if f[4] != 1 || len(f) < 8+12*int(f[5]) {
			return n, false
		}
		n.listed = r.sky.list(satellites(f), age)
	case navSVINFO:
		if len(f) < 8+12*int(f[4]) {
			return n, false
		}
		n.listed = r.sky.list(channels(f), age)
	default:
		return n, false
	}
	return n, true
}

// fixOf is UBX's gpsFix: dead reckoning alone (1) is a position in two dimensions at best, as gpsd has it.
func fixOf(b byte) refclock.Fix {
	switch b {
	case 1, 2:
		return refclock.Fix2D
	case 3, 4:
		return refclock.Fix3D
	case 5:
		return refclock.FixTime
	}
	return refclock.NoFix
}

func (n *navigation) pvt(f fields) {
	n.fix, n.usable, n.fixRank = fixOf(f[20]), f[21]&1 != 0 && f[20] != 1, 3
	// validDate, validTime, fullyResolved: all three or nothing.
	if f[11]&7 == 7 {
		n.calendar(f, 4, f.i4(16), 2)
		n.confirmed = f[22]&0xe0 == 0xe0 // confirmedAvai, confirmedDate, confirmedTime
	}
	n.accuracy = nanoseconds(f.u4(12))
	n.used = int(f[23])
	if invalidLLH := f[78]&1 != 0; n.fix != refclock.NoFix && !invalidLLH {
		n.place, n.placeRank = geodetic(f, 24), 3
	}
}

// calendar takes year to second from seven bytes, and the nanoseconds to be added, if there can be such a moment.
func (n *navigation) calendar(f fields, at int, nano int32, rank int) {
	c := civil{int(f.u2(at)), int(f[at+2]), int(f[at+3]), int(f[at+4]), int(f[at+5]), int(f[at+6])}
	t := time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, 0, 0, time.UTC)
	if c.hour > 23 || c.minute > 59 || c.second > 60 || t.Day() != c.day || int(t.Month()) != c.month ||
		t.Before(gpsEpoch) || nano < -1e9 || nano > 1e9 {
		return
	}
	n.civil, n.nano, n.civilRank = c, time.Duration(nano), rank
}

func (n *navigation) gpsTime(week int, nanos int32) {
	const weekMS = 7 * 86400 * 1000
	if week < 0 || n.tow >= weekMS || nanos < -1e9 || nanos > 1e9 {
		return
	}
	n.week, n.fraction, n.weekKnown = week, time.Duration(nanos), true
}

func nanoseconds(n uint32) time.Duration {
	if n == math.MaxUint32 {
		return 0 // u-blox's way to say that it does not know
	}
	return time.Duration(n)
}

// geodetic reads longitude and latitude in 1e-7 degrees, height above the ellipsoid and above mean sea level in mm.
func geodetic(f fields, at int) *place {
	p := &place{
		longitude: float64(f.i4(at)) / 1e7, latitude: float64(f.i4(at+4)) / 1e7,
		altitude: float64(f.i4(at+12)) / 1e3, hasAltitude: true,
	}
	if math.Abs(p.latitude) > 90 || math.Abs(p.longitude) > 180 {
		return nil
	}
	return p
}

// ecef reads a position in centimetres from the Earth's centre. It leaves the height unsaid: from there to mean sea level
// a model of the geoid would be needed.
func (n *navigation) ecef(f fields, at int) {
	x, y, z := float64(f.i4(at))/100, float64(f.i4(at+4))/100, float64(f.i4(at+8))/100
	const ( // WGS 84
		a  = 6378137.0
		e2 = 6.69437999014e-3
	)
	p := math.Hypot(x, y)
	if radius := math.Hypot(p, z); radius < 6.3e6 || radius > 7e6 || n.fixRank > 0 && n.fix == refclock.NoFix {
		return
	}
	latitude := math.Atan2(z, p*(1-e2))
	for range 5 { // Bowring's iteration; two are enough near the surface
		s := math.Sin(latitude)
		latitude = math.Atan2(z+e2*a/math.Sqrt(1-e2*s*s)*s, p)
	}
	n.place = &place{latitude: latitude * 180 / math.Pi, longitude: math.Atan2(y, x) * 180 / math.Pi}
	n.placeRank = 1
}

// satellites reads the list of a NAV-SAT.
func satellites(f fields) []refclock.Satellite {
	// gnssId 4 is IMES, which is indoors and no satellite.
	systems := [...]int{gps, sbas, galileo, beidou, -1, qzss, glonass, navic}
	list := make([]refclock.Satellite, 0, f[5])
	for at := 8; at < 8+12*int(f[5]); at += 12 {
		if int(f[at]) >= len(systems) || systems[f[at]] < 0 {
			continue
		}
		list = append(list, seen(systems[f[at]], int(f[at+1]), f[at+2], f.i1(at+3), f.i2(at+4), f[at+8]&8 != 0))
	}
	return list
}

// channels reads the list of a NAV-SVINFO, whose numbers tell the constellation (u-blox M8 interface description,
// "Satellite numbering").
func channels(f fields) []refclock.Satellite {
	list := make([]refclock.Satellite, 0, f[4])
	for at := 8; at < 8+12*int(f[4]); at += 12 {
		number := int(f[at+1])
		system := -1
		switch {
		case number >= 1 && number <= 32:
			system = gps
		case number >= 33 && number <= 64, number >= 159 && number <= 163:
			system = beidou
		case number >= 65 && number <= 96, number == 255:
			system = glonass
		case number >= 120 && number <= 158:
			system = sbas
		case number >= 193 && number <= 202:
			system = qzss
		case number >= 211 && number <= 246:
			system = galileo
		}
		if system >= 0 {
			list = append(list, seen(system, number, f[at+4], f.i1(at+5), f.i2(at+6), f[at+2]&1 != 0))
		}
	}
	return list
}

func seen(system, number int, cn0 byte, elevation, azimuth int, used bool) refclock.Satellite {
	s := refclock.Satellite{
		Constellation: constellations[system], PRN: number, Elevation: elevation, Azimuth: azimuth,
		CN0: float64(min(cn0, 99)), Used: used,
	}
	// Below the horizon is a guess, and above 90° the receiver's word for not knowing.
	if elevation < 0 || elevation > 90 || azimuth < 0 || azimuth > 360 {
		s.Elevation, s.Azimuth = -1, -1
	}
	if s.Azimuth == 360 {
		s.Azimuth = 0
	}
	return s
}

// text reads a string that a zero ends.
func text(p []byte) string {
	s, _, _ := strings.Cut(string(p), "\x00")
	return strings.TrimSpace(strings.ToValidUTF8(s, "?"))
}
