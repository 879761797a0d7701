package page

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"timestation/display"
	"timestation/display/panel"
	"timestation/engine/status"
	"timestation/refclock"
)

// skyOfBerlin is a sky as one sees it in Berlin.
func skyOfBerlin() []refclock.Satellite {
	var all []refclock.Satellite
	for _, s := range []struct {
		system string
		prn    int
		el, az int
		cn0    float64
		used   bool
	}{
		{"GPS", 10, 21, 85, 33, true}, {"GPS", 19, 9, 32, 37, true}, {"GPS", 24, 28, 289, 28, true}, {"GPS", 14, 24, 101, 25, false},
		{"GPS", 17, 11, 340, 39, true}, {"GPS", 6, 66, 287, 30, true}, {"GPS", 16, 58, 30, 40, true}, {"GPS", 22, 3, 190, 0, false},
		{"Galileo", 20, 31, 2, 41, true}, {"Galileo", 19, 47, 306, 33, true}, {"Galileo", 3, 22, 155, 30, true}, {"Galileo", 8, 44, 63, 24, false},
		{"GLONASS", 31, 46, 29, 49, true}, {"GLONASS", 5, 22, 250, 40, true}, {"GLONASS", 18, 25, 148, 39, true},
		{"BeiDou", 23, 70, 200, 42, true}, {"BeiDou", 36, 40, 215, 37, true}, {"SBAS", 123, 26, 166, 38, false},
	} {
		all = append(all, refclock.Satellite{Constellation: s.system, PRN: s.prn, Elevation: s.el, Azimuth: s.az, CN0: s.cn0, Used: s.used})
	}
	return all
}

func heardMinute() *refclock.Radio {
	r := rand.New(rand.NewPCG(7, 7))
	radio := &refclock.Radio{Confidence: 14.2, Fields: []refclock.Field{
		{Name: "announced", Value: "nothing"}, {Name: "zone", Value: "CET"}, {Name: "minute", Value: "09"}, {Name: "hour", Value: "14"},
		{Name: "day", Value: "22"}, {Name: "weekday", Value: "Sunday"}, {Name: "month", Value: "11"}, {Name: "year", Value: "26"}}}
	bits := "0" + "01101001110100" + "000101" + "10010000" + "0010100" + "010001" + "111" + "10001" + "01100100" + "1"
	for i := range 38 {
		radio.Marks = append(radio.Marks, refclock.Mark{Symbol: bits[i : i+1], Confidence: 1 - 0.12*r.Float64()*r.Float64()})
	}
	radio.Marks[12].Confidence, radio.Marks[13] = 0.83, refclock.Mark{Symbol: "?", Confidence: 0.55}
	for i := range 60 {
		q := 0.86 + 0.12*r.Float64()
		if i > 21 && i < 28 {
			q = 0.08 + 0.3*r.Float64()
		}
		radio.Quality = append(radio.Quality, q)
	}
	return radio
}

func countedPulses() *refclock.Pulses {
	r := rand.New(rand.NewPCG(3, 1))
	p := &refclock.Pulses{JitterSeconds: 118e-9, Seen: 86211, Missing: 2, HistogramStepSeconds: 25e-9, Histogram: make([]uint32, 41)}
	for range 900 {
		if i := int(math.Round(r.NormFloat64()*118/25)) + 20; i >= 0 && i < 41 {
			p.Histogram[i]++
		}
	}
	return p
}

// manned gives a station every kind of source, all but one of which are well.
func manned(s *status.Status, now refclock.Instant) {
	*s = status.Status{
		Epoch: s.Epoch, EpochInstant: s.EpochInstant, FrequencyPPM: 3.1,
		Uncertainty95: 420 * time.Nanosecond, MaxError: 1380 * time.Nanosecond, MaxErrorGrowth: 8.2e-9, MaxErrorLimit: time.Millisecond,
		State: status.Synchronised, Since: now.Add(-31 * time.Hour), Stratum: 1, Selected: "gps0.pps", Leap: refclock.LeapNone,
		Vote: "gps0.pps, gps0, dcf0 and ptb-1 agree within 2.1 ms; cellar-ntp is 240 ms off and ignored",
		Sources: []status.Source{
			{Name: "gps0.pps", Driver: "pps", Receiver: "hat", State: status.Selected, Explanation: "followed: the smallest error bound of 4 that agree",
				OffsetSeconds: 12e-9, JitterSeconds: 118e-9, MaxErrorSeconds: 0.9e-6, AgeSeconds: 0.4, Samples: 86211,
				Signal: refclock.Signal{State: refclock.Timing, Pulses: countedPulses()}},
			{Name: "gps0", Driver: "gps", Receiver: "hat", State: status.Agreeing, Explanation: "agrees with gps0.pps within 38 ms",
				OffsetSeconds: 38e-3, JitterSeconds: 9e-3, MaxErrorSeconds: 60e-3, AgeSeconds: 0.6, Samples: 86190,
				Signal: refclock.Signal{State: refclock.Timing, GNSS: &refclock.GNSS{Fix: refclock.Fix3D, SatellitesUsed: 14,
					Satellites: skyOfBerlin(), Latitude: 52.5163, Longitude: 13.3777, AltitudeM: 41, Antenna: "ok", Jamming: "ok"}}},
			{Name: "dcf0", Driver: "dcf77", State: status.Agreeing, Explanation: "agrees with gps0.pps within 2.1 ms",
				OffsetSeconds: 2.1e-3, JitterSeconds: 1.6e-3, MaxErrorSeconds: 6e-3, AgeSeconds: 1.2, Samples: 1402,
				Signal: refclock.Signal{State: refclock.Timing, Radio: heardMinute()}},
			{Name: "ptb-1", Driver: "upstream", State: status.Agreeing, Explanation: "agrees with gps0.pps within 400 µs",
				OffsetSeconds: -0.4e-3, JitterSeconds: 0.2e-3, MaxErrorSeconds: 7e-3, AgeSeconds: 21, Samples: 3011,
				Signal: refclock.Signal{State: refclock.Timing, Server: &refclock.Server{Address: "ptbtime1.ptb.de", Stratum: 1, Authenticated: true,
					Protection: "NTS AES-SIV-CMAC-256", DelaySeconds: 13.2e-3, PollSeconds: 64, Reach: 0xff}}},
			{Name: "cellar-ntp", Driver: "upstream", State: status.Falseticker, Explanation: "240 ms away from gps0.pps, more than both bounds allow",
				OffsetSeconds: 240e-3, JitterSeconds: 1e-3, MaxErrorSeconds: 9e-3, AgeSeconds: 44, Samples: 2877,
				Signal: refclock.Signal{State: refclock.Timing, Server: &refclock.Server{Address: "10.0.0.7", Stratum: 3, DelaySeconds: 0.4e-3,
					PollSeconds: 64, Reach: 0xed}}},
		},
		Alerts: []status.Alert{
			{Code: "falseticker", Source: "cellar-ntp", Severity: status.Warning, Since: refclock.Date(2026, 11, 22, 8, 14, 0, 0),
				Text: "cellar-ntp is 240 ms off and ignored.", Mend: "check that server, or remove it from the configuration"},
			{Code: "leap-list", Severity: status.Info, Since: refclock.Date(2026, 11, 21, 4, 0, 0, 0),
				Text: "The leap second list expires in 58 days.", Mend: "update the package tzdata", AcknowledgedBy: "M. Krause",
				AcknowledgedAt: refclock.Date(2026, 11, 21, 9, 12, 0, 0)},
		},
	}
}

// loggedDay is a day (or another span) of a station that was in holdover for an hour of it.
func loggedDay(in *panel.Input, span time.Duration) display.History {
	r := rand.New(rand.NewPCG(5, 5))
	to := in.Second.UTC().Time()
	const points = 480
	h := display.History{From: to.Add(-span), To: to, StepSeconds: span.Seconds() / points}
	ppm, held := 3.1, 0.0
	for i := range points {
		share := float64(i) / points
		at := h.From.Add(time.Duration((float64(i) + 0.5) * h.StepSeconds * 1e9))
		if share > 0.30 && share < 0.335 {
			continue // the station was off
		}
		day := math.Sin(2 * math.Pi * float64(at.Unix()%86400) / 86400)
		ppm += 0.002 * r.NormFloat64()
		frequency, temperature, bound := ppm+0.06*day, 44+2.4*day+0.2*r.NormFloat64(), 1.3e-6*(1+0.05*r.NormFloat64())
		p := display.Point{Time: at, State: status.Synchronised, FrequencyPPM: &frequency, TemperatureCelsius: &temperature, MaxErrorSeconds: &bound}
		if share > 0.62 && share < 0.67 {
			held += h.StepSeconds
			bound += held * 9e-9
			p.State = status.Holdover
		} else {
			mean := 90e-9 * r.NormFloat64()
			low, high := mean-math.Abs(220e-9*r.NormFloat64()), mean+math.Abs(220e-9*r.NormFloat64())
			p.OffsetSeconds, p.OffsetLowSeconds, p.OffsetHighSeconds = &mean, &low, &high
		}
		h.Points = append(h.Points, p)
	}
	for k := range 12 {
		tau := 16 * math.Pow(2, float64(k))
		for i, v := range []float64{1.2e-7/tau + 2e-11*math.Sqrt(tau), 3e-3/tau + 1e-10*math.Sqrt(tau)} {
			spread := 1 + 0.04*math.Pow(1.35, float64(k))
			h.Deviations = append(h.Deviations, display.Deviation{Source: []string{"gps0.pps", "dcf0"}[i], Tau: tau, Value: v, Low: v / spread, High: v * spread})
		}
	}
	return h
}

func askers(in *panel.Input, n int) display.Clients {
	r := rand.New(rand.NewPCG(9, 9))
	c := display.Clients{RequestsPerSecond: 12.4, Known: n, Refused: map[string]uint64{"denied": 812, "rate-limited": 96, "bad-mac": 7, "malformed": 3}}
	now := in.Status.StampAt(in.Second)
	for i := range n {
		requests := uint64(90000 / (i + 1))
		address := netip.AddrFrom4([4]byte{192, 168, byte(i / 250), byte(10 + i%240)})
		if i%4 == 1 {
			address = netip.MustParseAddr("2001:db8:40:7::1f")
		}
		k := status.Client{Address: address, Requests: requests, Answered: requests, FirstSeen: now.Add(-time.Duration(3+r.IntN(90)) * time.Hour),
			LastSeen: now.Add(-time.Duration(1+r.IntN(1000)) * time.Second)}
		switch i % 5 {
		case 0:
			k.Authenticated = requests
		case 3:
			k.Refused, k.Answered, k.LastRefused = requests/8, requests-requests/8, "rate-limited"
		}
		c.Clients = append(c.Clients, k)
	}
	return c
}

// only leaves the station some of its sources.
func only(names ...string) func(*status.Status, refclock.Instant) {
	return func(s *status.Status, now refclock.Instant) {
		manned(s, now)
		s.Sources = slices.DeleteFunc(s.Sources, func(v status.Source) bool { return !slices.Contains(names, v.Name) })
		s.Alerts = nil
	}
}

// unplugged is the same station after somebody pulled all its plugs.
func unplugged(s *status.Status, now refclock.Instant) {
	manned(s, now)
	for i := range s.Sources {
		v := &s.Sources[i]
		v.State, v.AgeSeconds = status.Silent, 1620+4000*float64(i)
		lost := refclock.Signal{State: refclock.Lost, Text: v.Name + ": /dev/ttyAMA0 is gone; plug it in again, or check the cable and its plug"}
		if v.Signal.GNSS != nil {
			lost.GNSS = &refclock.GNSS{Fix: refclock.NoFix}
		}
		v.Signal = lost
	}
	s.State, s.Reason, s.Since, s.MaxError = status.Holdover, "no source has been heard since 13:41", now.Add(-27*time.Minute), 38*time.Microsecond
	s.Vote, s.Unseen, s.Alerts = "no source has a vote", "", []status.Alert{lostAlert}
}

// jumped is a station that holds back a receiver that fell a thousand and twenty-four weeks into the past.
func jumped(s *status.Status, now refclock.Instant) {
	manned(s, now)
	s.Alerts = append(s.Alerts, status.Alert{Code: "jump-latched", Source: "gps0", Severity: status.Critical,
		Since: refclock.Date(2026, 11, 22, 13, 1, 0, 0), Text: "gps0 jumped by 1024 weeks, to 2007-04-08, and is not followed.",
		Mend: "compare it with another clock: a receiver that is spoofed does this. If its new time is right: timestation accept-jump gps0"})
}

// bare is a station that nobody has given a source.
func bare(s *status.Status, _ refclock.Instant) {
	*s = status.Status{State: status.Unsynchronised, Reason: "no source is configured", Stratum: status.Stratum16}
}

func german(c *display.Config) { c.Theme, c.Language = "light", "de" }

func init() {
	day := func(in *panel.Input) { in.History = loggedDay(in, 24*time.Hour) }
	busy := func(in *panel.Input) { in.Clients = askers(in, 40) }
	scenes = append(scenes, []scene{
		{name: "signal", page: "signal", large: true, tall: true, change: manned},
		{name: "signal-light", page: "signal", change: manned, config: german},
		{name: "signal-gps", page: "signal", change: only("gps0")},
		{name: "signal-dcf77", page: "signal", change: only("dcf0")},
		{name: "signal-ntp", page: "signal", change: only("dcf0", "ptb-1", "cellar-ntp")},
		{name: "signal-lost", page: "signal", change: unplugged},
		{name: "signal-demonstration", page: "signal", change: func(s *status.Status, now refclock.Instant) {
			only("gps0")(s, now)
			s.Demonstration = true
			s.Sources[0].Signal.Alarms = []refclock.Alarm{{Code: "jamming", Text: "the receiver hears interference, and still has its fix",
				Mend: "look for a transmitter, a cheap active antenna or a USB 3 cable near the antenna"}}
		}},
		{name: "signal-bare", page: "signal", change: bare},

		{name: "trust", page: "trust", large: true, tall: true, change: manned},
		{name: "trust-light", page: "trust", change: jumped, config: german},
		{name: "trust-confirm", page: "trust", change: jumped, input: func(in *panel.Input) {
			in.View.Confirm = &display.Action{Kind: display.ActionAcceptJump, Source: "gps0"}
		}},
		{name: "trust-holdover", page: "trust", change: unplugged},
		{name: "trust-alone", page: "trust", change: func(s *status.Status, now refclock.Instant) {
			only("gps0", "gps0.pps")(s, now)
			s.Vote = "gps0.pps and gps0 are of one receiver: nothing else checks them"
			s.Unseen = "gps0.pps is alone: a drift of up to 0.02 ppm (72 µs an hour) cannot be told from the oscillator's own"
		}},
		{name: "trust-bare", page: "trust", change: bare},

		{name: "history", page: "history", large: true, tall: true, change: manned, input: day},
		{name: "history-light", page: "history", change: manned, config: german, input: func(in *panel.Input) {
			day(in)
			in.View.Cursor = in.Second.UTC().Time().Add(-9 * time.Hour)
			in.View.Told = "saved as /var/lib/timestation/exports/history-2026-11-22.svg"
		}},
		{name: "history-bare", page: "history", change: manned, input: func(in *panel.Input) {
			in.History.To = in.Second.UTC().Time()
			in.History.From = in.History.To.Add(-24 * time.Hour)
		}},

		{name: "clients", page: "clients", large: true, tall: true, change: manned, input: busy},
		{name: "clients-light", page: "clients", change: manned, config: german, input: busy},
		{name: "clients-bare", page: "clients", change: manned},
	}...)
}
