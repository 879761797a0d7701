package demo

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"timestation/refclock/dcf77"
	"timestation/refclock/longwave"
)

// radioNoise is how many of the 10 ms of a DCF77 module's output are inverted: enough that a second is sometimes in doubt.
const radioNoise = 0.08

// WriteRadio writes what a DCF77 module with some noise would give from a second of UTC on, as the scope lines that driver
// replay plays.
func WriteRadio(w io.Writer, begin time.Time, length time.Duration) error {
	code := dcf77.Code
	random := rand.New(rand.NewPCG(77, 500))
	b := bufio.NewWriter(w)
	var symbols [60]longwave.Symbol
	for n := range int(length / time.Second) {
		at := begin.Add(time.Duration(n) * time.Second)
		if n == 0 || at.Second() == 0 {
			symbols = code.Encode(code.At(at.Truncate(time.Minute)))
		}
		symbol := symbols[at.Second()]
		if int(symbol) >= len(code.Shapes) { // anybody's bits, and the call for service
			symbol = code.Zero
		}
		active := 0
		for _, on := range code.Shapes[symbol].On {
			active = on[1] / longwave.BinMilliseconds
		}
		fmt.Fprintf(b, "%d, ", n)
		for bin := range 1000 / longwave.BinMilliseconds {
			level := byte('-')
			if bin < active != (random.Float64() < radioNoise) {
				level = 'X'
			}
			b.WriteByte(level)
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}
