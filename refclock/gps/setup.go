package gps

import (
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"timestation/refclock"
)

const (
	// answerWithin is how long a command waits for its ACK: u-blox promises one second, and at 9600 baud a burst may have
	// to go out before it.
	answerWithin = 2 * time.Second
	// attempts is how often a command is sent that nobody answers.
	attempts = 3
	// surveyHeardWithin is after how long a receiver that surveys its position, or has done so, must have said so.
	surveyHeardWithin = 7 * time.Second
	// heardWithin is after how long the messages that were asked for must have come.
	heardWithin = 10 * time.Second
	// The survey of the antenna's position ends when it has lasted so long and is so accurate: 3 m are 10 ns.
	surveySeconds = 7200
	surveyLimitM  = 3
	// listInterval is in solutions: at 9600 baud there is no room for the long messages in every burst.
	listInterval = 5
	// valsetFrom is the first protocol version whose receivers (u-blox 9) are set by keys (CFG-VALSET).
	valsetFrom = 23.01
)

// UBX messages that are only sent, and the keys of CFG-VALSET (F9 interface description, section 5).
const (
	cfgMSG    = 0x0601
	cfgNAV5   = 0x0624
	cfgTMODE2 = 0x063d
	cfgTMODE3 = 0x0671
	cfgVALSET = 0x068a

	keyDynamicModel   = 0x20110021
	keyTimeMode       = 0x20030001
	keySurveySeconds  = 0x40030010
	keySurveyAccuracy = 0x40030011 // 0.1 mm
	// fromUART1toUSB is what is to be added to the key of a message's rate on UART1 for that on USB.
	fromUART1toUSB = 2
)

// wanted are the messages that a receiver is asked to send, the key of each one's rate on UART1, and every how many
// solutions.
var wanted = []struct {
	message uint16
	key     uint32
	rate    byte
}{
	{navPVT, 0x20910007, 1},
	{navTIMELS, 0x20910061, 1},
	{navTIMEGPS, 0x20910048, 1},
	{timTP, 0x2091017e, 1},
	{navSTATUS, 0x2091001b, 1},
	{navSAT, 0x20910016, listInterval},
	{navSVIN, 0x20910089, listInterval},
	{timSVIN, 0, listInterval},
	{monHW, 0, listInterval},
	{monRF, 0x2091035a, listInterval},
	{secSIG, 0x20910635, listInterval},
}

// setup sets a u-blox receiver for timing, in its RAM only: without power it forgets. It sends one command after the
// other and waits for each one's answer.
type setup struct {
	decoder *Decoder
	port    io.Writer
	log     *slog.Logger
	queue   []command
	// sentAt is the decoder's age when the first of the queue was sent, times how often.
	sentAt time.Duration
	times  int
	answer answer
	// doneAt is the decoder's age when the queue became empty; pvt and told: what was to be seen of it was.
	doneAt     time.Duration
	done, over bool
	pvt        bool
	accepted   []string
	refused    []string
}

// command is one message with what it is called in the log. An alternative is left out when the command before it was
// accepted.
type command struct {
	name        string
	message     uint16
	packet      []byte
	alternative bool
	// survey: not sent where the receiver turns out to know its position.
	survey bool
}

type answer uint8

const (
	awaited answer = iota
	acknowledged
	refused
)

func newSetup(d *Decoder, port io.Writer, log *slog.Logger) *setup {
	s := &setup{decoder: d, port: port, log: log, queue: []command{{name: "MON-VER", message: monVER, packet: packet(monVER, nil)}}}
	d.onPacket = s.hear
	return s
}

// hear sees what the receiver sends.
func (s *setup) hear(message uint16, payload []byte) {
	s.pvt = s.pvt || message == navPVT
	if len(s.queue) == 0 {
		return
	}
	about := s.queue[0].message
	switch {
	case message == monVER && about == monVER:
		s.answer = acknowledged
	case (message == ackACK || message == ackNAK) && len(payload) >= 2 && uint16(payload[0])<<8|uint16(payload[1]) == about:
		s.answer = acknowledged
		if message == ackNAK {
			s.answer = refused
		}
	}
}

// step goes on with the next command where it is time; its errors are those of writing.
func (s *setup) step() error {
	age := s.decoder.age
	switch {
	case s.over:
		return nil
	case len(s.queue) == 0:
		s.conclude(age)
		return nil
	case s.times == 0 && s.queue[0].survey && s.surveyed():
		s.queue = s.queue[1:] // a survey that is over or under way is not begun anew
	case s.times == 0 && s.queue[0].survey && age-s.doneAt < surveyHeardWithin:
	case s.times == 0:
		return s.send(age)
	case s.answer == acknowledged:
		s.next(true)
	case s.answer == refused:
		s.next(false)
	case age-s.sentAt < answerWithin:
	case s.times < attempts:
		return s.send(age)
	case s.queue[0].message == monVER:
		s.queue, s.over = nil, true
		s.warn("the receiver does not answer, so it was not configured",
			"wire this port's TX to the receiver's RX; of another make than u-blox, leave configure out")
	default:
		s.next(false)
	}
	return nil
}

func (s *setup) send(age time.Duration) error {
	s.sentAt, s.answer = age, awaited
	s.times++
	_, err := s.port.Write(s.queue[0].packet)
	return err
}

// next takes the first command from the queue, as it was accepted or not.
func (s *setup) next(ok bool) {
	done := s.queue[0]
	s.queue, s.times, s.answer = s.queue[1:], 0, awaited
	if done.message == monVER {
		s.queue = s.commands()
		return
	}
	if ok {
		s.accepted = append(s.accepted, done.name)
		for len(s.queue) > 0 && s.queue[0].alternative {
			s.queue = s.queue[1:]
		}
	} else {
		s.refused = append(s.refused, done.name)
	}
	s.doneAt = s.decoder.age
}

// conclude says how it went once the receiver has had time to show it.
func (s *setup) conclude(age time.Duration) {
	if !s.done {
		s.done = true
		// A navigation receiver has no timing mode, and no receiver knows all of the messages: that is nothing to worry about.
		s.log.Info("receiver configured for timing", "receiver", s.decoder.receiver.firmware,
			"accepted", strings.Join(s.accepted, " "), "refused", strings.Join(s.refused, " "))
	}
	if s.pvt {
		s.over = true
	} else if age-s.doneAt > heardWithin {
		s.over = true
		s.warn("the receiver was configured, and still does not send the messages it was asked for",
			"let it send UBX on this port (CFG-PRT, or the key CFG-UART1OUTPROT-UBX)")
	}
}

func (s *setup) warn(text, mend string) {
	s.log.Warn(text, "mend", mend)
	s.decoder.more = []refclock.Alarm{{Code: "not-configured", Text: text, Mend: mend}}
	s.decoder.dirty = true
}

// commands are what sets the receiver, by what it has said of its version.
func (s *setup) commands() []command {
	if s.decoder.receiver.generation >= valsetFrom {
		return s.byKeys()
	}
	return s.byMessages()
}

// byKeys are for u-blox 9 and later. Which of its ports this one is the receiver knows, but does not say: each message is
// enabled on the first UART and on USB.
func (s *setup) byKeys() []command {
	var all []command
	set := func(name string, survey bool, keys ...uint64) {
		payload := []byte{0, 1, 0, 0} // version 0, layer RAM
		for i := 0; i < len(keys); i += 2 {
			payload = binary.LittleEndian.AppendUint32(payload, uint32(keys[i]))
			switch size := keys[i] >> 28 & 7; size { // the key tells how long its value is (section 5.2)
			case 4:
				payload = binary.LittleEndian.AppendUint32(payload, uint32(keys[i+1]))
			default:
				payload = append(payload, byte(keys[i+1]))
			}
		}
		all = append(all, command{name: name, message: cfgVALSET, packet: packet(cfgVALSET, payload), survey: survey})
	}
	for _, w := range wanted {
		if w.key != 0 {
			set(fmt.Sprintf("%04x@UART1", w.message), false, uint64(w.key), uint64(w.rate))
			set(fmt.Sprintf("%04x@USB", w.message), false, uint64(w.key)+fromUART1toUSB, uint64(w.rate))
		}
	}
	set("stationary", false, keyDynamicModel, 2)
	set("survey-in", true, keySurveySeconds, surveySeconds, keySurveyAccuracy, surveyLimitM*10000, keyTimeMode, 1)
	return all
}

// byMessages are for u-blox 8 and before.
func (s *setup) byMessages() []command {
	var all []command
	add := func(name string, message uint16, payload []byte) {
		all = append(all, command{name: name, message: message, packet: packet(message, payload)})
	}
	for _, w := range wanted {
		add(fmt.Sprintf("%04x", w.message), cfgMSG, []byte{byte(w.message >> 8), byte(w.message), w.rate})
	}
	nav5 := make([]byte, 36)
	nav5[0], nav5[2] = 1, 2 // only the dynamic model: stationary
	add("stationary", cfgNAV5, nav5)
	mode2 := make([]byte, 28) // timing receivers, in mm
	mode2[0] = 1
	binary.LittleEndian.PutUint32(mode2[20:], surveySeconds)
	binary.LittleEndian.PutUint32(mode2[24:], surveyLimitM*1000)
	add("survey-in (TMODE2)", cfgTMODE2, mode2)
	mode3 := make([]byte, 40) // receivers of high precision, in 0.1 mm
	mode3[2] = 1
	binary.LittleEndian.PutUint32(mode3[24:], surveySeconds)
	binary.LittleEndian.PutUint32(mode3[28:], surveyLimitM*10000)
	add("survey-in (TMODE3)", cfgTMODE3, mode3)
	all[len(all)-2].survey, all[len(all)-1].survey, all[len(all)-1].alternative = true, true, true
	return all
}

// surveyed tells whether the receiver knows its position or is about to.
func (s *setup) surveyed() bool {
	survey := s.decoder.receiver.survey
	return s.decoder.fix == refclock.FixTime || survey.active || survey.valid
}

// packet frames a UBX message.
func packet(message uint16, payload []byte) []byte {
	p := []byte{0xb5, 0x62, byte(message >> 8), byte(message), byte(len(payload)), byte(len(payload) >> 8)}
	p = append(p, payload...)
	a, b := fletcher(p[2:])
	return append(p, a, b)
}
