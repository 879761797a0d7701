//go:build race

package receiver

// underRace: the race detector makes everything ten times slower.
const underRace = true
