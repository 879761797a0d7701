package panel

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// unitOf is the unit in which a time of a size is written, and how many seconds it has.
func unitOf(seconds float64) (unit string, scale float64) {
	switch v := math.Abs(seconds); {
	case v < 0.9995e-6:
		return "ns", 1e-9
	case v < 0.9995e-3:
		return "µs", 1e-6
	case v < 0.9995:
		return "ms", 1e-3
	case v < 120:
		return "s", 1
	case v < 7200:
		return "min", 60
	case v < 48*3600:
		return "h", 3600
	}
	return "d", 86400
}

// magnitude is a time in seconds with two or three digits: "12 ns", "2.1 ms", "240 ms".
func magnitude(seconds float64) string {
	unit, scale := unitOf(seconds)
	v := math.Abs(seconds) / scale
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case v == 0:
		return "0 s"
	case v < 9.95 && unit != "ns":
		return fmt.Sprintf("%.1f %s", v, unit)
	}
	return fmt.Sprintf("%.0f %s", v, unit)
}

// signed is a magnitude with its sign.
func signed(seconds float64) string {
	text := magnitude(seconds)
	switch {
	case seconds == 0 || strings.HasPrefix(text, "0 ") || text == "–":
		return text
	case seconds < 0:
		return "−" + text
	}
	return "+" + text
}

// signedFixed is a number with its sign and so many decimals; what is rounded to nothing has none.
func signedFixed(v float64, decimals int) string {
	text := fmt.Sprintf("%+.*f", decimals, v)
	if strings.Trim(text, "+-0.") == "" {
		text = text[1:]
	}
	return minus(text)
}

// minus is a number with the sign that is as wide as the plus.
func minus(s string) string { return strings.ReplaceAll(s, "-", "−") }

// decimals is how many decimals tell ticks apart that are a step from each other.
func decimals(step float64) int {
	if !(step > 0) {
		return 0
	}
	return max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
}

// lasting is a long time in words: "12 s", "21 min", "5 h 50 min", "3 d 4 h".
func lasting(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0f min", math.Floor(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	case d < 30*24*time.Hour:
		return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
	}
	return fmt.Sprintf("%d d", int(d.Hours())/24)
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
