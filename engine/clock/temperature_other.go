//go:build !linux

package clock

// Temperature reads the sensor nearest to the oscillator: nowhere but on Linux.
func Temperature() (celsius float64, ok bool) { return 0, false }
