package gps

import (
	"encoding/binary"
	"time"
)

// encoder writes UBX payloads of little-endian fields.
type encoder struct{ p []byte }

func (e *encoder) u1(v ...byte)        { e.p = append(e.p, v...) }
func (e *encoder) u2(v uint16)         { e.p = binary.LittleEndian.AppendUint16(e.p, v) }
func (e *encoder) u4(v uint32)         { e.p = binary.LittleEndian.AppendUint32(e.p, v) }
func (e *encoder) i4(v int32)          { e.u4(uint32(v)) }
func (e *encoder) zeros(n int)         { e.p = append(e.p, make([]byte, n)...) }
func (e *encoder) upTo(n int)          { e.zeros(n - len(e.p)) }
func (e *encoder) set(m uint16) string { return string(packet(m, e.p)) }

// fake is a u-blox receiver's view of one moment. The zero value has every flag down.
type fake struct {
	at         time.Time // UTC
	nano       int32     // said beside at
	leap       int       // what it subtracts
	valid      byte      // of NAV-PVT: 1 date, 2 time, 4 fully resolved
	confirmed  bool
	fix        byte
	ok         bool // gnssFixOK
	accuracy   uint32
	leapValid  bool // of TIMEGPS and TIMELS
	leapSource byte
	change     int8
	changeIn   int32
	utcValid   bool // of TIMEUTC
	used       int
	spoofing   byte
}

// good is a receiver that knows everything, at a moment.
func good(at time.Time) fake {
	return fake{at: at, leap: 18, valid: 7, fix: 3, ok: true, accuracy: 30, leapValid: true, leapSource: 2, utcValid: true, used: 9}
}

// gpsTime is week and milliseconds of it.
func (f fake) gpsTime() (week uint16, tow uint32) {
	since := f.at.Add(time.Duration(f.leap) * time.Second).Sub(gpsEpoch)
	const w = 7 * 24 * time.Hour
	return uint16(since / w), uint32(since % w / time.Millisecond)
}

func (f fake) tow() *encoder {
	_, tow := f.gpsTime()
	e := &encoder{}
	e.u4(tow)
	return e
}

func (f fake) calendar(e *encoder, at time.Time) {
	e.u2(uint16(at.Year()))
	e.u1(byte(at.Month()), byte(at.Day()), byte(at.Hour()), byte(at.Minute()), byte(at.Second()))
}

func flag(set bool, mask byte) byte {
	if set {
		return mask
	}
	return 0
}

func (f fake) pvt() string {
	e := f.tow()
	f.calendar(e, f.at)
	e.u1(f.valid)
	e.u4(f.accuracy)
	e.i4(f.nano)
	e.u1(f.fix, flag(f.ok, 1), flag(f.confirmed, 0xe0), byte(f.used))
	e.i4(-22400000) // longitude
	e.i4(534500000)
	e.i4(90000)
	e.i4(42000) // above mean sea level
	e.upTo(92)
	return e.set(navPVT)
}

func (f fake) sol() string {
	week, _ := f.gpsTime()
	e := f.tow()
	e.i4(f.nano)
	e.u2(week)
	e.u1(f.fix, flag(f.ok, 1)|0x0c)
	e.i4(-238607106) // cm: Bend, Oregon
	e.i4(-392219051)
	e.i4(441436045)
	e.upTo(47)
	e.u1(byte(f.used))
	e.upTo(52)
	return e.set(navSOL)
}

func (f fake) timeGPS() string {
	week, _ := f.gpsTime()
	e := f.tow()
	e.i4(f.nano)
	e.u2(week)
	e.u1(byte(f.leap), 3|flag(f.leapValid, 4))
	e.u4(f.accuracy)
	return e.set(navTIMEGPS)
}

func (f fake) timeUTC() string {
	e := f.tow()
	e.u4(f.accuracy)
	e.i4(f.nano)
	f.calendar(e, f.at)
	e.u1(3 | flag(f.utcValid, 4))
	return e.set(navTIMEUTC)
}

func (f fake) timeLS() string {
	e := f.tow()
	e.zeros(4)
	e.u1(f.leapSource, byte(f.leap), 2, byte(f.change))
	e.i4(f.changeIn)
	e.upTo(23)
	e.u1(flag(f.leapValid, 3))
	return e.set(navTIMELS)
}

func (f fake) status() string {
	e := f.tow()
	e.u1(f.fix, flag(f.ok, 1)|0x0c, 0, f.spoofing<<3)
	e.upTo(16)
	return e.set(navSTATUS)
}

// sat lists as many satellites as are used, and two more.
func (f fake) sat() string {
	e := f.tow()
	e.u1(1, byte(f.used+2), 0, 0)
	for i := range f.used + 2 {
		e.u1([]byte{0, 2, 6, 3}[i%4], byte(i+1), byte(30+i), byte(10+i))
		e.u2(uint16(20 * i))
		e.zeros(2)
		e.u4(uint32(flag(i < f.used, 8)))
	}
	return e.set(navSAT)
}

// timTPOf is what a timing receiver says of the pulse at f.at, on UTC or GPS time; the error is in picoseconds.
func (f fake) timTP(onUTC bool, errorPS int32, flags byte) string {
	g := f
	if onUTC {
		g.leap, flags = 0, flags|3
	}
	week, tow := g.gpsTime()
	e := &encoder{}
	e.u4(tow)
	e.u4(0)
	e.i4(errorPS)
	e.u2(week)
	e.u1(flags, 0)
	return e.set(timTP)
}

func monRFOf(jamming, antenna byte) string {
	e := &encoder{}
	e.u1(0, 2, 0, 0)
	for block := range byte(2) {
		e.u1(block, jamming*block, antenna)
		e.zeros(21)
	}
	return e.set(monRF)
}

func monHWOf(jamming, antenna byte) string {
	e := &encoder{}
	e.zeros(20)
	e.u1(antenna, 1, jamming<<2)
	e.upTo(60)
	return e.set(monHW)
}

func secSIGOf(version, jamming, spoofing byte) string {
	e := &encoder{}
	if version == 1 {
		e.u1(1, 0, 0, 0, 1|jamming<<1, 0, 0, 0, 1|spoofing<<1, 0, 0, 0)
	} else {
		e.u1(2, 1|jamming<<1|8|spoofing<<4, 0, 0)
	}
	return e.set(secSIG)
}

func monVEROf(software, protocol, model string) string {
	e := &encoder{}
	e.u1([]byte(software)...)
	e.upTo(40)
	for i, s := range []string{"FWVER=" + software, "PROTVER=" + protocol, "MOD=" + model} {
		e.u1([]byte(s)...)
		e.upTo(40 + 30*(i+1))
	}
	return e.set(monVER)
}

// rtcm frames an RTCM 3 message of a number.
func rtcm(number uint16, length int) string {
	p := []byte{0xd3, byte(length >> 8), byte(length), byte(number >> 4), byte(number << 4)}
	for len(p) < 3+length {
		p = append(p, byte(len(p)*7))
	}
	sum := crc24q(p)
	return string(append(p, byte(sum>>16), byte(sum>>8), byte(sum)))
}
