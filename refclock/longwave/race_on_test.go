//go:build race

package longwave_test

// underRace: the race detector makes everything ten times slower.
const underRace = true
