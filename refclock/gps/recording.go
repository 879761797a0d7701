package gps

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/adrianmo/go-nmea"

	"timestation/refclock"
)

// Solution is what a receiver made of one moment, as a recording has it.
type Solution struct {
	// UTC is when it was, nil where the receiver did not say so much.
	UTC            *refclock.UTC
	Fix            refclock.Fix
	SatellitesUsed int
	Satellites     []refclock.Satellite
	// LeapSeconds is GPS − UTC as the receiver has heard it; nil while it has not.
	LeapSeconds *int
	// Latitude and Longitude are WGS 84 in degrees, AltitudeM is metres above mean sea level; nil where not told.
	Latitude, Longitude, AltitudeM *float64
	// RolloverWeeks is how many weeks were added to the receiver's date.
	RolloverWeeks int
}

// Summary is what a recording consists of.
type Summary struct {
	// Messages counts the intact ones by type, such as GNRMC, UBX-NAV-PVT or RTCM3-1077.
	Messages map[string]uint64
	// ChecksumErrors counts what looked like a message and whose checksum was wrong or missing.
	ChecksumErrors uint64
	// Solutions counts what was delivered; Repaired those whose date was brought forward, by up to RolloverWeeks.
	Solutions, Repaired uint64
	RolloverWeeks       int
	// Header is the date in the comments at the beginning, as gpsd's recordings have it; zero where there is none. First is
	// the first date of a fix.
	Header, First time.Time
	Firmware      string
	// Remarks are what else is worth knowing, each a few words.
	Remarks []string
}

// ReadRecording decodes what a receiver has sent, as fast as it can be read, and calls deliver for each solution in the
// order of the recording. Dates before notBefore are taken for a week number that has run over, and repaired; a recording
// is as old as it is, so that is not when the program was built: the zero time repairs nothing. Its errors are those of
// reading and of deliver.
//
// There are no arrival times in a recording, so each new time of day, or GPS time of week, begins a solution.
func ReadRecording(from io.Reader, notBefore time.Time, deliver func(Solution) error) (Summary, error) {
	p := player{
		notBefore: bound(notBefore), receiver: newReceiver(), deliver: deliver, counts: map[uint32]uint64{},
		summary: Summary{Messages: map[string]uint64{}},
	}
	buffered := bufio.NewReaderSize(from, 1<<16)
	if err := p.comments(buffered); err != nil {
		return p.summary, err
	}
	stamp := func(int) refclock.Stamp { return 0 }
	chunk := make([]byte, 1<<16)
	for {
		n, err := buffered.Read(chunk)
		p.scanner.scan(chunk[:n], stamp, p.message)
		if p.err != nil {
			return p.summarise(), p.err
		}
		if errors.Is(err, io.EOF) {
			p.end()
			return p.summarise(), p.err
		}
		if err != nil {
			return p.summarise(), err
		}
	}
}

// player plays a recording.
type player struct {
	notBefore time.Time
	scanner   scanner
	receiver  receiver
	epoch     epoch
	deliver   func(Solution) error
	err       error
	summary   Summary
	// counts is of binary packets, by protocol, class and id.
	counts map[uint32]uint64
	// age is how long the recording has played, by the receiver's own time.
	age time.Duration
	// fix and used are the last ones told.
	fix  refclock.Fix
	used int
	// day is the last date that was told, and at the time of day it was told with; nil where there was none.
	day *date
	at  time.Duration
	tow uint32
}

// comments reads the lines at the beginning that gpsd's recordings have.
func (p *player) comments(r *bufio.Reader) error {
	for {
		next, err := r.Peek(1)
		if errors.Is(err, io.EOF) || err == nil && next[0] != '#' {
			return nil
		}
		if err != nil {
			return err
		}
		line, err := r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
			return err
		}
		p.header(line)
	}
}

// header looks for gpsd's "# Date: 2019-04-24".
func (p *player) header(line []byte) {
	_, value, ok := bytes.Cut(line, []byte("Date"))
	if !ok || !p.summary.Header.IsZero() {
		return
	}
	var year, month, day int
	if n, _ := fmt.Sscanf(string(bytes.TrimLeft(value, " :=")), "%d-%d-%d", &year, &month, &day); n == 3 {
		p.summary.Header = time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	}
}

func (p *player) message(f frame) {
	if p.err != nil {
		return
	}
	switch f.protocol {
	case nmea0183:
		p.summary.Messages[address(f.sentence)]++
		if r, ok := p.receiver.sentence(f.sentence, p.age); ok {
			p.report(r)
		}
	case ubx:
		message := uint16(f.class)<<8 | uint16(f.id)
		p.counts[uint32(ubx)<<16|uint32(message)]++
		if r, ok := p.receiver.moment(message, f.payload); ok {
			p.report(r)
		}
		if r, ok := p.receiver.packet(message, f.payload, p.age); ok {
			p.report(r)
		}
	case rtcm3:
		p.counts[uint32(rtcm3)<<16|uint32(f.payload[0])<<4|uint32(f.payload[1])>>4]++
	default:
		p.counts[uint32(f.protocol)<<16]++
	}
}

// address is a sentence's talker and type.
func address(sentence string) string {
	for i := 1; i < len(sentence); i++ {
		if sentence[i] == ',' || sentence[i] == '*' {
			return sentence[1:i]
		}
	}
	return sentence
}

func (p *player) report(r report) {
	if p.epoch.open && p.epoch.late(r) {
		return
	}
	// Sentences without a time, which a receiver sends before it knows it, may be of any second before the first that has one.
	if !p.epoch.open || !p.epoch.timed() && r.timed() || !p.epoch.holds(r, p.receiver.leap) {
		p.end()
		p.follow(r)
		p.epoch = epoch{open: true, satellites: -1}
	}
	p.epoch.add(r)
}

// follow lets as much time pass as the receiver says.
func (p *player) follow(r report) {
	const usual = time.Second
	step := usual
	switch {
	case r.navigation != nil:
		step = time.Duration(int64(r.navigation.tow)-int64(p.tow)) * time.Millisecond
		p.tow = r.navigation.tow
	case r.time.Valid && p.epoch.time.Valid:
		step = timeOfDay(r.time) - timeOfDay(p.epoch.time)
	}
	if step < 0 || step > time.Hour {
		step = usual
	}
	p.age += step
}

// end delivers what the messages of an epoch said together.
func (p *player) end() {
	e := &p.epoch
	if !e.open || p.err != nil {
		return
	}
	e.open = false
	dimensions, told := p.receiver.sky.endBurst(p.age)
	fix, known := e.fix(dimensions, p.fix)
	m, reason := e.moment(p.notBefore, p.receiver.leap, p.today())
	p.remember(m, reason)
	if !known || fix == refclock.NoFix && reason != "" {
		return
	}
	p.fix = fix
	s := Solution{Fix: fix, Satellites: p.receiver.sky.satellites(p.age)}
	if reason == "" {
		s.UTC, s.RolloverWeeks = new(m.label()), m.weeks
	}
	if p.receiver.leap.known {
		s.LeapSeconds = new(p.receiver.leap.seconds)
	}
	if fix != refclock.NoFix {
		byGSA := -1
		if told {
			byGSA = len(p.receiver.sky.used)
		}
		if n := e.satellitesUsed(byGSA); n >= 0 {
			p.used = n
		}
		s.SatellitesUsed = p.used
		if at := e.where(); at != nil {
			s.Latitude, s.Longitude = new(at.latitude), new(at.longitude)
			if at.hasAltitude {
				s.AltitudeM = new(at.altitude)
			}
		}
	} else {
		p.used = 0
		for i := range s.Satellites {
			s.Satellites[i].Used = false
		}
	}
	p.count(s)
	p.err = p.deliver(s)
}

// today is the date to go by where an epoch tells none: the last that was told, or the day after if midnight has passed.
func (p *player) today() *date {
	if p.day == nil || !p.epoch.time.Valid {
		return nil
	}
	d := *p.day
	if p.at-timeOfDay(p.epoch.time) > 12*time.Hour {
		d = d.plus(1)
	}
	return &d
}

func (p *player) remember(m moment, reason string) {
	if reason != "" {
		return
	}
	// As the receiver said it: a repair is made anew each time.
	t := time.Unix(m.utc.Seconds, 0).UTC().AddDate(0, 0, -7*m.weeks)
	p.day = &date{year: t.Year(), month: int(t.Month()), day: t.Day()}
	p.at = timeOfDay(nmea.Time{Hour: t.Hour(), Minute: t.Minute(), Second: t.Second()})
}

func (p *player) count(s Solution) {
	p.summary.Solutions++
	if s.RolloverWeeks > 0 {
		p.summary.Repaired++
		p.summary.RolloverWeeks = max(p.summary.RolloverWeeks, s.RolloverWeeks)
	}
	if s.UTC != nil && s.Fix != refclock.NoFix && p.summary.First.IsZero() {
		p.summary.First = s.UTC.Time()
	}
}

func (p *player) summarise() Summary {
	s, r := &p.summary, &p.receiver
	for key, n := range p.counts {
		s.Messages[packetName(protocol(key>>16), uint16(key))] += n
	}
	s.ChecksumErrors, s.Firmware = p.scanner.errors(), r.firmware
	remark := func(format string, args ...any) { s.Remarks = append(s.Remarks, fmt.Sprintf(format, args...)) }
	if v := r.survey; v.active || v.valid {
		state := "over"
		if v.active {
			state = "running"
		}
		remark("survey of the antenna's position: %s, %d s, %.1f m", state, v.seconds, v.accuracyM)
	}
	if m := r.marks; m.count > 0 {
		remark("%d pulses stamped at the receiver's input, the last in week %d at %d ms ± %v", m.count, m.week, m.towMS, m.accuracy)
	}
	for _, a := range r.alarms() {
		remark("%s", a.Text)
	}
	if sirf, skytraq := s.Messages["SiRF"], s.Messages["Skytraq"]; sirf+skytraq > 0 {
		remark("SiRF and Skytraq binary is not read here: let gpsd read it, and Timestation gpsd")
	}
	const era = 7 * weeksOfEra * 24 * time.Hour
	if !s.Header.IsZero() && !s.First.IsZero() && s.Header.Sub(s.First) > era/2 {
		remark("the receiver's dates are %d years before the recording's own: a week number has run over; --not-before %s repairs it",
			s.Header.Year()-s.First.Year(), s.Header.AddDate(0, 0, -30).Format(time.DateOnly))
	}
	return *s
}

// packetName names a kind of binary packet.
func packetName(p protocol, id uint16) string {
	switch p {
	case rtcm3:
		return fmt.Sprintf("RTCM3-%d", id)
	case sirf:
		return "SiRF"
	case skytraq:
		return "Skytraq"
	}
	if name, ok := messageNames[id]; ok {
		return "UBX-" + name
	}
	return fmt.Sprintf("UBX-%02X-%02X", id>>8, id&0xff)
}
