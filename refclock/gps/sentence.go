package gps

import (
	"errors"
	"math"

	"github.com/adrianmo/go-nmea"
)

// report is what one of the messages says that belong to a solution: RMC, GGA, GNS, GLL or ZDA, or a NAV message of UBX.
type report struct {
	nmea.BaseSentence
	// navigation is what a UBX message says; it is nil for NMEA, and where it is not, it is all there is.
	navigation *navigation
	// time is invalid while the receiver does not know it.
	time nmea.Time
	// date is set by RMC and ZDA.
	date *date
	// verdict is what the sentence says of the fix.
	verdict verdict
	// place is nil where the sentence gives none.
	place *place
	// satellites is how many were used, -1 where the sentence does not tell.
	satellites int
}

// verdict is what a sentence says of the fix. A ZDA says nothing.
type verdict uint8

// In this order: the greatest that a sentence of an epoch says is what counts.
const (
	abstains verdict = iota
	isFix
	// isGuess: a position, but by dead reckoning, typed in or simulated, which is no reason to believe the time.
	isGuess
	isNoFix
)

// place is a position in degrees, and metres above mean sea level where the sentence tells that.
type place struct {
	latitude, longitude float64
	altitude            float64
	hasAltitude         bool
}

// active is what a GSA sentence says: which satellites the fix was made with.
type active struct {
	nmea.BaseSentence
	// dimensions is 1 for no fix, 2 or 3; 0 where the receiver leaves it empty.
	dimensions int
	// system is the NMEA 4.10 system ID, 0 before that.
	system  int
	numbers []int
}

// inView is one of the GSV sentences that together list one constellation's satellites on one signal.
type inView struct {
	nmea.BaseSentence
	total, number int
	// signal is the NMEA 4.10 signal ID, a hexadecimal digit; empty before that.
	signal     string
	satellites []heard
}

// heard is one satellite of a GSV; elevation and azimuth are -1 where not known.
type heard struct{ number, elevation, azimuth, cn0 int }

// newParser makes a parser of the sentences that matter here. go-nmea's own types refuse a whole sentence for one field
// that we do not read (a GSA's system ID of "1.2", a fix quality above 6, a GSV's hexadecimal signal ID), and they cannot
// say that an elevation is missing, so each type reads its own fields with go-nmea's tools.
//
// Every other sentence is turned away before it is parsed: a short TXT makes go-nmea 1.10.0 panic.
func newParser() *nmea.SentenceParser {
	parsers := map[string]nmea.ParserFunc{
		nmea.TypeRMC: parseRMC,
		nmea.TypeGGA: parseGGA,
		nmea.TypeGNS: parseGNS,
		nmea.TypeGLL: parseGLL,
		nmea.TypeZDA: parseZDA,
		nmea.TypeGSA: parseGSA,
		nmea.TypeGSV: parseGSV,
	}
	return &nmea.SentenceParser{
		CustomParsers: parsers,
		OnBaseSentence: func(s *nmea.BaseSentence) error {
			if parsers[s.Type] == nil || len(s.Talker) != 2 {
				return errNotRead
			}
			return nil
		},
	}
}

// errNotRead is for sentences that say nothing of time or satellites, such as VTG and the makers' own.
var errNotRead = errors.New("not a sentence that is read here")

// modes tells what a mode indicator (NMEA 2.3) is worth: a position may be estimated (E, dead reckoning), typed in (M) or
// simulated (S). GNS has one letter for each constellation, and one real fix among them is enough.
func modes(indicator string) verdict {
	says := abstains
	for _, m := range indicator {
		switch m {
		case 'A', 'D', 'F', 'P', 'R':
			return isFix
		case 'E', 'M', 'S':
			says = isGuess
		case 'N':
			if says == abstains {
				says = isNoFix
			}
		}
	}
	return says
}

// status joins the A or V of RMC and GLL with their mode indicator, which older receivers do not send.
func status(letter, mode string) verdict {
	if letter != nmea.StatusValid {
		return isNoFix
	}
	return max(isFix, modes(mode))
}

func parseRMC(s nmea.BaseSentence) (nmea.Sentence, error) {
	p := nmea.NewParser(s)
	r := report{BaseSentence: s, satellites: -1}
	r.time = p.Time(0, "time")
	r.verdict = status(p.String(1, "status"), optional(s, 11))
	r.place = position(p, 2)
	if d := p.Date(8, "date"); d.Valid {
		r.date = &date{year: d.YY, month: d.MM, day: d.DD, shortYear: true}
	}
	return r, p.Err()
}

func parseGGA(s nmea.BaseSentence) (nmea.Sentence, error) {
	p := nmea.NewParser(s)
	r := report{BaseSentence: s, satellites: -1}
	r.time = p.Time(0, "time")
	r.place = position(p, 1)
	// 6 is dead reckoning, 7 typed in, 8 a simulator; an empty field is no claim to a fix.
	switch p.String(5, "fix quality") {
	case nmea.GPS, nmea.DGPS, nmea.PPS, nmea.RTK, nmea.FRTK:
		r.verdict = isFix
	case "6", "7", "8":
		r.verdict = isGuess
	default:
		r.verdict = isNoFix
	}
	if r.satellites = count(p, 6); r.satellites == 0 && r.verdict == isFix {
		r.verdict = isNoFix // a Hemisphere receiver holds on to quality 1 for a while after it has lost every satellite
	}
	altitude(p, 8, r.place)
	return r, p.Err()
}

func parseGNS(s nmea.BaseSentence) (nmea.Sentence, error) {
	p := nmea.NewParser(s)
	r := report{BaseSentence: s, satellites: -1}
	r.time = p.Time(0, "time")
	r.place = position(p, 1)
	if r.verdict = modes(p.String(5, "mode")); r.verdict == abstains {
		r.verdict = isNoFix
	}
	r.satellites = count(p, 6)
	altitude(p, 8, r.place)
	return r, p.Err()
}

func parseGLL(s nmea.BaseSentence) (nmea.Sentence, error) {
	p := nmea.NewParser(s)
	r := report{BaseSentence: s, satellites: -1}
	r.place = position(p, 0)
	r.time = p.Time(4, "time")
	r.verdict = status(p.String(5, "status"), optional(s, 6))
	return r, p.Err()
}

func parseZDA(s nmea.BaseSentence) (nmea.Sentence, error) {
	p := nmea.NewParser(s)
	r := report{BaseSentence: s, satellites: -1}
	r.time = p.Time(0, "time")
	day, month, year := p.NullInt64(1, "day"), p.NullInt64(2, "month"), p.NullInt64(3, "year")
	if day.Valid && month.Valid && year.Valid {
		r.date = &date{year: int(year.Value), month: int(month.Value), day: int(day.Value)}
	}
	return r, p.Err()
}

func parseGSA(s nmea.BaseSentence) (nmea.Sentence, error) {
	p := nmea.NewParser(s)
	a := active{BaseSentence: s, dimensions: int(p.Int64(1, "fix type"))}
	for field := 2; field < 14; field++ {
		if n := p.Int64(field, "satellite"); n > 0 && n <= highestNumber {
			a.numbers = append(a.numbers, int(n))
		}
	}
	// SiRF puts a further dilution of precision where NMEA 4.10 has the system ID.
	if id := optional(s, 17); len(id) == 1 && id[0] >= '1' && id[0] <= '6' {
		a.system = int(id[0] - '0')
	}
	return a, p.Err()
}

func parseGSV(s nmea.BaseSentence) (nmea.Sentence, error) {
	p := nmea.NewParser(s)
	v := inView{BaseSentence: s}
	v.total, v.number = int(p.Int64(0, "number of sentences")), int(p.Int64(1, "sentence number"))
	field := 3
	for ; field+3 < len(s.Fields); field += 4 {
		number := p.Int64(field, "satellite")
		if number < 1 || number > highestNumber {
			continue
		}
		v.satellites = append(v.satellites, heard{
			number:    int(number),
			elevation: within(p, field+1, -1, 0, 90),
			azimuth:   within(p, field+2, -1, 0, 360) % 360,
			cn0:       within(p, field+3, 0, 0, 99),
		})
	}
	if id := optional(s, field); len(id) == 1 {
		if _, ok := nibble(id[0]); ok {
			v.signal = id
		}
	}
	return v, p.Err()
}

// highestNumber is the highest satellite number that any NMEA dialect uses.
const highestNumber = 999

func optional(s nmea.BaseSentence, field int) string {
	if field < len(s.Fields) {
		return s.Fields[field]
	}
	return ""
}

// within reads a whole number from low to high; anything else is unknown.
func within(p *nmea.Parser, field, unknown, low, high int) int {
	v := p.NullInt64(field, "number")
	if !v.Valid || v.Value < int64(low) || v.Value > int64(high) {
		return unknown
	}
	return int(v.Value)
}

func count(p *nmea.Parser, field int) int { return within(p, field, -1, 0, 99) }

// position reads latitude and longitude from four fields; nil where they are empty or impossible. A place that cannot be
// read is no reason to throw the time away.
func position(from *nmea.Parser, field int) *place {
	p := nmea.NewParser(from.BaseSentence)
	if p.String(field, "latitude") == "" || p.String(field+2, "longitude") == "" {
		return nil
	}
	at := &place{latitude: p.LatLong(field, field+1, "latitude"), longitude: p.LatLong(field+2, field+3, "longitude")}
	if p.Err() != nil || !(math.Abs(at.latitude) <= 90 && math.Abs(at.longitude) <= 180) {
		return nil
	}
	return at
}

// altitude adds the height to a position. NaN and Inf are numbers to strconv, but no receiver flies that high.
func altitude(p *nmea.Parser, field int, at *place) {
	v := p.NullFloat64(field, "altitude")
	if at != nil && v.Valid && math.Abs(v.Value) < 1e6 {
		at.altitude, at.hasAltitude = v.Value, true
	}
}
