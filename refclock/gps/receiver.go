package gps

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/adrianmo/go-nmea"

	"timestation/refclock"
)

// receiver is what is known of the receiver itself, from all it has sent.
type receiver struct {
	parser *nmea.SentenceParser
	sky    sky
	leap   leap
	// speaksNMEA and speaksUBX tell what has been heard.
	speaksNMEA, speaksUBX bool
	firmware              string
	// generation is the protocol version, such as 27.11; 0 while not known.
	generation float64
	// jamming and spoofing are on u-blox's scales of 0 (unknown) to 3 (critical), by the message that said so.
	jamming  [jammingSources]byte
	spoofing [spoofingSources]byte
	antenna  string
	survey   survey
	marks    marks
}

const (
	fromHW = iota
	fromRF
	fromSecurity
	jammingSources
)

const (
	fromStatus = iota
	fromSecurityToo
	spoofingSources
)

// survey is how far a timing receiver has come with finding out where its antenna stands (NAV-SVIN, TIM-SVIN).
type survey struct {
	active, valid bool
	seconds       uint32
	accuracyM     float64
}

// marks are pulses that the receiver itself has stamped at its input (TIM-TM2).
type marks struct {
	count uint64
	// week and towMS are those of the last rising edge, in the receiver's time base.
	week     int
	towMS    uint32
	accuracy time.Duration
}

func newReceiver() receiver { return receiver{parser: newParser()} }

// sentence takes an NMEA sentence. It gives a report where the sentence tells the time.
func (r *receiver) sentence(raw string, age time.Duration) (told report, ok bool) {
	r.speaksNMEA = true
	if len(raw) > 6 && raw[3:6] == "TXT" {
		r.notice(raw)
		return told, false
	}
	parsed, err := r.parser.Parse(raw)
	if err != nil {
		return told, false // one of the many sentences that do not matter here, or one with fields that mean nothing
	}
	switch s := parsed.(type) {
	case report:
		return s, true
	case active:
		r.sky.use(s)
	case inView:
		r.sky.add(s, age)
	}
	return told, false
}

// notice reads what u-blox receivers say of themselves in TXT sentences.
func (r *receiver) notice(raw string) {
	for word, is := range map[string]string{"OK": "ok", "OPEN": "open", "SHORT": "short"} {
		if strings.Contains(raw, "ANTSTATUS="+word+"*") {
			r.antenna = is
		}
	}
}

// moment tells which solution a UBX message is about, if any, without reading the rest: what it says must not be taken for
// what was known at the solution before.
func (r *receiver) moment(message uint16, payload []byte) (about report, ok bool) {
	if least, known := leastPayload[message]; !known || len(payload) < least || message>>8 != 0x01 || message == navSVIN {
		return about, false
	}
	return report{satellites: -1, navigation: &navigation{tow: fields(payload).u4(0), used: -1, listed: -1}}, true
}

// packet takes a UBX message. It gives a report where the message belongs to a solution.
func (r *receiver) packet(message uint16, payload []byte, age time.Duration) (told report, ok bool) {
	r.speaksUBX = true
	if least, known := leastPayload[message]; !known || len(payload) < least {
		return told, false
	}
	f := fields(payload)
	switch message {
	case monVER:
		r.version(f)
	case monHW:
		r.jamming[fromHW] = f[22] >> 2 & 3
		r.antennaIs(f[20])
	case monRF:
		if len(f) < 4+24*int(f[1]) {
			break
		}
		r.jamming[fromRF] = 0
		for at := 4; at < 4+24*int(f[1]); at += 24 {
			r.jamming[fromRF] = max(r.jamming[fromRF], f[at+1]&3)
		}
		// The antenna's supply is common to all the bands, and not every block reports it: the worst word counts.
		worst := byte(0)
		for at := 4; at < 4+24*int(f[1]); at += 24 {
			worst = max(worst, f[at+2])
		}
		r.antennaIs(worst)
	case secSIG:
		switch {
		case f[0] == 1 && len(f) >= 9:
			r.jamming[fromSecurity], r.spoofing[fromSecurityToo] = f[4]>>1&3, min(f[8]>>1&7, 3)
		case f[0] == 2:
			r.jamming[fromSecurity], r.spoofing[fromSecurityToo] = f[1]>>1&3, min(f[1]>>4&7, 3)
		}
	case navSVIN:
		r.survey = survey{active: f[37] != 0, valid: f[36] != 0, seconds: f.u4(8), accuracyM: float64(f.u4(28)) * 1e-4}
	case timSVIN:
		// Its accuracy is a variance in mm².
		r.survey = survey{active: f[25] != 0, valid: f[24] != 0, seconds: f.u4(0), accuracyM: math.Sqrt(float64(f.u4(16))) * 1e-3}
	case timTM2:
		if rising := f[1]&0x80 != 0; rising && f[1]&0x40 != 0 {
			r.marks = marks{r.marks.count + 1, int(f.u2(4)), f.u4(8), nanoseconds(f.u4(24))}
		}
	default:
		n, ok := r.solution(message, f, age)
		return report{satellites: -1, navigation: &n}, ok
	}
	return told, false
}

func (r *receiver) antennaIs(state byte) {
	switch state {
	case 2:
		r.antenna = "ok"
	case 3:
		r.antenna = "short"
	case 4:
		r.antenna = "open"
	default:
		r.antenna = "" // starting, or no supervisor
	}
}

// version reads MON-VER: software, hardware, and what more it has in lines of 30 bytes.
func (r *receiver) version(f fields) {
	software, model := text(f[:30]), ""
	for at := 40; at+30 <= len(f); at += 30 {
		key, value, _ := strings.Cut(text(f[at:at+30]), "=")
		if value == "" { // u-blox 7 writes PROTVER 14.00
			key, value, _ = strings.Cut(key, " ")
		}
		switch key {
		case "FWVER":
			software = value
		case "MOD":
			model = value + " "
		case "PROTVER":
			r.generation, _ = strconv.ParseFloat(value, 64) // 0 is not known
		}
	}
	r.firmware = model + software
}

// words are u-blox's scale for jamming and spoofing.
var words = [4]string{"", "ok", "warning", "critical"}

func worst(levels []byte) byte {
	w := byte(0)
	for _, l := range levels {
		w = max(w, l)
	}
	return w
}

func (r *receiver) protocol() string {
	switch {
	case r.speaksNMEA && r.speaksUBX:
		return "NMEA+UBX"
	case r.speaksUBX:
		return "UBX"
	case r.speaksNMEA:
		return "NMEA"
	}
	return ""
}

// alarms are what the receiver warns of.
func (r *receiver) alarms() []refclock.Alarm {
	var all []refclock.Alarm
	switch worst(r.jamming[:]) {
	case 2:
		all = append(all, refclock.Alarm{Code: "jamming", Text: "the receiver hears interference, and still has its fix",
			Mend: "look for a transmitter, a cheap active antenna or a USB 3 cable near the antenna"})
	case 3:
		all = append(all, refclock.Alarm{Code: "jamming", Text: "the receiver is jammed: interference drowns the satellites",
			Mend: "look for a transmitter, a cheap active antenna or a USB 3 cable near the antenna"})
	}
	switch worst(r.spoofing[:]) {
	case 2:
		all = append(all, refclock.Alarm{Code: "spoofing", Text: "the receiver suspects that its signals are not from satellites",
			Mend: "compare with another source before you trust this one"})
	case 3:
		all = append(all, refclock.Alarm{Code: "spoofing", Critical: true, Text: "the receiver is sure that its signals are not from satellites",
			Mend: "do not trust this source; look for a repeater or a simulator nearby"})
	}
	if r.antenna == "open" || r.antenna == "short" {
		all = append(all, refclock.Alarm{Code: "antenna-" + r.antenna, Text: fmt.Sprintf("the antenna line is %s",
			map[string]string{"open": "open: no current flows", "short": "shorted"}[r.antenna]),
			Mend: "check the antenna's plug and cable (a passive antenna reads as open)"})
	}
	return all
}
