package page

import (
	"testing"
	"time"

	"timestation/display"
	"timestation/display/draw"
	"timestation/display/panel"
	"timestation/display/studio"
	"timestation/engine/status"
	"timestation/refclock"
)

// scene is one state of the station and of the wall that must look well.
type scene struct {
	name string
	// page is studio where it is empty.
	page string
	at   refclock.UTC
	part time.Duration
	// change turns a station that is well into the one of the scene.
	change func(*status.Status, refclock.Instant)
	zone   string
	config func(*display.Config)
	// wall puts lights, messages and timers up.
	wall func(*studio.State, refclock.Instant)
	// input sets whatever else the page shows.
	input func(*panel.Input)
	// read is what the clock says; empty where it cannot be read.
	read string
	// Every scene has a picture of 800 × 480; tall ones have one of 480 × 800 too, large ones of 1920 × 1080 and 3840 × 2160.
	tall, large bool
}

var lostAlert = status.Alert{
	Code: "source-lost", Source: "gps0", Severity: status.Warning, Text: "gps0 has been silent since 13:41.",
	Mend: "Check the antenna, its cable and its plug, then the receiver's power.",
}

// onAir is a studio at work.
func onAir(s *studio.State, now refclock.Instant) {
	s.Lights = [studio.Lights]studio.Light{
		{Name: "ON AIR", Colour: "#ff3b30", On: true, Timed: true, Since: now.Add(-12*time.Minute - 41*time.Second)},
		{Name: "PHONE", Colour: "#ffb020"}, {Name: "DOOR", Colour: "#4aa8ff", On: true, Blink: true}, {Name: "RECORD", Colour: "#ff3b30"},
	}
	s.Now, s.Next = "Nocturne", "14:10 News & weather"
	s.Timers = []studio.Timer{
		{Name: "Interview", Kind: studio.Down, Running: true, Began: now.Add(-95 * time.Second), Length: 4 * time.Minute},
		{Name: "News", Kind: studio.Until, Running: true, Target: now.Add(83 * time.Second)},
	}
	s.Messages = []studio.Message{{ID: "1", Text: "Studio 2: guest arrives 14:20 at gate B", Priority: studio.Notice}}
}

// idle is a studio between programmes: its lights are there, and dark.
func idle(s *studio.State, now refclock.Instant) {
	onAir(s, now)
	s.Lights[0].On, s.Lights[2].On = false, false
	s.Now, s.Next, s.Timers, s.Messages = "", "", nil, nil
}

func holdover(s *status.Status, now refclock.Instant) {
	s.State, s.Reason, s.Since = status.Holdover, "no source has been heard since 13:41", now.Add(-27*time.Minute)
	s.MaxError = 38 * time.Microsecond
	s.Sources[0].State, s.Sources[0].Signal.State = status.Silent, refclock.Lost
	s.Sources[0].Signal.GNSS = &refclock.GNSS{Fix: refclock.NoFix}
	s.Alerts = []status.Alert{lostAlert}
}

func unsynchronised(s *status.Status, _ refclock.Instant) {
	s.State, s.Reason, s.Stratum, s.Leap = status.Unsynchronised, "no source has been heard since 09:02", status.Stratum16, refclock.LeapUnknown
	s.Sources[0].State = status.Silent
	s.Sources[0].Signal = refclock.Signal{State: refclock.Lost, Text: "gps0: /dev/ttyAMA0 is gone; plug it in again"}
	clock := status.Alert{Code: "unsynchronised", Severity: status.Critical,
		Text: "The station does not know the time: no source has been heard since 09:02. It serves none."}
	s.Alerts = []status.Alert{lostAlert, clock, {Code: "leap-list", Severity: status.Info, Text: "The leap-second list is old."}}
}

func never(s *status.Status, _ refclock.Instant) {
	*s = status.Status{State: status.Unsynchronised, Reason: "no source has told the time yet", Stratum: status.Stratum16,
		Sources: []status.Source{{Name: "gps0", Driver: "gps", State: status.Unusable, Signal: refclock.Signal{
			State: refclock.Receiving, Text: "no fix yet; give the antenna a view of the sky", GNSS: &refclock.GNSS{Fix: refclock.NoFix}}}}}
}

func leapNow(s *status.Status, _ refclock.Instant) {
	s.EpochInstant = refclock.Date(2016, 12, 31, 23, 59, 59, 500e6).Instant(36)
	s.Leap, s.LeapAt = refclock.LeapInsert, refclock.Date(2016, 12, 31, 23, 59, 60, 0).Instant(36)
}

func faced(name string) func(*display.Config) { return func(c *display.Config) { c.Face = name } }

var leapAt = refclock.Date(2016, 12, 31, 23, 59, 60, 0)

var scenes = []scene{
	{name: "led", large: true, tall: true, read: "14:08:37", wall: onAir},
	{name: "led-idle", read: "14:08:37", wall: idle},
	{name: "led-bare", read: "14:08:37"},
	{name: "led-light", read: "14:08:37", wall: onAir, config: func(c *display.Config) { c.Theme = "light" }},
	{name: "led-german", tall: true, read: "14:08:37", wall: onAir, config: func(c *display.Config) { c.Language, c.Zones = "de", []string{"America/New_York", "Asia/Tokyo"} }},
	{name: "demonstration", read: "14:08:37", change: func(s *status.Status, _ refclock.Instant) { s.Demonstration = true }},
	{name: "holdover", read: "14:08:37", change: holdover, wall: idle},
	{name: "holdover-message", tall: true, read: "14:08:37", change: holdover, wall: onAir},
	{name: "holdover-german", tall: true, read: "14:08:37", change: holdover, wall: onAir, config: german},
	{name: "unsynchronised", tall: true, change: unsynchronised, wall: onAir},
	{name: "unsynchronised-light", change: unsynchronised, config: func(c *display.Config) { c.Theme = "light" }},
	{name: "never", tall: true, change: never, wall: idle},
	{name: "alert", read: "14:08:37", wall: idle, change: func(s *status.Status, _ refclock.Instant) {
		s.Alerts = []status.Alert{{Code: "leap-list", Severity: status.Info, Text: "The leap-second list expires in 58 days.",
			Mend: "Install a newer tzdata, or let the receiver announce leap seconds."}}
	}},
	{name: "long-message", tall: true, read: "14:08:37", wall: func(s *studio.State, now refclock.Instant) {
		onAir(s, now)
		s.Messages = []studio.Message{{ID: "1", Priority: studio.Urgent, Text: "Evacuate studios 1 to 4 through the north stairs; the " +
			"assembly point is the car park behind building C, and nobody goes back for anything before the fire brigade says so."},
			{ID: "2", Priority: studio.Notice, Text: "Lunch is late."}}
	}},
	{name: "leap-second", at: leapAt, zone: "UTC", read: "23:59:60", change: leapNow, wall: idle},
	{name: "twelve-hour", at: refclock.Date(2026, 9, 30, 15, 35, 9, 0), zone: "Asia/Kolkata", read: "09:05:09",
		change: func(s *status.Status, _ refclock.Instant) { s.MaxError = 1380 * time.Nanosecond },
		config: func(c *display.Config) { c.TwelveHour, c.Accent = true, "#4aa8ff" }},
	// The second in which 01:59:59 is followed by 03:00:00.
	{name: "summer-time", at: refclock.Date(2026, 3, 29, 1, 0, 0, 0), read: "03:00:00", wall: idle},

	{name: "analogue", large: true, tall: true, read: "02:08:37", wall: onAir, config: faced("analogue")},
	{name: "analogue-light", read: "02:08:37", wall: idle, config: func(c *display.Config) { c.Theme, c.Face = "light", "analogue" }},
	{name: "analogue-holdover", read: "02:08:37", change: holdover, config: faced("analogue")},
	{name: "analogue-unsynchronised", change: unsynchronised, config: faced("analogue")},
	{name: "analogue-never", change: never, config: faced("analogue")},
	{name: "analogue-leap-second", at: leapAt, zone: "UTC", change: leapNow, config: faced("analogue")},
	{name: "analogue-demonstration", change: func(s *status.Status, _ refclock.Instant) { s.Demonstration = true }, config: faced("analogue")},

	{name: "digital", large: true, tall: true, read: "14:08:37", wall: onAir, config: faced("digital")},
	{name: "digital-bare", read: "14:08:37", config: faced("digital")},
	{name: "digital-light", read: "14:08:37", wall: onAir, config: func(c *display.Config) { c.Theme, c.Face = "light", "digital" }},
	{name: "digital-unsynchronised", change: unsynchronised, wall: idle, config: faced("digital")},
	{name: "digital-never", change: never, config: faced("digital")},
	{name: "digital-twelve-hour", tall: true, read: "02:08:37", config: func(c *display.Config) { c.TwelveHour, c.Face = true, "digital" },
		change: func(s *status.Status, _ refclock.Instant) { s.Demonstration = true }},
	{name: "digital-leap-second", at: leapAt, zone: "UTC", read: "23:59:60", change: leapNow, config: faced("digital")},
}

func init() { scenes = append(scenes, shackScenes...) }

// shackScenes are those of the shack page.
var shackScenes = []scene{
	{name: "shack", page: "shack", large: true, tall: true},
	{name: "shack-light", page: "shack", config: func(c *display.Config) { c.Theme, c.Language = "light", "de" }},
	{name: "shack-holdover", page: "shack", change: holdover},
	{name: "shack-unsynchronised", page: "shack", change: unsynchronised},
	{name: "shack-never", page: "shack", change: never},
	{name: "shack-leap-second", page: "shack", at: leapAt, zone: "UTC", change: leapNow},
}

// settings is the configuration of the scene.
func (sc scene) settings() display.Config {
	cfg := display.DefaultConfig()
	if sc.config != nil {
		sc.config(&cfg)
	}
	return cfg
}

func (sc scene) face() string { return sc.settings().Face }

// well is a station that lacks nothing, a while after now.
func well(now refclock.Instant) *status.Status {
	return &status.Status{
		Epoch: 1_000_000_000, EpochInstant: now.Add(-300 * time.Millisecond), FrequencyPPM: 3.1,
		Uncertainty95: 300 * time.Nanosecond, MaxError: 1380 * time.Nanosecond, MaxErrorGrowth: 1e-8, MaxErrorLimit: time.Second,
		State: status.Synchronised, Since: now.Add(-time.Hour), Stratum: 1, Selected: "gps0", Leap: refclock.LeapNone,
		Vote: "gps0 and dcf0 agree within 2.1 ms",
		Sources: []status.Source{
			{Name: "gps0", Driver: "gps", State: status.Selected, Explanation: "gps0 is followed: it is the only source with valid time",
				Signal: refclock.Signal{State: refclock.Timing, GNSS: &refclock.GNSS{
					Fix: refclock.Fix3D, SatellitesUsed: 11, Satellites: make([]refclock.Satellite, 14), Latitude: 52.5163, Longitude: 13.3777, AltitudeM: 38}}},
			{Name: "dcf0", Driver: "dcf77", State: status.Agreeing},
		},
	}
}

// in is what the page of the scene shows.
func (sc scene) in(t testing.TB) panel.Input {
	t.Helper()
	if sc.at == (refclock.UTC{}) {
		sc.at = refclock.Date(2026, 11, 22, 13, 8, 37, 0)
	}
	if sc.zone == "" {
		sc.zone = "Europe/Berlin"
	}
	loc, err := time.LoadLocation(sc.zone)
	if err != nil {
		t.Fatal(err)
	}
	taiMinusUTC := int32(37)
	if sc.at.Time().Year() == 2016 {
		taiMinusUTC = 36
	}
	now := sc.at.Instant(taiMinusUTC)
	s := well(now)
	if sc.change != nil {
		sc.change(s, now)
	}
	in := panel.Input{Frame: display.Tick{Status: s, Second: refclock.Instant{TAI: now.TAI}, Part: sc.part}.
		Frame(sc.settings().Style(), loc, "Studio 2")}
	if sc.wall != nil {
		sc.wall(&in.Studio, now)
	}
	if sc.input != nil {
		sc.input(&in)
	}
	return in
}

// drawing is the page of the scene.
func (sc scene) drawing(t testing.TB) Drawing {
	t.Helper()
	name := sc.page
	if name == "" {
		name = "studio"
	}
	p, ok := panel.Named(name)
	if !ok {
		t.Fatalf("there is no page %s", name)
	}
	in := sc.in(t)
	return func(size draw.Size) []draw.Shape { return p.Picture(in, size).Shapes }
}
