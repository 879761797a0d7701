package web

import (
	"net/http"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// Time is what GET /api/time answers. Whoever asks notes by his own clock when he sent the request and when he had the
// answer, and has, as in an NTP exchange (RFC 5905, section 8), his offset and with half the round trip the bound of it.
type Time struct {
	// ReceiveTAI and TransmitTAI are when the request was taken up and when the answer was made, in seconds of TAI since
	// 1970-01-01 TAI; a double holds them to a quarter of a microsecond. They are absent before the time was known.
	ReceiveTAI  *float64 `json:"receive_tai_seconds,omitempty"`
	TransmitTAI *float64 `json:"transmit_tai_seconds,omitempty"`
	// TAIMinusUTCSeconds is that in force; from LeapAtTAI on it is NextTAIMinusUTCSeconds. Before a second that is put in, the
	// change comes after it: the second that begins at LeapAtTAI is then 23:59:60.
	TAIMinusUTCSeconds     int32        `json:"tai_minus_utc_seconds"`
	LeapAtTAI              *float64     `json:"leap_at_tai_seconds,omitempty"`
	NextTAIMinusUTCSeconds *int32       `json:"next_tai_minus_utc_seconds,omitempty"`
	State                  status.State `json:"state"`
	MaxErrorSeconds        *float64     `json:"max_error_seconds,omitempty"`
	Zone                   Zone         `json:"zone"`
}

// Zone is the station's civil time.
type Zone struct {
	Name         string `json:"name"`
	Abbreviation string `json:"abbreviation"`
	// OffsetSeconds is what civil time is ahead of UTC; from NextAt on, where it will change, it is NextOffsetSeconds.
	OffsetSeconds     int        `json:"offset_seconds"`
	NextAt            *time.Time `json:"next_at,omitempty"`
	NextAbbreviation  string     `json:"next_abbreviation,omitempty"`
	NextOffsetSeconds int        `json:"next_offset_seconds,omitempty"`
}

func zoneAt(t time.Time, loc *time.Location) Zone {
	t = t.In(loc)
	z := Zone{Name: loc.String()}
	z.Abbreviation, z.OffsetSeconds = t.Zone()
	if _, end := t.ZoneBounds(); !end.IsZero() {
		next := end.UTC()
		z.NextAt = &next
		z.NextAbbreviation, z.NextOffsetSeconds = end.In(loc).Zone()
	}
	return z
}

func tai(i refclock.Instant) *float64 {
	seconds := float64(i.TAI/1e3) / 1e6
	return &seconds
}

// serveTime is made as quick as it can be: what lies between its two readings is the caller's error.
func (s Station) serveTime(w http.ResponseWriter, _ *http.Request) {
	received := s.Now()
	st := s.Board.Load()
	at := st.At(received)
	answer := Time{State: at.State, Zone: zoneAt(at.Instant.UTC().Time(), s.Location)}
	if at.Known {
		bound := at.MaxError.Seconds()
		answer.TAIMinusUTCSeconds = at.Instant.TAIMinusUTC
		answer.ReceiveTAI, answer.MaxErrorSeconds = tai(at.Instant), &bound
		if step := leapStep(st.Leap); step != 0 && (at.Instant.TAI < st.LeapAt.TAI || at.Instant.InLeap) {
			next := at.Instant.TAIMinusUTC + step
			answer.LeapAtTAI, answer.NextTAIMinusUTCSeconds = tai(st.LeapAt), &next
		}
		answer.TransmitTAI = tai(st.At(s.Now()).Instant)
	}
	writeJSON(w, http.StatusOK, answer)
}

func leapStep(l refclock.LeapNotice) int32 {
	switch l {
	case refclock.LeapInsert:
		return 1
	case refclock.LeapDelete:
		return -1
	}
	return 0
}
