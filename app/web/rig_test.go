package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"timestation/app/web/access"
	"timestation/display"
	"timestation/display/studio"
	"timestation/engine/status"
	"timestation/refclock"
)

// rig is a whole web server before a station that a test can bring into any state.
type rig struct {
	server  *httptest.Server
	station Station
	wall    *studio.Board
	mu      sync.Mutex
	alerts  []status.Alert
	change  func(*status.Status)
	done    []string
	tokens  *access.File
	delay   atomic.Int64 // ns: for how long a question for the time is on its way
	admin   string       // the secret of the admin's token
	viewer  string
}

// newRig starts one on loopback; it ends with the test. Its time is this machine's clock.
func newRig(t *testing.T, closed bool) *rig {
	t.Helper()
	r := &rig{tokens: access.Empty(t.TempDir() + "/tokens")}
	r.wall = studio.NewBoard(studio.DefaultLights(), func() (refclock.Instant, bool) {
		reading := r.station.Board.Load().At(localNow())
		return reading.Instant, reading.Known
	}, time.UTC)
	for name, secret := range map[string]*string{"ada": &r.admin, "guest": &r.viewer} {
		role := map[string]access.Role{"ada": access.Admin, "guest": access.View}[name]
		var token access.Token
		if token, *secret = access.New(name, role, "2026-11-22"); r.tokens.Add(token) != nil {
			t.Fatal(name)
		}
	}
	if err := r.tokens.Save(); err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	c := DefaultConfig()
	c.Tokens = r.tokens.Path()
	if closed {
		c.View = viewToken
	}
	r.station = Station{
		Name: "Studio 2", Version: "0.1", Location: berlin, Board: &status.Board{}, Now: localNow, Wall: fakeWall{r.wall}, Studio: r.wall,
		Listeners: func() []Listener {
			return []Listener{{Address: "[::]:123", Requests: 183201, Answered: 183154, Authenticated: 5120, NTS: 2210, Interleaved: 40121, ReceiveStamps: "kernel", TransmitStamps: "kernel",
				Dropped: map[string]uint64{"bad-mac": 12, "denied": 35}}}
		},
		Face: func(w io.Writer, second refclock.Instant, width, height int) error { return errors.ErrUnsupported },
		Cleared: func() []status.Alert {
			return []status.Alert{{Code: "drift", Source: "dcf0", Severity: status.Warning, Text: "dcf0 and gps0 drift apart by 3 ms a day.", Mend: "look at both antennas",
				Since: refclock.Date(2026, 11, 21, 3, 0, 0, 0), Cleared: refclock.Date(2026, 11, 21, 4, 30, 0, 0), AcknowledgedBy: "ada"}}
		},
		Note: func(text, who, from string) { r.did("%s by %q from %s", text, who, from) },
		Actions: Actions{
			AcceptJump: func(_ context.Context, source, who, from string) (string, error) {
				r.did("accept %s by %s from %s", source, who, from)
				return "followed", nil
			},
			Acknowledge: r.acknowledge,
		},
	}
	if r.station.guard, err = newGuard(c); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	r.publish()
	var wait sync.WaitGroup
	wait.Go(func() {
		for tick := time.NewTicker(250 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				r.publish()
			}
		}
	})
	handler := Handler(r.station)
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/api/time" {
			time.Sleep(time.Duration(r.delay.Load()))
		}
		handler.ServeHTTP(w, q)
	}))
	t.Cleanup(func() {
		stop()
		wait.Wait()
		r.server.CloseClientConnections()
		r.server.Close()
	})
	return r
}

func localNow() refclock.Stamp { return refclock.Stamp(time.Now().UnixNano()) }

func (r *rig) did(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = append(r.done, fmt.Sprintf(format, args...))
}

func (r *rig) acknowledge(_ context.Context, code, source, who, from string) error {
	r.did("ack %s %s by %s from %s", code, source, who, from)
	r.mu.Lock()
	for i := range r.alerts {
		if r.alerts[i].Code == code && r.alerts[i].Source == source {
			r.alerts = append([]status.Alert{}, r.alerts...)
			r.alerts[i].AcknowledgedBy = who
		}
	}
	r.mu.Unlock()
	r.publish()
	return nil
}

// set changes what the station says from now on.
func (r *rig) set(change func(*status.Status), alerts ...status.Alert) {
	r.mu.Lock()
	r.change, r.alerts = change, alerts
	r.mu.Unlock()
	r.publish()
}

func (r *rig) publish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	st := sampleStatus()
	st.Alerts = r.alerts
	if r.change != nil {
		r.change(st)
	}
	r.station.Board.Publish(st)
}

// sampleStatus is a station with every kind of source, at this machine's time.
func sampleStatus() *status.Status {
	now := localNow()
	utc := time.Unix(0, int64(now)).UTC()
	i := refclock.Date(utc.Year(), utc.Month(), utc.Day(), utc.Hour(), utc.Minute(), utc.Second(), utc.Nanosecond()).Instant(37)
	return &status.Status{
		Generation: uint64(now), Epoch: now, EpochInstant: i, State: status.Synchronised, Stratum: 1, ReferenceID: [4]byte{'P', 'P', 'S'},
		MaxError: 1400 * time.Nanosecond, Uncertainty95: 200, MaxErrorLimit: time.Second, Leap: refclock.LeapNone, Selected: "gps0.pps",
		Since: i.Add(-8 * time.Hour), ReferenceTime: i, FrequencyPPM: -4.31, TemperatureCelsius: 41.2, TemperatureKnown: true,
		Vote: "Three receivers agree, and one does not.", Unseen: "An error that GPS and DCF77 share would not be seen.",
		Sources: sampleSources(utc),
	}
}

func sampleSources(utc time.Time) []status.Source {
	var sky []refclock.Satellite
	for _, s := range []struct {
		name       string
		prn, e, az int
		cn0        float64
		used       bool
	}{
		{"GPS", 10, 8, 88, 33, true}, {"GPS", 19, 22, 32, 37, true}, {"GPS", 24, 66, 262, 28, false}, {"GPS", 14, 20, 102, 25, false}, {"GPS", 17, 16, 338, 39, true},
		{"GPS", 16, 60, 33, 40, true}, {"GPS", 13, 25, 290, 30, true}, {"Galileo", 20, 40, 65, 24, false}, {"Galileo", 21, 33, 3, 41, true}, {"Galileo", 19, 48, 306, 33, true},
		{"Galileo", 3, 20, 155, 30, true}, {"GLONASS", 81, 48, 28, 49, true}, {"GLONASS", 75, 16, 253, 40, true}, {"GLONASS", 78, 25, 150, 39, true}, {"BeiDou", 28, 30, 210, 36, true},
	} {
		sky = append(sky, refclock.Satellite{Constellation: s.name, PRN: s.prn, Elevation: s.e, Azimuth: s.az, CN0: s.cn0, Used: s.used})
	}
	leap := 18
	radio := &refclock.Radio{Confidence: 14.2, Fields: []refclock.Field{{Name: "minute", Value: utc.Format("04")}, {Name: "hour", Value: utc.Format("15")}, {Name: "day", Value: utc.Format("02")}, {Name: "month", Value: utc.Format("01")}, {Name: "year", Value: utc.Format("06")}, {Name: "zone", Value: "CET"}}}
	for i := range utc.Second() {
		symbol := "0"
		if (i*i*7+i)%3 == 0 {
			symbol = "1"
		}
		radio.Marks = append(radio.Marks, refclock.Mark{Symbol: symbol, Confidence: 0.75 + 0.25*math.Abs(math.Sin(float64(i)))})
	}
	for i := range 60 {
		q := 0.75 + 0.2*math.Sin(float64(i)*1.3)
		if i > 20 && i < 26 {
			q = 0.1 + 0.05*float64(i%3)
		}
		radio.Quality = append(radio.Quality, q)
	}
	pulses := &refclock.Pulses{JitterSeconds: 320e-9, WidthSeconds: 0.1, Seen: 28804, Missing: 1, HistogramStepSeconds: 1e-7}
	for i := range 41 {
		pulses.Histogram = append(pulses.Histogram, uint32(120*math.Exp(-float64((i-20)*(i-20))/18)))
	}
	ntp := func(address string, authenticated bool) *refclock.Server {
		s := &refclock.Server{Address: address, Stratum: 1, Authenticated: authenticated, DelaySeconds: 0.011, PollSeconds: 64, Reach: 0xff, RootDispersion: 1e-4}
		if authenticated {
			s.Protection = "NTS"
		}
		return s
	}
	timing := func(s refclock.Signal) refclock.Signal { s.State = refclock.Timing; return s }
	return []status.Source{
		{Name: "gps0.pps", Driver: "pps", State: status.Selected, Explanation: "It is followed: its pulse is the finest of those that agree.", OffsetSeconds: 12e-9, JitterSeconds: 320e-9, MaxErrorSeconds: 0.9e-6, Samples: 28804, Signal: timing(refclock.Signal{Pulses: pulses})},
		{Name: "gps0", Driver: "gps", State: status.Agreeing, Explanation: "It says which second a pulse is.", OffsetSeconds: 0.038, MaxErrorSeconds: 0.06, Samples: 28802,
			Signal: timing(refclock.Signal{GNSS: &refclock.GNSS{Fix: refclock.Fix3D, SatellitesUsed: 12, Satellites: sky, Jamming: "ok", Spoofing: "ok", Antenna: "ok", Firmware: "SPG 4.04", Protocol: "UBX", LeapSeconds: &leap, Sentences: 201341, ChecksumErrors: 2}})},
		{Name: "dcf0", Driver: "dcf77", State: status.Agreeing, Explanation: "It agrees with gps0.", OffsetSeconds: 0.0021, MaxErrorSeconds: 0.006, Samples: 480, Signal: timing(refclock.Signal{Radio: radio})},
		{Name: "ptb-1", Driver: "upstream", State: status.Compared, Explanation: "It is watched, and not followed: compare_only.", OffsetSeconds: -0.0004, MaxErrorSeconds: 0.007, Samples: 812, Signal: timing(refclock.Signal{Server: ntp("192.53.103.108:123", true)})},
		{Name: "cellar-ntp", Driver: "upstream", State: status.Falseticker, Explanation: "It is 240 ms away from all others.", OffsetSeconds: 0.24, MaxErrorSeconds: 0.009, Samples: 800, Signal: timing(refclock.Signal{Server: ntp("192.168.1.9:123", false)})},
		{Name: "msf0", Driver: "msf60", State: status.Silent, Explanation: "Nothing has been heard of it since the start.", AgeSeconds: -1, Signal: refclock.Signal{State: refclock.Lost, Text: "/dev/gpiochip0 line 23: no edges; is the receiver powered?"}},
	}
}

type fakeWall struct{ board *studio.Board }

func (w fakeWall) Studio() studio.State { return w.board.State() }

func (fakeWall) History(_ context.Context, span display.Span) (display.History, error) {
	h := display.History{From: span.From, To: span.To, StepSeconds: span.To.Sub(span.From).Seconds() / float64(span.Points)}
	for i := range span.Points {
		t := span.From.Add(time.Duration(float64(i) * h.StepSeconds * 1e9))
		x := float64(t.Unix()%86400) / 86400
		offset, spread := 1.5e-7*math.Sin(2*math.Pi*x)+4e-8*math.Sin(float64(i)*1.7), 2.5e-7
		low, high := offset-spread, offset+spread
		frequency, bound, warm := -4.3+0.05*math.Cos(2*math.Pi*x), 1.4e-6, 41+3*math.Sin(2*math.Pi*x)
		state := status.Synchronised
		if x > .40 && x < .44 {
			state, bound = status.Holdover, 1.4e-6+(x-.40)*4e-4
		}
		if x > .60 && x < .61 {
			continue
		}
		h.Points = append(h.Points, display.Point{Time: t, OffsetSeconds: &offset, OffsetLowSeconds: &low, OffsetHighSeconds: &high, FrequencyPPM: &frequency, MaxErrorSeconds: &bound, TemperatureCelsius: &warm, State: state})
	}
	return h, nil
}

func (fakeWall) Clients(context.Context) (display.Clients, error) {
	c := display.Clients{RequestsPerSecond: 2.3, Known: 214, Refused: map[string]uint64{"bad-mac": 12, "denied": 35}}
	for i := range 8 {
		c.Clients = append(c.Clients, status.Client{Address: netip.AddrFrom4([4]byte{192, 168, 1, byte(20 + i)}), Requests: uint64(61000 / (i + 1)), Answered: uint64(60990 / (i + 1)), Authenticated: uint64(i * 400),
			Refused: uint64(i % 3), LastSeen: localNow().Add(-time.Duration(i*i) * 7 * time.Second)})
	}
	return c, nil
}

func (r *rig) get(t *testing.T, path string) *http.Response {
	t.Helper()
	w, err := http.Get(r.server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Body.Close() })
	return w
}
