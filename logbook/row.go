package logbook

import (
	"database/sql"

	"timestation/engine/status"
	"timestation/refclock"
)

// StationName is the Row.Source of the station's own rows.
const StationName = "station"

// Moment is when something was seen.
type Moment struct {
	// UTC is the station's time; it means nothing unless Known.
	UTC   refclock.UTC
	Known bool
	// TAIMinusUTC is in seconds.
	TAIMinusUTC int32
	// Local is what the local clock said.
	Local refclock.Stamp
}

// Row is what was kept of one source, or of the station itself, at one moment. Figures without a value were not known;
// the table in figures.go says what each means for a source and for the station, and how finely it is kept.
type Row struct {
	Moment
	// Source is the source's name, or StationName; Driver and Receiver are empty for the station.
	Source, Driver, Receiver string
	// State is a status.SourceState, or a status.State for the station.
	State                string
	OffsetSeconds        sql.Null[float64]
	PhaseSeconds         sql.Null[float64]
	FrequencyPPM         sql.Null[float64]
	JitterSeconds        sql.Null[float64]
	Uncertainty95Seconds sql.Null[float64]
	MaxErrorSeconds      sql.Null[float64]
	AgeSeconds           sql.Null[float64]
	Stratum              sql.Null[int64]
	// Leap is a word of status.LeapText; empty for a source.
	Leap             string
	Selected         sql.Null[bool]
	SatellitesUsed   sql.Null[int64]
	SatellitesInView sql.Null[int64]
	// CN0MeanDBHz is the mean carrier-to-noise density of the satellites tracked, in dB-Hz.
	CN0MeanDBHz        sql.Null[float64]
	TemperatureCelsius sql.Null[float64]
	// SmearSeconds is how far the time that clients are told is from UTC by a leap smear: 0 while there is none.
	SmearSeconds sql.Null[float64]
}

// Event is something that changed or was done.
type Event struct {
	Moment
	// Kind is one of the Event constants, or what Book.Event was given.
	Kind string
	// Source is the source or room it is about, or empty.
	Source string
	Text   string
	// Who did it, and From where (an address, a terminal), of what a person did; empty otherwise.
	Who, From string
}

// The kinds of event that the logbook finds by itself.
const (
	EventState        = "state"
	EventSelected     = "selected"
	EventStratum      = "stratum"
	EventLeap         = "leap"
	EventSourceState  = "source-state"
	EventAlertRaised  = "alert-raised"
	EventAlertCleared = "alert-cleared"
	// EventLogbook is about the log itself: rows that were lost, a file that went away.
	EventLogbook = "logbook"
)

// The kinds of event that Book.Event and Book.EventBy are given by the station.
const (
	// EventStart: the station was started; phases count from another origin than before.
	EventStart = "start"
	EventStop  = "stop"
	// EventVersion: the text is the program's version.
	EventVersion = "version"
	// EventConfiguration: the text is the configuration's hash.
	EventConfiguration     = "configuration"
	EventAlertAcknowledged = "alert-acknowledged"
	// EventOperator is any other thing that a person did.
	EventOperator = "operator"
)

func some[T any](v T) sql.Null[T] { return sql.Null[T]{V: v, Valid: true} }

func momentOf(r status.Reading, stamp refclock.Stamp) Moment {
	m := Moment{Known: r.Known, Local: stamp}
	if r.Known {
		m.UTC, m.TAIMinusUTC = r.Instant.UTC(), r.Instant.TAIMinusUTC
	}
	return m
}

// rowsOf reads a status at one local stamp: the station first, then its sources.
func rowsOf(st *status.Status, stamp refclock.Stamp) []Row {
	r := st.At(stamp)
	m := momentOf(r, stamp)
	station := Row{Moment: m, Source: StationName, State: string(r.State), Stratum: some(int64(r.Stratum)),
		Leap: status.LeapText(r.Leap), SmearSeconds: some(0.0)}
	if st.TemperatureKnown {
		station.TemperatureCelsius = some(st.TemperatureCelsius)
	}
	if r.Known {
		station.OffsetSeconds = some(r.Offset.Seconds())
		station.FrequencyPPM = some(st.FrequencyPPM)
		station.Uncertainty95Seconds = some(r.Uncertainty95.Seconds())
		station.MaxErrorSeconds = some(r.MaxError.Seconds())
	}
	rows := append(make([]Row, 0, 1+len(st.Sources)), station)
	for _, s := range st.Sources {
		rows = append(rows, sourceRow(m, s, s.Name == followed(st, r)))
	}
	return rows
}

// followed is the source that the station followed at that moment: none when it no longer claims to know the time.
func followed(st *status.Status, r status.Reading) string {
	if !r.Synchronised() {
		return ""
	}
	return st.Selected
}

func sourceRow(m Moment, s status.Source, selected bool) Row {
	row := Row{Moment: m, Source: s.Name, Driver: s.Driver, Receiver: s.Receiver, State: string(s.State),
		Selected: some(selected)}
	if s.AgeSeconds >= 0 {
		row.OffsetSeconds = some(s.OffsetSeconds)
		row.PhaseSeconds = some(s.PhaseSeconds)
		row.FrequencyPPM = some(s.FrequencyPPM)
		row.JitterSeconds = some(s.JitterSeconds)
		row.MaxErrorSeconds = some(s.MaxErrorSeconds)
		row.AgeSeconds = some(s.AgeSeconds)
	}
	if g := s.Signal.GNSS; g != nil {
		row.SatellitesUsed = some(int64(g.SatellitesUsed))
		row.SatellitesInView = some(int64(len(g.Satellites)))
		sum, tracked := 0.0, 0
		for _, sat := range g.Satellites {
			if sat.CN0 > 0 {
				sum += sat.CN0
				tracked++
			}
		}
		if tracked > 0 {
			row.CN0MeanDBHz = some(sum / float64(tracked))
		}
	}
	return row
}
