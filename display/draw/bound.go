package draw

import (
	"fmt"
	"math"
	"time"
)

// FormatBound writes an error bound with two significant digits, rounded up so that it still holds: "±180 ms",
// "±1.4 µs". Whole nanoseconds are the finest it knows.
func FormatBound(d time.Duration) string {
	units := []struct {
		name  string
		scale time.Duration
		limit float64 // of this unit, where the next takes over
	}{
		{"ns", 1, 1000}, {"µs", time.Microsecond, 1000}, {"ms", time.Millisecond, 1000}, {"s", time.Second, 100},
		{"min", time.Minute, 100}, {"h", time.Hour, 48}, {"d", 24 * time.Hour, math.Inf(1)},
	}
	d = max(d, 0)
	for _, u := range units {
		decimals, step := 0, float64(u.scale)
		for float64(d) > 99*step {
			step *= 10
		}
		if float64(d) <= 9.9*step && step == float64(u.scale) && u.scale > 1 {
			decimals, step = 1, step/10
		}
		v := math.Ceil(float64(d)/step) * step / float64(u.scale)
		if v < u.limit {
			return fmt.Sprintf("±%.*f %s", decimals, v, u.name)
		}
	}
	return ""
}

// FormatAge is hours and minutes, and days before them where there are any: "00:12", "3 d 04:05".
func FormatAge(d time.Duration) string {
	minutes := int64(max(d, 0) / time.Minute)
	text := fmt.Sprintf("%02d:%02d", minutes/60%24, minutes%60)
	if days := minutes / (24 * 60); days > 0 {
		text = fmt.Sprintf("%d d %s", days, text)
	}
	return text
}
