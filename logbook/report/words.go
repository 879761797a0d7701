package report

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// utc writes a moment to the second.
func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// size writes a length of time in a unit in which it reads well, with three digits.
func size(seconds float64) string {
	for _, u := range []struct {
		name string
		size float64
	}{{"s", 1}, {"ms", 1e-3}, {"µs", 1e-6}} {
		if math.Abs(seconds) >= u.size*0.9995 {
			return figures(seconds/u.size) + " " + u.name
		}
	}
	return figures(seconds*1e9) + " ns"
}

// figures writes a number with three digits, without an exponent.
func figures(v float64) string {
	switch a := math.Abs(v); {
	case a >= 99.95 || a == 0:
		return fmt.Sprintf("%.0f", v)
	case a >= 9.995:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func signed(seconds float64) string {
	if seconds < 0 {
		return "−" + size(-seconds)
	}
	return "+" + size(seconds)
}

// long writes a duration in its two largest units.
func long(d time.Duration) string {
	if d == 0 {
		return "0 s"
	}
	if d < 10*time.Second {
		return size(d.Seconds())
	}
	d = d.Round(time.Second)
	var words []string
	for _, u := range []struct {
		name string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}} {
		if n := d / u.size; n > 0 && len(words) < 2 {
			words = append(words, fmt.Sprintf("%d %s", n, u.name))
		} else if len(words) == 1 {
			break
		}
		d %= u.size
	}
	return strings.Join(words, " ")
}

// percent writes a share, cut and not rounded, so that nothing but the whole is ever 100 %.
func percent(part, whole float64) string {
	if whole <= 0 {
		return "0 %"
	}
	p := 100 * part / whole
	switch {
	case p >= 100-1e-9:
		return "100 %"
	case p <= 0:
		return "0 %"
	case p < 0.001:
		return "under 0.001 %"
	}
	return fmt.Sprintf("%.3f %%", math.Floor(p*1000)/1000)
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}

// grouped writes a number with its thousands apart.
func grouped(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return digits
}
