package edge

import (
	"fmt"
	"strconv"
	"time"
)

// Bias is the resistor inside the chip.
type Bias string

// The biases; AsIs leaves what the boot configuration set.
const (
	AsIs     Bias = ""
	PullUp   Bias = "pull-up"
	PullDown Bias = "pull-down"
	Disabled Bias = "disabled"
)

// longestDebounce is the most that a time signal survives: the shortest pulses that mean something are 100 ms long.
const longestDebounce = 50 * time.Millisecond

// Options say which line, and how it is wired.
type Options struct {
	// Chip is a GPIO chip, such as gpiochip0 or /dev/gpiochip0. It may be empty where Line is a name.
	Chip string
	// Line is the line's number on the chip, such as "18", or the name that the kernel gives it, such as "GPIO18". A name
	// without a chip is looked for on all of them: on a Raspberry Pi it is the same line on every model.
	Line string
	// ActiveLow: a low level counts as active.
	ActiveLow bool
	Bias      Bias
	// Debounce is for how long a level must stand to count. The kernel stamps an edge at the end of this time, and later
	// by what its work queue takes: leave it 0 where the stamp matters.
	Debounce time.Duration
	// Consumer is what others see as the line's user; "timestation" where it is empty.
	Consumer string
}

// Validate names the first impossible value by its key in a configuration.
func (o Options) Validate() error {
	_, notNumber := strconv.ParseUint(o.Line, 10, 32)
	switch {
	case o.Line == "":
		return fmt.Errorf(`line: is missing; write the name of the GPIO line, for instance "GPIO18"`)
	case o.Chip == "" && notNumber == nil:
		return fmt.Errorf(`line: %s is a number, and there may be several chips; write the name "GPIO%s", or add chip = "gpiochip0"`, o.Line, o.Line)
	case o.Bias != AsIs && o.Bias != PullUp && o.Bias != PullDown && o.Bias != Disabled:
		return fmt.Errorf("bias: %q is not known; write %q, %q or %q, or leave it out", o.Bias, PullUp, PullDown, Disabled)
	case o.Debounce < 0 || o.Debounce > longestDebounce:
		return fmt.Errorf("debounce_seconds: %v is not between 0 and %v", o.Debounce.Seconds(), longestDebounce.Seconds())
	}
	return nil
}

// String names the line for messages.
func (o Options) String() string {
	if o.Chip == "" {
		return "GPIO line " + o.Line
	}
	return o.Chip + " line " + o.Line
}
