package demo

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"timestation/assets/recordings"
)

// Standard is the recording of the demonstration.
func Standard() []byte { return recordings.UbloxM9N }

// burst is the sentences that a receiver sent for one second, at the time of day that they say.
type burst struct {
	timeOfDay time.Duration
	sentences []string
}

// timeFields and dateFields are where sentences have them, by the sentence's type (NMEA 0183, section 8.3). The date of an
// RMC is one field, that of a ZDA three.
var (
	timeFields = map[string]int{"RMC": 1, "GGA": 1, "GNS": 1, "GST": 1, "GBS": 1, "GRS": 1, "ZDA": 1, "GLL": 5}
	dateFields = map[string]int{"RMC": 9, "ZDA": 2}
)

// split finds the bursts of a recording: a new one begins with each new time of day. Comments and what else is not a
// sentence are left out, and so are sentences before the first time.
func split(recording []byte) ([]burst, error) {
	var bursts []burst
	for text := range bytes.Lines(recording) {
		sentence := strings.TrimRight(string(text), "\r\n")
		if !strings.HasPrefix(sentence, "$") {
			continue
		}
		if at, ok := timeOfDay(sentence); ok && (len(bursts) == 0 || bursts[len(bursts)-1].timeOfDay != at) {
			bursts = append(bursts, burst{timeOfDay: at})
		}
		if len(bursts) > 0 {
			last := &bursts[len(bursts)-1]
			last.sentences = append(last.sentences, sentence)
		}
	}
	if len(bursts) == 0 {
		return nil, fmt.Errorf("the recording has no sentence with a time; it must be NMEA 0183")
	}
	return bursts, nil
}

// kind is a sentence's type, such as RMC; empty for the makers' own.
func kind(sentence string) string {
	if len(sentence) < 7 || sentence[6] != ',' {
		return ""
	}
	return sentence[3:6]
}

func timeOfDay(sentence string) (time.Duration, bool) {
	fields := strings.Split(sentence, ",")
	at, ok := timeFields[kind(sentence)]
	if !ok || at >= len(fields) {
		return 0, false
	}
	t, err := time.Parse("150405", fields[at])
	return t.Sub(t.Truncate(24 * time.Hour)), err == nil
}

// restamp gives a sentence the date and the time of now, to the second, and the checksum that goes with them. Everything
// else stays as the receiver sent it, the fraction of its second included.
func restamp(sentence string, now time.Time) string {
	body, _, _ := strings.Cut(strings.TrimPrefix(sentence, "$"), "*")
	fields := strings.Split(body, ",")
	put := func(i int, text string) {
		if i < len(fields) && len(fields[i]) >= len(text) {
			fields[i] = text + fields[i][len(text):]
		}
	}
	k := kind(sentence)
	if i, ok := timeFields[k]; ok {
		put(i, now.Format("150405"))
	}
	if i, ok := dateFields[k]; ok && k == "RMC" {
		put(i, now.Format("020106"))
	} else if ok {
		put(i, now.Format("02"))
		put(i+1, now.Format("01"))
		put(i+2, now.Format("2006"))
	}
	body = strings.Join(fields, ",")
	var sum byte
	for i := range len(body) {
		sum ^= body[i]
	}
	return fmt.Sprintf("$%s*%02X\r\n", body, sum)
}
