package stability

import (
	"encoding/binary"
	"math"
	"testing"
	"time"
)

// FuzzStatistics holds every statistic of a small series of arbitrary phases, gaps and breaks to its definition.
func FuzzStatistics(f *testing.F) {
	f.Add([]byte{1, 0, 2, 0, 4, 0, 8, 0, 255, 255, 16, 0, 254, 255, 3, 0})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		s := Series{Tau0Seconds: 16}
		for len(data) >= 2 && len(s.Phase) < 60 {
			v := binary.LittleEndian.Uint16(data)
			data = data[2:]
			switch v >> 8 {
			case 255: // a hole
				s.Phase = append(s.Phase, []float64{math.NaN(), math.Inf(1), math.Inf(-1)}[v%3])
			case 254: // a break, at any index
				s.Breaks = append(s.Breaks, int(v&255)-50)
			default:
				s.Phase = append(s.Phase, float64(int16(v)))
			}
		}
		checkAgainstBrute(t, s, 1<<16)
		a := Analyse(s, Octave.Factors(len(s.Phase)))
		checkSVG(t, a.FrequencyPlot("fuzz"))
		checkSVG(t, a.TimePlot("fuzz"))
	})
}

// FuzzRegular: whatever the rows, none is lost unsaid and none is moved further than half the interval.
func FuzzRegular(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0}, int64(16))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 127, 0, 0, 0, 0, 0, 0, 0, 128}, int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, data []byte, interval int64) {
		var times []int64
		var phase []float64
		for ; len(data) >= 8; data = data[8:] {
			ns := int64(binary.LittleEndian.Uint64(data))
			if interval > 0 && interval < 1<<40 {
				ns %= interval * 1000 // so that most grids are laid, and small
			}
			times = append(times, ns)
			phase = append(phase, float64(data[0]))
		}
		s, grid, err := Regular(times, phase, time.Duration(interval))
		if err != nil || len(times) == 0 {
			return
		}
		if here := len(s.Phase) - s.Missing(); here+grid.Merged+grid.Unusable != grid.Rows || grid.Holes != s.Missing() {
			t.Fatalf("%d points here, %d missing, of %+v", here, s.Missing(), grid)
		}
		if grid.WorstShift > time.Duration(interval/2+1) {
			t.Fatalf("a row was moved by %v on a grid of %v", grid.WorstShift, time.Duration(interval))
		}
	})
}

// FuzzTimeline: whatever the rows, the picture is XML and its coordinates are numbers.
func FuzzTimeline(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9}, "title")
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 127, 255, 255, 255, 255, 255, 255, 239, 127}, "<&\xff")
	f.Fuzz(func(t *testing.T, data []byte, title string) {
		timeline := Timeline{Gap: time.Minute}
		for i := 0; len(data) >= 8; i, data = i+1, data[8:] {
			v := binary.LittleEndian.Uint64(data)
			switch i % 3 {
			case 0:
				timeline.TimesNS = append(timeline.TimesNS, int64(v))
			case 1:
				timeline.OffsetSeconds = append(timeline.OffsetSeconds, math.Float64frombits(v))
			case 2:
				timeline.BoundSeconds = append(timeline.BoundSeconds, math.Float64frombits(v))
			}
		}
		checkSVG(t, TimelinePlot(title, timeline))
	})
}
