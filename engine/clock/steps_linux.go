package clock

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Steps sends whenever somebody sets the system clock, at once, so that the engine need not wait for its next reading. A
// resume from suspend counts too. The channel is closed when ctx ends.
func Steps(ctx context.Context) (<-chan struct{}, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("timerfd: %w; steps of the system clock are seen with the next reading only", err)
	}
	file := os.NewFile(uintptr(fd), "timerfd")
	if err := arm(fd); err != nil {
		file.Close()
		return nil, err
	}
	steps := make(chan struct{}, 1)
	stop := context.AfterFunc(ctx, func() { file.Close() })
	go func() {
		defer close(steps)
		defer stop()
		defer file.Close()
		watch(func() error {
			var expired [8]byte
			_, err := file.Read(expired[:])
			return err
		}, steps)
	}()
	return steps, nil
}

// watch reads until that fails in another way than by a step.
func watch(read func() error, steps chan<- struct{}) {
	for {
		if err := read(); !errors.Is(err, unix.ECANCELED) {
			return
		}
		select {
		case steps <- struct{}{}:
		default: // the last one has not been looked at yet
		}
	}
}

// arm sets the timer to the end of time, to be cancelled by any step (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET).
func arm(fd int) error {
	never := struct{ everySeconds, everyNanoseconds, seconds, nanoseconds int64 }{seconds: math.MaxInt64 / int64(time.Second)}
	const flags = unix.TFD_TIMER_ABSTIME | unix.TFD_TIMER_CANCEL_ON_SET
	if _, _, errno := unix.Syscall6(timerfdSettime64, uintptr(fd), flags, uintptr(unsafe.Pointer(&never)), 0, 0, 0); errno != 0 {
		return fmt.Errorf("timerfd_settime: %w; steps of the system clock are seen with the next reading only", errno)
	}
	return nil
}
