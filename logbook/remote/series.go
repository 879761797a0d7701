package remote

import (
	"timestation/engine/status"
	"timestation/logbook"
)

// sourceStates are the values of the label state.
var sourceStates = []status.SourceState{status.Selected, status.Agreeing, status.Falseticker, status.Compared,
	status.Settling, status.Unusable, status.Silent}

// timestampMS is the station's time of a row as a POSIX count in milliseconds.
func timestampMS(row logbook.Row) int64 { return row.UTC.Seconds*1000 + int64(row.UTC.Nanoseconds)/1e6 }

// addRow appends what a row knows, under the names that /metrics has for it.
func (r *request) addRow(station string, row logbook.Row) {
	labels := []label{{"station", station}}
	ms := timestampMS(row)
	add := func(metric string, value float64, more ...label) {
		r.add("timestation_"+metric, append(labels[:len(labels):len(labels)], more...), ms, value)
	}
	known := func(metric string, value float64, valid bool) {
		if valid {
			add(metric, value)
		}
	}
	if row.Source == logbook.StationName && row.Driver == "" {
		add("synchronised", flag(row.State != string(status.Unsynchronised)))
		add("holdover", flag(row.State == string(status.Holdover)))
		known("stratum", float64(row.Stratum.V), row.Stratum.Valid)
		add("tai_minus_utc_seconds", float64(row.TAIMinusUTC))
		known("max_error_seconds", row.MaxErrorSeconds.V, row.MaxErrorSeconds.Valid)
		known("uncertainty95_seconds", row.Uncertainty95Seconds.V, row.Uncertainty95Seconds.Valid)
		known("system_clock_offset_seconds", row.OffsetSeconds.V, row.OffsetSeconds.Valid)
		known("oscillator_frequency_ppm", row.FrequencyPPM.V, row.FrequencyPPM.Valid)
		known("temperature_celsius", row.TemperatureCelsius.V, row.TemperatureCelsius.Valid)
		return
	}
	labels = append(labels, label{"source", row.Source}, label{"driver", row.Driver})
	for _, state := range sourceStates {
		add("source_state", flag(row.State == string(state)), label{"state", string(state)})
	}
	known("source_offset_seconds", row.OffsetSeconds.V, row.OffsetSeconds.Valid)
	known("source_jitter_seconds", row.JitterSeconds.V, row.JitterSeconds.Valid)
	known("source_max_error_seconds", row.MaxErrorSeconds.V, row.MaxErrorSeconds.Valid)
	if row.SatellitesUsed.Valid {
		add("satellites", float64(row.SatellitesUsed.V), label{"kind", "used"})
	}
	if row.SatellitesInView.Valid {
		add("satellites", float64(row.SatellitesInView.V), label{"kind", "in_view"})
	}
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
