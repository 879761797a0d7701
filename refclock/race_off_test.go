//go:build !race

package refclock_test

const underRace = false
