package panel

import (
	"math"
	"testing"
	"time"

	"timestation/display/draw"
	"timestation/display/words"
	"timestation/engine/status"
	"timestation/refclock"
)

// TestSunriseAndSunset against the tables of the US Naval Observatory and the HM Nautical Almanac Office, to two minutes.
func TestSunriseAndSunset(t *testing.T) {
	for _, test := range []struct {
		name, zone string
		at         place
		day        time.Time
		rise, set  string
	}{
		{"London, the longest day", "Europe/London", place{51.5, -0.1167}, time.Date(2026, 6, 21, 0, 0, 0, 0, time.UTC), "04:43", "21:22"},
		{"London, the shortest day", "Europe/London", place{51.5, -0.1167}, time.Date(2026, 12, 21, 0, 0, 0, 0, time.UTC), "08:04", "15:54"},
		{"Washington, the equinox", "America/New_York", place{38.9, -77.0}, time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC), "07:12", "19:20"},
		{"Sydney, the longest day", "Australia/Sydney", place{-33.87, 151.2}, time.Date(2026, 12, 22, 0, 0, 0, 0, time.UTC), "05:41", "20:06"},
	} {
		loc, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		noon := time.Date(test.day.Year(), test.day.Month(), test.day.Day(), 12, 0, 0, 0, loc)
		d := sunshine(test.at, noon)
		for _, c := range []struct {
			got  time.Time
			want string
		}{{d.rise, test.rise}, {d.set, test.set}} {
			w, err := time.ParseInLocation("2006-01-02 15:04", noon.Format("2006-01-02 ")+c.want, loc)
			if err != nil {
				t.Fatal(err)
			}
			if off := c.got.Sub(w).Abs(); off > 2*time.Minute+30*time.Second {
				t.Errorf("%s: %s, want %s", test.name, c.got.Format(time.TimeOnly), c.want)
			}
		}
	}
	tromsø := place{69.65, 18.96}
	if d := sunshine(tromsø, time.Date(2026, 6, 21, 12, 0, 0, 0, time.UTC)); !d.rise.IsZero() || !d.set.IsZero() || !d.up {
		t.Errorf("the midnight sun of Tromsø: %+v", d)
	}
	if d := sunshine(tromsø, time.Date(2026, 12, 21, 12, 0, 0, 0, time.UTC)); !d.rise.IsZero() || !d.set.IsZero() || d.up {
		t.Errorf("the polar night of Tromsø: %+v", d)
	}
}

func TestOverhead(t *testing.T) {
	// Meeus, Astronomical Algorithms, example 25.a: the sun's declination on 1992-10-13 at 0 h TD is -7.785°.
	if got := overhead(time.Date(1992, 10, 13, 0, 0, 0, 0, time.UTC)).lat; math.Abs(got+7.785) > 0.02 {
		t.Errorf("declination %.3f°, want -7.785°", got)
	}
	// At noon UTC it stands over Greenwich but for the equation of time, +16.4 min at the beginning of November.
	if got := overhead(time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)).lon; math.Abs(got+16.4/4) > 0.1 {
		t.Errorf("longitude %.2f°, want %.2f°", got, -16.4/4)
	}
}

func TestLocator(t *testing.T) {
	for _, test := range []struct {
		at   place
		want string
	}{
		{place{48.14666, 11.60833}, "JN58td"}, // Munich, the example of J. Schultz, QST 1/1989
		{place{-34.91, -56.21166}, "GF15vc"},  // Montevideo, the same
		{place{38.92, -77.065}, "FM18lw"},     // Washington, the same
		{place{52.5163, 13.3777}, "JO62qm"}, {place{-90, -180}, "AA00aa"}, {place{90, 180}, "RR99xx"},
	} {
		if got := locator(test.at); got != test.want {
			t.Errorf("%v: %s, want %s", test.at, got, test.want)
		}
	}
}

// FuzzLocator: the locator's square holds the place.
func FuzzLocator(f *testing.F) {
	f.Add(48.14666, 11.60833)
	f.Add(-90.0, 180.0)
	f.Fuzz(func(t *testing.T, lat, lon float64) {
		if !(math.Abs(lat) < 90) || !(math.Abs(lon) < 180) {
			return
		}
		l := locator(place{lat, lon})
		west := 20*float64(l[0]-'A') + 2*float64(l[2]-'0') + float64(l[4]-'a')/12 - 180
		south := 10*float64(l[1]-'A') + float64(l[3]-'0') + float64(l[5]-'a')/24 - 90
		const slack = 1e-6
		if lon < west-slack || lon > west+1.0/12+slack || lat < south-slack || lat > south+1.0/24+slack {
			t.Errorf("%v, %v is not in %s", lat, lon, l)
		}
	})
}

// TestWorldIsLitByTheSun: noon is bright, midnight dark, land differs from sea, and the map wraps nowhere.
func TestWorldIsLitByTheSun(t *testing.T) {
	theme := draw.Dark
	now := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
	img := paintWorld(theme, 720, 284, now)
	at := func(p place) (sum int) {
		box := onMap(draw.Box{W: 720, H: 284}, p)
		c := img.NRGBAAt(int(box.X), int(box.Y))
		return int(c.R) + int(c.G) + int(c.B)
	}
	africa, atlantic, australia, pacific := at(place{10, 20}), at(place{10, -30}), at(place{-25, 133}), at(place{-20, -150})
	if africa <= australia || atlantic <= pacific {
		t.Errorf("the day is not brighter than the night: land %d and %d, sea %d and %d", africa, australia, atlantic, pacific)
	}
	if africa == atlantic || australia == pacific {
		t.Error("land looks like sea")
	}
}

// TestConfiguredPositionStandsIn: without a fix the locator is that of the configuration, and with one that of the receiver.
func TestConfiguredPositionStandsIn(t *testing.T) {
	in := inputOf(&status.Status{}, words.English)
	in.Position = &refclock.Position{Latitude: 48.137, Longitude: 11.575}
	if at, ok := in.position(); !ok || locator(at) != "JN58sd" {
		t.Errorf("%v %v", at, ok)
	}
	in.Status.Sources = []status.Source{{Name: "gps0", Driver: "gps", State: status.Selected,
		Signal: refclock.Signal{GNSS: &refclock.GNSS{Fix: refclock.Fix3D, Latitude: 52.5163, Longitude: 13.3777}}}}
	if at, ok := in.position(); !ok || locator(at) != "JO62qm" {
		t.Errorf("%v %v", at, ok)
	}
}
