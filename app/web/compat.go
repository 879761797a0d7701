package web

import (
	"fmt"
	"math/bits"
	"net"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"timestation/engine/status"
	"timestation/refclock"
)

// compat gives what the station knows under the names that dashboards ask for already: of chrony_exporter
// (github.com/SuperQ/chrony_exporter), of the ntp collector of node_exporter, of ntp_exporter (github.com/sapcc/ntp_exporter)
// and of gpsd's exporter (github.com/brendanbank/gpsd-prometheus-exporter). What those would show and the station does not
// know is left out: a panel without a line is better than one with an invention.
type compat struct{ station Station }

func other(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	chronyUp          = other("chrony_up", "1 while the station answers.")
	trackingInfo      = other("chrony_tracking_info", "1, with the source that is followed.", "tracking_address", "tracking_name", "tracking_refid")
	trackingOffset    = other("chrony_tracking_last_offset_seconds", "The station's time minus that of the source that is followed, at its last sample.")
	trackingSystem    = other("chrony_tracking_system_time_seconds", "The station's time minus the system clock.")
	trackingReference = other("chrony_tracking_reference_timestamp_seconds", "When the source that is followed was last heard, in seconds since 1970.")
	trackingRemote    = other("chrony_tracking_remote_reference", "1 while an NTP server is followed, 0 for a reference clock.")
	trackingRMS       = other("chrony_tracking_rms_offset_seconds", "Scatter of the source that is followed, 1σ.")
	trackingStratum   = other("chrony_tracking_stratum", "Stratum served.")
	trackingDelay     = other("chrony_tracking_root_delay_seconds", "Round trip to the reference clock.")
	trackingDisp      = other("chrony_tracking_root_dispersion_seconds", "Bound of the error without half the round trip.")
	trackingFrequency = other("chrony_tracking_frequency_ppms", "How fast the oscillator runs, in parts per million.")
	trackingSkew      = other("chrony_tracking_skew_ppms", "How fast the statistical error grows, in parts per million.")

	sourceLabels = []string{"source_address", "source_name"}
	sourcesAge   = other("chrony_sources_last_sample_age_seconds", "How long ago the last sample came.", sourceLabels...)
	sourcesLast  = other("chrony_sources_last_sample_offset_seconds", "The last sample minus the station's time.", sourceLabels...)
	sourcesError = other("chrony_sources_last_sample_error_margin_seconds", "Bound of the last sample's error.", sourceLabels...)
	sourcesPoll  = other("chrony_sources_polling_interval_seconds", "How often an NTP server is asked.", sourceLabels...)
	sourcesReach = other("chrony_sources_reachability_ratio", "Part of the last eight polls that were answered.", sourceLabels...)
	sourcesState = other("chrony_sources_state_info", "1, with the state of the source in chrony's words.", append(sourceLabels[:2:2], "source_state", "source_mode")...)
	sourcesLevel = other("chrony_sources_stratum", "Stratum of the source; 0 of a reference clock.", sourceLabels...)

	statsReceived    = other("chrony_serverstats_ntp_packets_received_total", "NTP packets received.")
	statsDropped     = other("chrony_serverstats_ntp_packets_dropped_total", "NTP packets met with silence.")
	statsSigned      = other("chrony_serverstats_authenticated_ntp_packets_total", "NTP packets answered with a code or under NTS.")
	statsInterleaved = other("chrony_serverstats_interleaved_ntp_packets_total", "NTP packets answered in interleaved mode.")

	nodeStratum   = other("node_ntp_stratum", "Stratum served.")
	nodeLeap      = other("node_ntp_leap", "Leap indicator: 1 for a second put in, 2 for one left out, 3 while the time is not known.")
	nodeOffset    = other("node_ntp_offset_seconds", "The station's time minus the system clock.")
	nodeDelay     = other("node_ntp_root_delay_seconds", "Round trip to the reference clock.")
	nodeDisp      = other("node_ntp_root_dispersion_seconds", "Bound of the error without half the round trip.")
	nodeReference = other("node_ntp_reference_timestamp_seconds", "When the source that is followed was last heard, in seconds since 1970.")
	nodeSanity    = other("node_ntp_sanity", "1 while a client may go by the station.")

	ntpDrift     = other("ntp_drift_seconds", "The system clock minus the station's time.", "server")
	ntpStratum   = other("ntp_stratum", "Stratum served.", "server")
	ntpLeap      = other("ntp_leap", "Leap indicator: 1 for a second put in, 2 for one left out, 3 while the time is not known.", "server")
	ntpDelay     = other("ntp_root_delay_seconds", "Round trip to the reference clock.", "server")
	ntpDisp      = other("ntp_root_dispersion_seconds", "Bound of the error without half the round trip.", "server")
	ntpDistance  = other("ntp_root_distance_seconds", "Bound of the station's error.", "server")
	ntpReference = other("ntp_reference_timestamp_seconds", "When the source that is followed was last heard, in seconds since 1970.", "server")
	ntpReachable = other("ntp_server_reachable", "1 while the station answers.", "server")

	gpsdSeen       = other("gpsd_nSat", "Satellites in view.")
	gpsdUsed       = other("gpsd_uSat", "Satellites used.")
	gpsdSatSeen    = other("gpsd_sat_seen", "Satellites in view.")
	gpsdSatUsed    = other("gpsd_sat_used", "Satellites used.")
	gpsdMode       = other("gpsd_mode", "Fix: 1 none, 2 in two dimensions, 3 in three or of time alone.")
	gpsdLatitude   = other("gpsd_lat", "Latitude in degrees, north positive.")
	gpsdLongitude  = other("gpsd_long", "Longitude in degrees, east positive.")
	gpsdAltitude   = other("gpsd_altMSL", "Metres above mean sea level.")
	satelliteLabel = []string{"PRN", "gnssid"}
	gpsdSignal     = other("gpsd_sat_ss", "Carrier-to-noise density of a satellite, in dB-Hz.", satelliteLabel...)
	gpsdElevation  = other("gpsd_sat_el", "Elevation of a satellite, in degrees.", satelliteLabel...)
	gpsdAzimuth    = other("gpsd_sat_az", "Azimuth of a satellite, in degrees.", satelliteLabel...)
)

// Describe names nothing: which of them there are depends on the station's sources.
func (c compat) Describe(chan<- *prometheus.Desc) {}

// Collect gives their values.
func (c compat) Collect(out chan<- prometheus.Metric) {
	r, st := c.station.Report(), c.station.Board.Load()
	o := output(out)
	c.chrony(o, r, st)
	c.ntp(o, r, st)
	for _, s := range r.Sources {
		if s.Signal.GNSS != nil { // the names have no room for a second receiver
			c.gpsd(o, s.Signal.GNSS)
			break
		}
	}
}

// output takes gauges and counters.
type output chan<- prometheus.Metric

func (o output) gauge(d *prometheus.Desc, v float64, labels ...string) {
	o <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (o output) count(d *prometheus.Desc, v uint64, labels ...string) {
	o <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
}

// rootDispersion is what is left of the bound: it is half the root delay and the root dispersion together.
func rootDispersion(r Report, st *status.Status) float64 {
	return max(0, *r.MaxErrorSeconds-st.RootDelay.Seconds()/2)
}

// chronyStates are chrony's words.
var chronyStates = map[status.SourceState]string{
	status.Selected: "sync", status.Agreeing: "candidate", status.Falseticker: "falseticker", status.Compared: "outlier",
	status.Settling: "unreach", status.Unusable: "unreach", status.Silent: "unreach",
}

// chronyName is the address and the name of a source: a reference clock has its name for an address.
func chronyName(s status.Source) (address, name string) {
	if s.Signal.Server == nil {
		return s.Name, s.Name
	}
	if host, _, err := net.SplitHostPort(s.Signal.Server.Address); err == nil {
		return host, s.Name
	}
	return s.Signal.Server.Address, s.Name
}

func (c compat) chrony(o output, r Report, st *status.Status) {
	o.gauge(chronyUp, 1)
	o.gauge(trackingStratum, float64(r.Stratum))
	if r.UTC != nil {
		o.gauge(trackingSystem, *r.OffsetSeconds)
		o.gauge(trackingFrequency, *r.FrequencyPPM)
		o.gauge(trackingSkew, st.Uncertainty95Growth*1e6)
		o.gauge(trackingDelay, st.RootDelay.Seconds())
		o.gauge(trackingDisp, rootDispersion(r, st))
	}
	if r.ReferenceTime != nil {
		o.gauge(trackingReference, unix(*r.ReferenceTime))
	}
	for _, s := range r.Sources {
		address, name := chronyName(s)
		mode := "ref"
		if n := s.Signal.Server; n != nil {
			mode = "client"
			o.gauge(sourcesPoll, n.PollSeconds, address, name)
			o.gauge(sourcesReach, float64(bits.OnesCount8(n.Reach))/8, address, name)
			o.gauge(sourcesLevel, float64(n.Stratum), address, name)
		} else {
			o.gauge(sourcesLevel, 0, address, name)
		}
		o.gauge(sourcesState, 1, address, name, chronyStates[s.State], mode)
		if s.AgeSeconds >= 0 {
			o.gauge(sourcesAge, s.AgeSeconds, address, name)
			o.gauge(sourcesLast, s.OffsetSeconds, address, name)
			o.gauge(sourcesError, s.MaxErrorSeconds, address, name)
		}
		if s.Name == r.Selected {
			o.gauge(trackingInfo, 1, address, name, fmt.Sprintf("%08X", st.ReferenceID))
			o.gauge(trackingRemote, flag(s.Signal.Server != nil))
			o.gauge(trackingOffset, -s.OffsetSeconds)
			o.gauge(trackingRMS, s.JitterSeconds)
		}
	}
	var sum Listener
	var silence uint64
	for _, l := range r.Listeners {
		sum.Requests += l.Requests
		sum.Authenticated += l.Authenticated
		sum.Interleaved += l.Interleaved
		for _, n := range l.Dropped {
			silence += n
		}
	}
	o.count(statsReceived, sum.Requests)
	o.count(statsDropped, silence)
	o.count(statsSigned, sum.Authenticated)
	o.count(statsInterleaved, sum.Interleaved)
}

// leapIndicator is as on the wire (RFC 5905, figure 9).
func leapIndicator(r Report) float64 {
	switch {
	case r.State == status.Unsynchronised:
		return 3
	case r.Leap == status.LeapText(refclock.LeapInsert):
		return 1
	case r.Leap == status.LeapText(refclock.LeapDelete):
		return 2
	}
	return 0
}

func (c compat) ntp(o output, r Report, st *status.Status) {
	server := r.Name
	o.gauge(nodeStratum, float64(r.Stratum))
	o.gauge(ntpStratum, float64(r.Stratum), server)
	o.gauge(nodeLeap, leapIndicator(r))
	o.gauge(ntpLeap, leapIndicator(r), server)
	o.gauge(nodeSanity, flag(r.State != status.Unsynchronised))
	o.gauge(ntpReachable, 1, server)
	if r.ReferenceTime != nil {
		o.gauge(nodeReference, unix(*r.ReferenceTime))
		o.gauge(ntpReference, unix(*r.ReferenceTime), server)
	}
	if r.UTC == nil {
		return
	}
	o.gauge(nodeOffset, *r.OffsetSeconds)
	o.gauge(ntpDrift, -*r.OffsetSeconds, server)
	o.gauge(nodeDelay, st.RootDelay.Seconds())
	o.gauge(ntpDelay, st.RootDelay.Seconds(), server)
	o.gauge(nodeDisp, rootDispersion(r, st))
	o.gauge(ntpDisp, rootDispersion(r, st), server)
	o.gauge(ntpDistance, *r.MaxErrorSeconds, server)
}

func unix(u refclock.UTC) float64 { return float64(u.Seconds) + float64(u.Nanoseconds)/1e9 }

func (c compat) gpsd(o output, g *refclock.GNSS) {
	seen, used := float64(len(g.Satellites)), float64(g.SatellitesUsed)
	o.gauge(gpsdSeen, seen)
	o.gauge(gpsdSatSeen, seen)
	o.gauge(gpsdUsed, used)
	o.gauge(gpsdSatUsed, used)
	mode := map[refclock.Fix]float64{refclock.Fix2D: 2, refclock.Fix3D: 3, refclock.FixTime: 3}[g.Fix]
	o.gauge(gpsdMode, max(1, mode))
	if mode >= 2 {
		o.gauge(gpsdLatitude, g.Latitude)
		o.gauge(gpsdLongitude, g.Longitude)
	}
	if mode == 3 {
		o.gauge(gpsdAltitude, g.AltitudeM)
	}
	told := map[[2]string]bool{}
	for _, s := range g.Satellites {
		labels := [2]string{fmt.Sprint(s.PRN), strings.ToLower(s.Constellation)}
		if told[labels] { // seen on two frequencies
			continue
		}
		told[labels] = true
		if s.CN0 > 0 {
			o.gauge(gpsdSignal, s.CN0, labels[:]...)
		}
		if s.Elevation >= 0 && s.Azimuth >= 0 {
			o.gauge(gpsdElevation, float64(s.Elevation), labels[:]...)
			o.gauge(gpsdAzimuth, float64(s.Azimuth), labels[:]...)
		}
	}
}
