package automation

import (
	"fmt"
	"strconv"

	"github.com/warthog618/go-gpiocdev"

	"timestation/refclock/edge"
)

// OpenOutput takes a line, such as Options gives, and drives it inactive.
func OpenOutput(o edge.Options) (Output, error) {
	chip, offset := o.Chip, 0
	if number, err := strconv.Atoi(o.Line); err == nil {
		offset = number
	} else if chip, offset, err = gpiocdev.FindLine(o.Line); err != nil {
		return nil, fmt.Errorf("%v: no chip has a line of that name; gpioinfo lists them", o)
	}
	line, err := gpiocdev.RequestLine(chip, offset, gpiocdev.AsOutput(0), gpiocdev.WithConsumer(o.Consumer))
	if err != nil {
		return nil, fmt.Errorf("%v: it cannot be driven: %w; gpioinfo says who uses it", o, err)
	}
	return output{line}, nil
}

type output struct{ line *gpiocdev.Line }

func (o output) Set(active bool) error {
	value := 0
	if active {
		value = 1
	}
	return o.line.SetValue(value)
}

func (o output) Close() error { return o.line.Close() }
