package stability

import (
	"fmt"
	"slices"
)

// Taus is a way of spacing the averaging times of an analysis.
type Taus string

const (
	// Octave is 1, 2, 4, 8, … times the interval of the series.
	Octave Taus = "octave"
	// Decade is 1, 2, 4, 10, 20, 40, 100, … times.
	Decade Taus = "decade"
	// All is every multiple: the work grows with the square of the length.
	All Taus = "all"
)

// ParseTaus reads a spacing by its name.
func ParseTaus(name string) (Taus, error) {
	if t := Taus(name); slices.Contains([]Taus{Octave, Decade, All}, t) {
		return t, nil
	}
	return "", fmt.Errorf("taus: %q is not a spacing of averaging times; write octave, decade or all", name)
}

// Factors lists, ascending, the averaging factors m (the averaging time is m intervals) below a number of points. Each
// statistic leaves out those that its own span does not allow.
func (t Taus) Factors(points int) []int {
	var factors []int
	switch t {
	case All:
		for m := 1; m < points; m++ {
			factors = append(factors, m)
		}
	case Decade:
		for decade := 1; decade < points; decade *= 10 {
			for _, k := range []int{1, 2, 4} {
				if k*decade < points {
					factors = append(factors, k*decade)
				}
			}
		}
	default:
		for m := 1; m < points; m *= 2 {
			factors = append(factors, m)
		}
	}
	return factors
}

// ascending gives the factors from 1 up, each once.
func ascending(factors []int) []int {
	sorted := slices.Compact(slices.Sorted(slices.Values(factors)))
	first, _ := slices.BinarySearch(sorted, 1)
	return sorted[first:]
}
