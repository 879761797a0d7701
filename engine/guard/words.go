package guard

import (
	"fmt"
	"math"
	"strings"
)

// amount says a time in seconds as a person would, with about three digits.
func amount(seconds float64) string {
	units := []struct {
		size float64
		name string
	}{{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}}
	for _, u := range units {
		if n := seconds / u.size; math.Abs(n) >= 1000 {
			return fmt.Sprintf("%.0f %s", n, u.name)
		} else if math.Abs(n) >= 0.9995 { // what is rounded to 1000 of the smaller unit is 1 of this one
			return fmt.Sprintf("%.3g %s", n, u.name)
		}
	}
	return fmt.Sprintf("%.3g ns", seconds*1e9)
}

// sentence joins names as a sentence does.
func sentence(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}
