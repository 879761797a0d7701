//go:build race

package refclock_test

// underRace: the race detector makes everything ten times slower.
const underRace = true
