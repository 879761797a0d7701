package web

import (
	"math/bits"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
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
	alertStands   = describe("alert", "1 for each alert that stands.", "code", "source", "severity", "acknowledged")
	boundLimit    = describe("max_error_limit_seconds", "Bound beyond which the station no longer claims to know the time.")
	sourceOffset  = describe("source_offset_seconds", "The source's last sample minus the station's time.", "source", "driver")
	sourceJitter  = describe("source_jitter_seconds", "Learned scatter of one sample, 1σ.", "source", "driver")
	sourceBound   = describe("source_max_error_seconds", "Bound of the source's own estimate.", "source", "driver")
	sourceSamples = describe("source_samples_total", "Samples taken.", "source", "driver")
	sourceState   = describe("source_state", "1 for the state the source is in.", "source", "driver", "state")
	sourceAge     = describe("source_age_seconds", "How long ago the last sample came.", "source", "driver")
	satellites    = describe("satellites", "Satellites in view and used.", "source", "kind")
	pulseJitter   = describe("pulse_jitter_seconds", "Scatter of the distance between pulses, 1σ.", "source")
	pulsesSeen    = describe("pulses_total", "Pulses by what became of them: seen, missing where one was due, extra where none was.", "source", "kind")
	radioOdds     = describe("radio_confidence_decades", "Odds against the decoded minute being wrong, as log10.", "source")
	radioQuality  = describe("radio_quality_ratio", "How well the last minute was heard, 0 to 1.", "source")
	serverDelay   = describe("server_delay_seconds", "Round trip to an NTP server.", "source")
	serverReach   = describe("server_reach_ratio", "Part of the last eight polls that were answered.", "source")
	interleaved   = describe("ntp_interleaved_total", "Those of the answers that were given in interleaved mode.", "listener")
	underNTS      = describe("ntp_nts_total", "Those of the answers that were given under NTS.", "listener")
	kisses        = describe("ntp_kisses_total", "Those who were refused and told why.", "listener")
	pagesLive     = describe("web_live_pages", "Pages that are live at the moment.")
	requests      = describe("ntp_requests_total", "Packets received by an NTP listener.", "listener")
	answered      = describe("ntp_answered_total", "Answers sent by an NTP listener.", "listener", "authenticated")
	inKernel      = describe("ntp_answered_in_kernel_total", "Those of the answers that the kernel's fast path sent.", "listener")
	dropped       = describe("ntp_dropped_total", "Packets met with silence, by reason.", "listener", "reason")
	build         = describe("build_info", "1, with the version as label.", "version")
)

var all = []*prometheus.Desc{
	synchronised, holdover, stratum, maxError, uncertainty, offset, frequency, taiMinusUTC, temperature, alerts, alertStands,
	boundLimit, sourceOffset, sourceJitter, sourceBound, sourceSamples, sourceState, sourceAge, satellites, pulseJitter,
	pulsesSeen, radioOdds, radioQuality, serverDelay, serverReach, requests, answered, inKernel, interleaved, underNTS, kisses,
	dropped, pagesLive, build,
}

// Describe names all metrics.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range all {
		out <- d
	}
}

// Collect gives their values.
func (c collector) Collect(out chan<- prometheus.Metric) {
	o := output(out)
	r := c.station.Report()
	o.gauge(build, 1, r.Version)
	o.gauge(synchronised, flag(r.State != status.Unsynchronised))
	o.gauge(holdover, flag(r.State == status.Holdover))
	o.gauge(stratum, float64(r.Stratum))
	if r.UTC != nil { // before the station knew the time these would be inventions
		o.gauge(maxError, *r.MaxErrorSeconds)
		o.gauge(uncertainty, *r.Uncertainty95Seconds)
		o.gauge(offset, *r.OffsetSeconds)
		o.gauge(frequency, *r.FrequencyPPM)
		o.gauge(taiMinusUTC, float64(*r.TAIMinusUTCSeconds))
	}
	if r.TemperatureCelsius != nil {
		o.gauge(temperature, *r.TemperatureCelsius)
	}
	o.gauge(boundLimit, r.MaxErrorLimitSeconds)
	bySeverity := map[status.Severity]int{status.Info: 0, status.Warning: 0, status.Critical: 0}
	for _, a := range r.Alerts {
		bySeverity[a.Severity]++
		o.gauge(alertStands, 1, a.Code, a.Source, string(a.Severity), yesOrNo(a.AcknowledgedBy != ""))
	}
	for severity, n := range bySeverity {
		o.gauge(alerts, float64(n), string(severity))
	}
	for _, s := range r.Sources {
		collectSource(o, s)
	}
	for _, l := range r.Listeners {
		o.count(requests, l.Requests, l.Address)
		o.count(answered, l.Answered-l.Authenticated, l.Address, "no")
		o.count(answered, l.Authenticated, l.Address, "yes")
		o.count(inKernel, l.InKernel, l.Address)
		o.count(interleaved, l.Interleaved, l.Address)
		o.count(underNTS, l.NTS, l.Address)
		o.count(kisses, l.Kisses, l.Address)
		for reason, n := range l.Dropped {
			o.count(dropped, n, l.Address, reason)
		}
	}
	if c.station.stream != nil {
		o.gauge(pagesLive, float64(c.station.stream.live()))
	}
}

func collectSource(o output, s status.Source) {
	o.count(sourceSamples, s.Samples, s.Name, s.Driver)
	o.gauge(sourceState, 1, s.Name, s.Driver, string(s.State))
	if s.AgeSeconds >= 0 {
		o.gauge(sourceOffset, s.OffsetSeconds, s.Name, s.Driver)
		o.gauge(sourceJitter, s.JitterSeconds, s.Name, s.Driver)
		o.gauge(sourceBound, s.MaxErrorSeconds, s.Name, s.Driver)
		o.gauge(sourceAge, s.AgeSeconds, s.Name, s.Driver)
	}
	if g := s.Signal.GNSS; g != nil {
		o.gauge(satellites, float64(g.SatellitesUsed), s.Name, "used")
		o.gauge(satellites, float64(len(g.Satellites)), s.Name, "in_view")
	}
	if p := s.Signal.Pulses; p != nil {
		o.gauge(pulseJitter, p.JitterSeconds, s.Name)
		o.count(pulsesSeen, p.Seen, s.Name, "seen")
		o.count(pulsesSeen, p.Missing, s.Name, "missing")
		o.count(pulsesSeen, p.Extra, s.Name, "extra")
	}
	if r := s.Signal.Radio; r != nil {
		o.gauge(radioOdds, r.Confidence, s.Name)
		if n := len(r.Quality); n > 0 {
			o.gauge(radioQuality, r.Quality[n-1], s.Name)
		}
	}
	if n := s.Signal.Server; n != nil {
		o.gauge(serverDelay, n.DelaySeconds, s.Name)
		o.gauge(serverReach, float64(bits.OnesCount8(n.Reach))/8, s.Name)
	}
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func yesOrNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// newRegistry has everything that /metrics shows.
func newRegistry(s Station) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{s}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if s.compat {
		registry.MustRegister(compat{s})
	}
	return registry
}

// Metrics is what /metrics shows, for who sends it elsewhere.
func Metrics(s Station) prometheus.Gatherer { return newRegistry(s) }

func metricsHandler(s Station) http.Handler {
	return promhttp.HandlerFor(newRegistry(s), promhttp.HandlerOpts{})
}
