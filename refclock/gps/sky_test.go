package gps

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestIdentify: every dialect's numbers find their constellation.
func TestIdentify(t *testing.T) {
	for _, c := range []struct {
		talker         string
		system, number int
		want           string
	}{
		{"GP", 0, 7, "GPS"}, {"GP", 0, 44, "SBAS"}, {"GP", 0, 133, "SBAS"}, {"GP", 0, 194, "QZSS"}, {"GP", 1, 44, "SBAS"},
		{"GN", 0, 32, "GPS"}, {"GN", 0, 82, "GLONASS"}, {"GN", 0, 303, "Galileo"}, {"GN", 0, 412, "BeiDou"},
		{"GN", 0, 206, "BeiDou"}, {"GN", 2, 67, "GLONASS"}, {"GN", 3, 5, "Galileo"}, {"GN", 3, 132, "Galileo"},
		{"GN", 4, 30, "BeiDou"}, {"GN", 5, 2, "QZSS"}, {"GN", 6, 3, "NavIC"},
		{"GL", 0, 70, "GLONASS"}, {"GL", 0, 5, "GLONASS"}, {"GL", 0, 38, "SBAS"},
		{"GA", 0, 36, "Galileo"}, {"GB", 0, 42, "BeiDou"}, {"BD", 0, 3, "BeiDou"}, {"GQ", 0, 2, "QZSS"}, {"GI", 0, 4, "NavIC"},
	} {
		if got := constellations[identify(c.talker, c.system, c.number).constellation]; got != c.want {
			t.Errorf("%s, system %d, number %d: %s, want %s", c.talker, c.system, c.number, got, c.want)
		}
	}
}

// TestSky: one satellite heard on two signals is one satellite with the better C/N0; a list with a lost sentence does not
// replace the last whole one; what the receiver no longer lists is forgotten.
func TestSky(t *testing.T) {
	l, out := newTestLine(38400)
	burst := func(sentences ...string) string {
		l.second(rmc(fmt.Sprintf("1328%02d.00", l.now/1e9%60), "A", "180320") + strings.Join(sentences, ""))
		l.idle(300 * time.Millisecond)
		var list []string
		for _, s := range out.Last().GNSS.Satellites {
			list = append(list, fmt.Sprintf("%s %d %d/%d %.0f %t", s.Constellation, s.PRN, s.Elevation, s.Azimuth, s.CN0, s.Used))
		}
		return strings.Join(list, ", ")
	}
	used := sentence("GNGSA,A,3,05,,,,,,,,,,,,1.5,0.9,1.2,1") + sentence("GNGSA,A,3,05,,,,,,,,,,,,1.5,0.9,1.2,3")
	l1 := sentence("GPGSV,2,1,05,05,40,083,31,07,,,22,08,10,020,,09,11,021,,1") + sentence("GPGSV,2,2,05,44,25,180,36,1")
	l5 := sentence("GPGSV,1,1,01,05,40,083,38,8")
	e1 := sentence("GAGSV,1,1,01,05,61,237,35,7")
	const gps = "GPS 5 40/83 38 true, GPS 7 -1/-1 22 false, GPS 8 10/20 0 false, GPS 9 11/21 0 false, "
	const whole = gps + "Galileo 5 61/237 35 true, SBAS 44 25/180 36 false"
	if got := burst(used, l1, l5, e1); got != whole {
		t.Errorf("\n%s, want\n%s", got, whole)
	}
	if n := out.Last().GNSS.SatellitesUsed; n != 2 {
		t.Errorf("%d used", n)
	}
	torn := sentence("GPGSV,3,1,09,01,01,001,41,02,01,001,42,03,01,001,43,04,01,001,44,1") + sentence("GPGSV,3,3,09,06,01,001,46,1")
	if got := burst(used, torn); got != whole {
		t.Errorf("after a torn list\n%s, want\n%s", got, whole)
	}
	for range 100 {
		burst(l5)
	}
	if got, want := burst(l5), "GPS 5 40/83 38 false"; got != want {
		t.Errorf("100 s later\n%s, want\n%s", got, want)
	}
}
