package config

import (
	"fmt"
	"strings"
)

// suggest ends a refusal: the known name that was probably meant, or all of them.
func suggest(name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return "; known are " + strings.Join(known, ", ")
}

// elsewhere tells in which sections a misplaced key would be at home.
func elsewhere(name string, sections []section) string {
	var homes []string
	for _, s := range sections {
		for _, k := range keysOf(s.target) {
			if k.name == name {
				homes = append(homes, s.title())
			}
		}
	}
	if len(homes) == 0 {
		return ""
	}
	return "; it belongs in " + strings.Join(homes, " or ")
}

// nearest is the closest known name within a third of the length in edits, at least one.
func nearest(name string, known []string) string {
	best, limit := "", max(1, len(name)/3)
	for _, k := range known {
		if d := distance(name, k); d <= limit {
			best, limit = k, d-1
		}
	}
	return best
}

// distance is how many letters must be put in, taken out, changed or swapped with their neighbour to make b of a
// (optimal string alignment).
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
