//go:build linux && !arm && !386

package clock

import "golang.org/x/sys/unix"

func get(id int32) int64 {
	var ts unix.Timespec
	// These clocks exist on every kernel since 2.6.39; there is no error to report.
	_ = unix.ClockGettime(id, &ts)
	return ts.Nano()
}
