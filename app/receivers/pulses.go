package receivers

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// pulses counts the pulses of every PPS device for a few seconds. The kernel shows each one's last pulse in sysfs, which
// everybody may read and which never blocks.
func (p Probes) pulses(ctx context.Context) []Finding {
	folders, err := os.ReadDir(p.PulseFolder)
	if err != nil || len(folders) == 0 {
		return nil
	}
	heard := make([]pulseCount, len(folders))
	const poll = 50 * time.Millisecond
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for range pulsesFor/poll + 1 {
		for i, f := range folders {
			for _, edge := range []string{"assert", "clear"} {
				raw, _ := os.ReadFile(filepath.Join(p.PulseFolder, f.Name(), edge)) // absent where the source has no such edge
				heard[i].take(edge, string(raw))
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
	var found []Finding
	for i, f := range folders {
		found = append(found, heard[i].describe("/dev/"+f.Name()))
	}
	return found
}

// pulseCount is what was seen of one device, on its busier edge.
type pulseCount struct {
	edge  [2]edgeCount
	names [2]string
}

type edgeCount struct {
	seen     bool
	sequence uint64
	// offsets are the distances of the pulses from the nearest second of this machine's clock, in seconds.
	offsets []float64
}

// take takes what sysfs shows, such as "1763813317.000004239#42": the stamp of the last edge and its number.
func (c *pulseCount) take(name, raw string) {
	stamp, number, ok := strings.Cut(strings.TrimSpace(raw), "#")
	whole, fraction, ok2 := strings.Cut(stamp, ".")
	sequence, err := strconv.ParseUint(number, 10, 64)
	if !ok || !ok2 || err != nil || whole == "" {
		return
	}
	within, err := strconv.ParseFloat("0."+fraction, 64)
	if err != nil {
		return
	}
	i := 0
	if name == "clear" {
		i = 1
	}
	e := &c.edge[i]
	c.names[i] = name
	if e.seen && sequence != e.sequence {
		e.offsets = append(e.offsets, within-math.Round(within))
	}
	e.seen, e.sequence = true, sequence
}

func (c *pulseCount) describe(device string) Finding {
	f := Finding{Device: device, Kind: "pps"}
	best := 0
	if len(c.edge[1].offsets) > len(c.edge[0].offsets) {
		best = 1
	}
	offsets := c.edge[best].offsets
	if len(offsets) == 0 {
		f.Text, f.Mend = "no pulse comes", "many receivers pulse only while they have a fix; check the wire and the line in dtoverlay=pps-gpio"
		return f
	}
	f.Delivers = true
	sum, squares := 0.0, 0.0
	for _, o := range offsets {
		sum += o - math.Round(o-offsets[0])
	}
	mean := sum / float64(len(offsets))
	for _, o := range offsets {
		off := o - math.Round(o-offsets[0]) - mean
		squares += off * off
	}
	scatter := math.Sqrt(squares / float64(max(len(offsets)-1, 1)))
	f.AfterSeconds, f.ScatterSeconds = &mean, &scatter
	side := "after"
	if mean < 0 {
		side = "before"
	}
	f.Text = fmt.Sprintf("%d pulses in %v (%s), %s ± %s %s the second of this machine's clock", len(offsets), pulsesFor, c.names[best],
		brief(math.Abs(mean)), brief(scatter), side)
	return f
}

// brief writes seconds with the unit that suits them.
func brief(s float64) string {
	switch {
	case s >= 1e-3:
		return fmt.Sprintf("%.1f ms", s*1e3)
	case s >= 1e-6:
		return fmt.Sprintf("%.1f µs", s*1e6)
	}
	return fmt.Sprintf("%.0f ns", s*1e9)
}
