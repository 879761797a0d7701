//go:build race

package screen

// underRace: the race detector maps more memory than any limit allows.
const underRace = true
