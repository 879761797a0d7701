//go:build race

package engine

// underRace: the race detector makes a day of virtual time last minutes, and finds nothing in its later hours.
const underRace = true
