package page

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"
	_ "time/tzdata"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"timestation/display"
	"timestation/display/face"
	"timestation/display/readback"
	"timestation/engine/status"
	"timestation/refclock"
)

var update = flag.Bool("update", false, "write the golden images anew")

func TestMain(m *testing.M) {
	flag.Parse()
	test.NewApp().Settings().SetTheme(Theme())
	os.Exit(m.Run())
}

// canvasOf shows a page in memory.
func canvasOf(p *Page, width, height int) software.WindowlessCanvas {
	c := software.NewCanvas()
	c.SetPadded(false)
	c.SetContent(p)
	c.Resize(fyne.NewSize(float32(width), float32(height)))
	return c
}

// render draws one frame as the window would.
func render(f face.Frame, width, height int) image.Image {
	p := New(face.LED)
	c := canvasOf(p, width, height)
	p.Draw(f)
	return c.Capture()
}

// scene is one state of the station that the wall must show well.
type scene struct {
	name string
	at   refclock.UTC
	// change turns a station that is well into the one of the scene.
	change func(*status.Status, refclock.Instant)
	zone   string
	config func(*display.Config)
	// read is what the digits say; empty where they cannot be read.
	read string
	// large stores a picture of 1920 × 1080 too.
	large bool
}

var lostAlert = status.Alert{
	Code: "source-lost", Source: "gps0", Severity: status.Warning, Text: "gps0 has been silent since 13:41.",
	Mend: "Check the antenna, its cable and its plug, then the receiver's power.",
}

var scenes = []scene{
	{name: "synchronised", large: true, read: "14:08:37"},
	{name: "demonstration", large: true, read: "14:08:37", change: func(s *status.Status, _ refclock.Instant) { s.Demonstration = true }},
	{name: "holdover", large: true, read: "14:08:37", change: func(s *status.Status, now refclock.Instant) {
		s.State, s.Reason, s.Since = status.Holdover, "no source has been heard since 13:41", now.Add(-27*time.Minute)
		s.MaxError = 243 * time.Millisecond
		s.Sources[0].State, s.Sources[0].Signal.State = status.Silent, refclock.Lost
		s.Sources[0].Signal.GNSS = &refclock.GNSS{Fix: refclock.NoFix}
		s.Alerts = []status.Alert{lostAlert}
	}},
	{name: "unsynchronised", large: true, change: func(s *status.Status, _ refclock.Instant) {
		s.State, s.Reason, s.Stratum, s.Leap = status.Unsynchronised, "no source has been heard since 09:02", status.Stratum16, refclock.LeapUnknown
		s.Sources[0].State = status.Silent
		s.Sources[0].Signal = refclock.Signal{State: refclock.Lost, Text: "gps0: /dev/ttyAMA0 is gone; plug it in again"}
		clock := status.Alert{Code: "unsynchronised", Severity: status.Critical,
			Text: "The station does not know the time: no source has been heard since 09:02. It serves none."}
		s.Alerts = []status.Alert{lostAlert, clock, {Code: "leap-file", Severity: status.Info, Text: "The leap-second list is old."}}
	}},
	{name: "never", change: func(s *status.Status, _ refclock.Instant) {
		*s = status.Status{State: status.Unsynchronised, Reason: "no source has told the time yet", Stratum: status.Stratum16,
			Sources: []status.Source{{Name: "gps0", Driver: "gps", State: status.Unusable, Signal: refclock.Signal{
				State: refclock.Receiving, Text: "no fix yet; give the antenna a view of the sky", GNSS: &refclock.GNSS{Fix: refclock.NoFix}}}}}
	}},
	{name: "alert", read: "14:08:37", change: func(s *status.Status, _ refclock.Instant) {
		s.Alerts = []status.Alert{{Code: "leap-file", Severity: status.Info, Text: "The leap-second list expires in 58 days.",
			Mend: "Install a newer tzdata, or let the receiver announce leap seconds."}}
	}},
	{name: "leap-second", at: refclock.Date(2016, 12, 31, 23, 59, 60, 0), zone: "UTC", read: "23:59:60",
		change: func(s *status.Status, _ refclock.Instant) {
			s.EpochInstant = refclock.Date(2016, 12, 31, 23, 59, 59, 500e6).Instant(36)
			s.Leap, s.LeapAt = refclock.LeapInsert, refclock.Date(2016, 12, 31, 23, 59, 60, 0).Instant(36)
		}},
	{name: "twelve-hour", at: refclock.Date(2026, 9, 30, 15, 35, 9, 0), zone: "Asia/Kolkata", read: "09:05:09",
		change: func(s *status.Status, _ refclock.Instant) { s.MaxError = 1380 * time.Nanosecond },
		config: func(c *display.Config) { c.TwelveHour, c.Accent = true, "#4aa8ff" }},
}

// frame is what a scene's second looks like to a face.
func (sc scene) frame(t testing.TB) face.Frame {
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
	s := &status.Status{
		Epoch: 1_000_000_000, EpochInstant: now.Add(-300 * time.Millisecond), FrequencyPPM: 3.1,
		Uncertainty95: 9 * time.Millisecond, MaxError: 178 * time.Millisecond, MaxErrorGrowth: 1e-5, MaxErrorLimit: time.Second,
		State: status.Synchronised, Since: now.Add(-time.Hour), Stratum: 1, Selected: "gps0", Leap: refclock.LeapNone,
		Sources: []status.Source{{Name: "gps0", Driver: "gps", State: status.Selected,
			Explanation: "gps0 is followed: it is the only source with valid time",
			Signal: refclock.Signal{State: refclock.Timing, GNSS: &refclock.GNSS{
				Fix: refclock.Fix3D, SatellitesUsed: 9, Satellites: make([]refclock.Satellite, 14)}}}},
	}
	if sc.change != nil {
		sc.change(s, now)
	}
	cfg := display.DefaultConfig()
	if sc.config != nil {
		sc.config(&cfg)
	}
	return display.Tick{Status: s, Second: refclock.Instant{TAI: now.TAI}}.Frame(cfg, loc, "Studio 2")
}

// TestGolden holds every scene against a stored picture, and reads the digits back.
func TestGolden(t *testing.T) {
	for _, sc := range scenes {
		f := sc.frame(t)
		sizes := []image.Point{{800, 480}, {480, 800}}
		if sc.large {
			sizes = append(sizes, image.Pt(1920, 1080))
		}
		for _, size := range sizes {
			name := fmt.Sprintf("%s-%dx%d", sc.name, size.X, size.Y)
			t.Run(name, func(t *testing.T) {
				img := render(f, size.X, size.Y)
				compare(t, filepath.Join("testdata", name+".png"), img)
				if sc.read == "" {
					return
				}
				h, m, s, err := readback.Read(img)
				if got := fmt.Sprintf("%02d:%02d:%02d", h, m, s); err != nil || got != sc.read {
					t.Errorf("the digits read %s (%v), want %s", got, err, sc.read)
				}
			})
		}
	}
}

// perThousand is how many pixels of a thousand may differ: processors round differently.
const perThousand = 1

func compare(t *testing.T, file string, got image.Image) {
	t.Helper()
	if *update {
		var b bytes.Buffer
		encoder := png.Encoder{CompressionLevel: png.BestCompression}
		if err := encoder.Encode(&b, got); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	defer in.Close()
	want, err := png.Decode(in)
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds().Size() != want.Bounds().Size() {
		t.Fatalf("%v pixels, want %v", got.Bounds().Size(), want.Bounds().Size())
	}
	different, area := differences(got, want), want.Bounds().Dx()*want.Bounds().Dy()
	if different*1000 > area*perThousand {
		actual := filepath.Join(os.TempDir(), "timestation-"+filepath.Base(file))
		if out, err := os.Create(actual); err == nil {
			_ = png.Encode(out, got)
			out.Close()
		}
		t.Errorf("%d of %d pixels differ; look at %s, and write %s anew with -update if it is better", different, area, actual, file)
	}
}
