package panel

import (
	"math"
	"time"
)

// place is a place on the earth in degrees, north and east positive.
type place struct{ lat, lon float64 }

const degree = math.Pi / 180

// overhead is where the sun stands overhead at a moment, right to 0.02° between 1950 and 2050: the low-precision formula of
// the Astronomical Almanac, section C.
func overhead(t time.Time) place {
	n := float64(t.Unix())/86400 + 2440587.5 - 2451545
	mean := math.Mod(280.460+0.9856474*n, 360)
	anomaly := math.Mod(357.528+0.9856003*n, 360) * degree
	ecliptic := (mean + 1.915*math.Sin(anomaly) + 0.020*math.Sin(2*anomaly)) * degree
	obliquity := (23.439 - 0.0000004*n) * degree
	ascension := math.Atan2(math.Cos(obliquity)*math.Sin(ecliptic), math.Cos(ecliptic)) / degree
	sidereal := math.Mod(280.46062+360.98564737*n, 360)
	return place{math.Asin(math.Sin(obliquity)*math.Sin(ecliptic)) / degree, turned(ascension - sidereal)}
}

// turned is an angle in degrees between -180 and 180.
func turned(a float64) float64 { return a - 360*math.Round(a/360) }

// altitude is how high the sun stands above the horizon of a place, in degrees, without refraction.
func altitude(sun, at place) float64 {
	sine := math.Sin(at.lat*degree)*math.Sin(sun.lat*degree) +
		math.Cos(at.lat*degree)*math.Cos(sun.lat*degree)*math.Cos((at.lon-sun.lon)*degree)
	return math.Asin(min(max(sine, -1), 1)) / degree
}

// horizon is the altitude of the sun's centre when its upper edge rises or sets, in degrees: refraction and half of its width.
const horizon = -0.833

// daylight is what the sun does on one day. up tells whether it is above the horizon all day where neither rise nor set is
// known.
type daylight struct {
	rise, set time.Time // zero where there is none
	up        bool
}

// sunshine finds sunrise and sunset of the local day that a moment lies in, to the second.
func sunshine(at place, now time.Time) daylight {
	const step = 10 * time.Minute
	above := func(t time.Time) bool { return altitude(overhead(t), at) > horizon }
	begin := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	end := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location())
	d := daylight{up: above(begin)}
	was := d.up
	for t := begin; t.Before(end); t = t.Add(step) {
		next := t.Add(step)
		is := above(next)
		if is == was {
			continue
		}
		low, high := t, next
		for high.Sub(low) > time.Second {
			middle := low.Add(high.Sub(low) / 2)
			if above(middle) == was {
				low = middle
			} else {
				high = middle
			}
		}
		if is && d.rise.IsZero() {
			d.rise = high
		} else if !is && d.set.IsZero() {
			d.set = high
		}
		was = is
	}
	return d
}

// locator is the Maidenhead locator of a place, six characters: a field of 20° by 10°, a square, a subsquare of 5' by 2.5'
// (IARU Region 1 VHF Managers Handbook).
func locator(at place) string {
	lon := min(max(at.lon+180, 0), 359.999999)
	lat := min(max(at.lat+90, 0), 179.999999)
	letter := func(base byte, v float64) byte { return base + byte(v) }
	return string([]byte{
		letter('A', lon/20), letter('A', lat/10),
		letter('0', math.Mod(lon, 20)/2), letter('0', math.Mod(lat, 10)),
		letter('a', math.Mod(lon, 2)*12), letter('a', math.Mod(lat, 1)*24),
	})
}
