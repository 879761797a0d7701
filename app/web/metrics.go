package web

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"timestation/engine/status"
)

// collector turns one snapshot into metrics at the moment of the scrape, so that they all belong to the same model.
type collector struct{ station Station }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("timestation_"+name, help, labels, nil)
}

var (
	synchronised  = describe("synchronised", "1 while the station claims to know the time, holdover included.")
	holdover      = describe("holdover", "1 while no source is heard and the oscillator carries the time.")
	stratum       = describe("stratum", "Stratum served; 16 is unsynchronised.")
	maxError      = describe("max_error_seconds", "Bound of the station's error, systematic limits included.")
	uncertainty   = describe("uncertainty95_seconds", "Statistical error that 95 % of readings stay within.")
	offset        = describe("system_clock_offset_seconds", "The station's time minus CLOCK_REALTIME.")
	frequency     = describe("oscillator_frequency_ppm", "How fast the oscillator runs against true time, in parts per million.")
	taiMinusUTC   = describe("tai_minus_utc_seconds", "TAI−UTC in force.")
	temperature   = describe("temperature_celsius", "Of the sensor nearest to the oscillator.")
	alerts        = describe("alerts", "Standing alerts by severity.", "severity")
	sourceOffset  = describe("source_offset_seconds", "The source's last sample minus the station's time.", "source", "driver")
	sourceJitter  = describe("source_jitter_seconds", "Learned scatter of one sample, 1σ.", "source", "driver")
	sourceBound   = describe("source_max_error_seconds", "Bound of the source's own estimate.", "source", "driver")
	sourceSamples = describe("source_samples_total", "Samples taken.", "source", "driver")
	sourceState   = describe("source_state", "1 for the state the source is in.", "source", "driver", "state")
	satellites    = describe("satellites", "Satellites in view and used.", "source", "kind")
	requests      = describe("ntp_requests_total", "Packets received by an NTP listener.", "listener")
	answered      = describe("ntp_answered_total", "Answers sent by an NTP listener.", "listener", "authenticated")
	dropped       = describe("ntp_dropped_total", "Packets met with silence, by reason.", "listener", "reason")
	build         = describe("build_info", "1, with the version as label.", "version")
)

var all = []*prometheus.Desc{
	synchronised, holdover, stratum, maxError, uncertainty, offset, frequency, taiMinusUTC, temperature, alerts, sourceOffset,
	sourceJitter, sourceBound, sourceSamples, sourceState, satellites, requests, answered, dropped, build,
}

// Describe names all metrics.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range all {
		out <- d
	}
}

// Collect gives their values.
func (c collector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	r := c.station.Report()
	gauge(build, 1, r.Version)
	gauge(synchronised, flag(r.State != status.Unsynchronised))
	gauge(holdover, flag(r.State == status.Holdover))
	gauge(stratum, float64(r.Stratum))
	if r.UTC != nil { // before the station knew the time these would be inventions
		gauge(maxError, *r.MaxErrorSeconds)
		gauge(uncertainty, *r.Uncertainty95Seconds)
		gauge(offset, *r.OffsetSeconds)
		gauge(frequency, *r.FrequencyPPM)
		gauge(taiMinusUTC, float64(*r.TAIMinusUTCSeconds))
	}
	if r.TemperatureCelsius != nil {
		gauge(temperature, *r.TemperatureCelsius)
	}
	bySeverity := map[status.Severity]int{status.Info: 0, status.Warning: 0, status.Critical: 0}
	for _, a := range r.Alerts {
		bySeverity[a.Severity]++
	}
	for severity, n := range bySeverity {
		gauge(alerts, float64(n), string(severity))
	}
	for _, s := range r.Sources {
		count(sourceSamples, s.Samples, s.Name, s.Driver)
		gauge(sourceState, 1, s.Name, s.Driver, string(s.State))
		if s.AgeSeconds >= 0 {
			gauge(sourceOffset, s.OffsetSeconds, s.Name, s.Driver)
			gauge(sourceJitter, s.JitterSeconds, s.Name, s.Driver)
			gauge(sourceBound, s.MaxErrorSeconds, s.Name, s.Driver)
		}
		if g := s.Signal.GNSS; g != nil {
			gauge(satellites, float64(g.SatellitesUsed), s.Name, "used")
			gauge(satellites, float64(len(g.Satellites)), s.Name, "in_view")
		}
	}
	for _, l := range r.Listeners {
		count(requests, l.Requests, l.Address)
		count(answered, l.Answered-l.Authenticated, l.Address, "no")
		count(answered, l.Authenticated, l.Address, "yes")
		for reason, n := range l.Dropped {
			count(dropped, n, l.Address, reason)
		}
	}
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func metricsHandler(s Station) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{s})
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}
