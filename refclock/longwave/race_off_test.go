//go:build !race

package longwave_test

const underRace = false
