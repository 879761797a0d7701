// Package radiotest simulates what a long-wave receiver's module gives: a time code, and every kind of noise on it.
package radiotest

import (
	"math"
	"math/rand/v2"
	"time"

	"timestation/refclock/longwave"
)

// Rate is the simulated samples a second.
const Rate = 1000

// Noise is what happens to a signal. Its zero value is a clean signal.
type Noise struct {
	Flip          float64 // probability of a sample to be inverted
	CarrierDBHz   float64 // carrier-to-noise density before envelope detection; 0 is none
	JitterMS      float64 // 1σ of a pulse's length
	Missing       float64 // fraction of the pulses that are lost
	Extra         float64 // pulses a second where none is due
	Bursts        float64 // a minute, of a second of random level
	Stuck         float64 // a minute, of three seconds at one level
	LongerMS      float64 // what every pulse is too long by
	DriftPPM      float64 // how fast the sample clock is
	Inverted      bool
	LostBlocks    float64 // an hour, of blocks of up to 20 s whose samples are not in the recording
	SilentFrom    time.Duration
	SilentTo      time.Duration // no signal from, to
	SilentFlip    float64       // noise meanwhile; 0 is carrier throughout, 0.5 nothing but noise
	NoSignal      bool
	LeapAt        time.Time // the minute after an inserted leap second
	BandHz        float64   // noise of this bandwidth, so strong that it flips BandFlip of the samples
	BandFlip      float64
	CallForRepair bool
}

// Signal is a simulated recording.
type Signal struct {
	Levels []bool
	// true time of each sample that was lost before
	jumps []jump
	begin time.Time
	noise Noise
}

type jump struct {
	sample int
	lost   float64 // seconds in total up to here
}

// At is the true UTC of a sample.
func (s *Signal) At(sample float64) time.Time {
	seconds := sample / Rate / (1 + s.noise.DriftPPM*1e-6)
	lost := 0.0
	for _, j := range s.jumps {
		if sample >= float64(j.sample) {
			lost = j.lost
		}
	}
	t := s.begin.Add(time.Duration((seconds + lost) * 1e9))
	if !s.noise.LeapAt.IsZero() && s.begin.Before(s.noise.LeapAt) && t.After(s.noise.LeapAt) {
		t = t.Add(-time.Second)
		if t.Before(s.noise.LeapAt) {
			t = s.noise.LeapAt
		}
	}
	return t
}

// Simulate makes a recording that begins at a UTC.
func Simulate(code *longwave.Code, begin time.Time, length time.Duration, noise Noise, seed uint64) *Signal {
	r := rand.New(rand.NewPCG(seed, 77))
	s := &Signal{begin: begin, noise: noise}
	total := int(length.Seconds() * Rate)
	on := make([]bool, total+int(length.Hours()*noise.LostBlocks*25+100)*Rate)
	perSecond := Rate * (1 + noise.DriftPPM*1e-6)
	minute := begin.Truncate(time.Minute)
	elapsed := minute.Sub(begin).Seconds()
	for {
		civil := code.At(minute)
		leap := !noise.LeapAt.IsZero()
		if leap && code.Announced > 0 && !minute.Before(noise.LeapAt.Add(-code.Announced)) && minute.Before(noise.LeapAt) {
			civil.Leap = true
		}
		encoded := code.Encode(civil)
		symbols := encoded[:]
		if leap && minute.Add(time.Minute).Equal(noise.LeapAt) {
			symbols = append([]longwave.Symbol{}, symbols[:code.LeapAt]...)
			symbols = append(append(symbols, code.LeapSymbol), encoded[code.LeapAt:]...)
		}
		for i, y := range symbols {
			shape := int(y)
			if shape >= len(code.Shapes) {
				x, mix := r.Float64(), code.Mixes[shape-len(code.Shapes)]
				for shape = range mix {
					if x -= mix[shape]; x < 0 {
						break
					}
				}
				if i == code.CallBit && i > 0 {
					shape = int(code.Zero)
					if noise.CallForRepair {
						shape = int(code.One)
					}
				}
			}
			t := elapsed + float64(i)
			lost := r.Float64() < noise.Missing
			for _, part := range code.Shapes[shape].On {
				from := t + float64(part[0])/1000
				to := t + (float64(part[1])+noise.LongerMS+noise.JitterMS*r.NormFloat64())/1000
				if !lost {
					fill(on, from*perSecond, to*perSecond, true)
				}
			}
			if r.Float64() < noise.Extra {
				from := t + r.Float64()
				fill(on, from*perSecond, (from+0.05+0.2*r.Float64())*perSecond, true)
			}
		}
		elapsed += float64(len(symbols))
		minute = minute.Add(time.Minute)
		if elapsed*perSecond > float64(len(on)) {
			break
		}
	}
	if code.FullCarrier {
		for i := range on {
			on[i] = !on[i]
		}
	}
	quietFrom, quietTo := int(noise.SilentFrom.Seconds()*Rate), int(noise.SilentTo.Seconds()*Rate)
	if noise.NoSignal {
		quietFrom, quietTo = 0, len(on)
	}
	for i := quietFrom; i < min(quietTo, len(on)); i++ {
		on[i] = false
	}
	if noise.CarrierDBHz > 0 {
		envelope(on, noise.CarrierDBHz, r)
	}
	if noise.BandFlip > 0 {
		band(on, noise.BandHz, noise.BandFlip, r)
	}
	for i := range on {
		flip := noise.Flip
		if i >= quietFrom && i < quietTo && noise.SilentFlip > 0 {
			flip = noise.SilentFlip
		}
		if flip > 0 && r.Float64() < flip {
			on[i] = !on[i]
		}
	}
	random := func(rate, seconds float64, do func(from, to int)) {
		if rate == 0 {
			return
		}
		for t := r.ExpFloat64() * 60 / rate; int(t*Rate) < len(on); t += r.ExpFloat64() * 60 / rate {
			do(int(t*Rate), min(len(on), int((t+seconds)*Rate)))
		}
	}
	random(noise.Bursts, 1, func(from, to int) {
		for i := from; i < to; i++ {
			on[i] = r.Float64() < 0.5
		}
	})
	random(noise.Stuck, 3, func(from, to int) {
		level := r.Float64() < 0.5
		for i := from; i < to; i++ {
			on[i] = level
		}
	})
	if noise.Inverted {
		for i := range on {
			on[i] = !on[i]
		}
	}
	if noise.LostBlocks > 0 {
		var kept []bool
		lost := 0.0
		for from := 0; ; {
			to := from + int(r.ExpFloat64()*3600/noise.LostBlocks*Rate)
			if to >= len(on) {
				kept = append(kept, on[from:]...)
				break
			}
			kept = append(kept, on[from:to]...)
			gone := int((0.01 + 20*r.Float64()) * Rate)
			lost += float64(gone) / perSecond
			from = min(to+gone, len(on))
			s.jumps = append(s.jumps, jump{len(kept), lost})
		}
		on = kept
	}
	s.Levels = on[:min(total, len(on))]
	return s
}

func fill(on []bool, from, to float64, level bool) {
	for i := max(0, int(math.Round(from))); i < min(len(on), int(math.Round(to))); i++ {
		on[i] = level
	}
}

// envelope replaces the levels by those of a receiver with a 100 Hz wide filter, an envelope detector, a 20 Hz low-pass
// (second order) and a comparator half way between the mean levels.
func envelope(on []bool, cn float64, r *rand.Rand) {
	density := math.Pow(10, -cn/10)
	sigma := math.Sqrt(density * Rate / 2)
	a := 1 - math.Exp(-2*math.Pi*50/Rate)
	b := 1 - math.Exp(-2*math.Pi*31/Rate) // two of them: 20 Hz
	var re, im, x, y float64
	out := make([]float64, len(on))
	var mean [2]float64
	var n [2]float64
	for i, reduced := range on {
		amplitude := 1.0
		if reduced {
			amplitude = 0.15
		}
		re += a * (amplitude + sigma*r.NormFloat64() - re)
		im += a * (sigma*r.NormFloat64() - im)
		x += b * (math.Hypot(re, im) - x)
		y += b * (x - y)
		out[i] = y
		k := 0
		if reduced {
			k = 1
		}
		mean[k] += y
		n[k]++
	}
	threshold := mean[0] / math.Max(n[0], 1)
	if n[1] > 0 {
		threshold = (threshold + mean[1]/n[1]) / 2
	}
	for i := range on {
		on[i] = out[i] < threshold
	}
}

// band flips samples where noise of a bandwidth exceeds a limit.
func band(on []bool, hz, fraction float64, r *rand.Rand) {
	a := 1 - math.Exp(-2*math.Pi*hz/Rate)
	scale := math.Sqrt((2 - a) / a)
	limit := math.Sqrt2 * math.Erfinv(1-2*fraction)
	x := 0.0
	for i := range on {
		x += a * (r.NormFloat64() - x)
		if x*scale > limit {
			on[i] = !on[i]
		}
	}
}

// Random is a moment between 2001 and 2058.
func Random(seed uint64) time.Time {
	r := rand.New(rand.NewPCG(seed, 5))
	const years = 57 * 365.25 * 86400
	return time.Unix(978307200+int64(r.Float64()*years), r.Int64N(1e9)).UTC()
}

// Outcome counts what a decoder published.
type Outcome struct {
	// LockMinutes is how much was read before the first minute; negative if there was none.
	LockMinutes float64
	// Right and Wrong count minutes; a minute that is off by more than half a second is wrong.
	Right, Wrong, Coasting int
	Worst                  time.Duration
	// First is what went wrong first.
	First string
}

// Decode runs a decoder over the recording.
func (s *Signal) Decode(code *longwave.Code) Outcome {
	o := Outcome{LockMinutes: -1}
	d := longwave.New(code, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2060, 12, 31, 0, 0, 0, 0, time.UTC), func(m longwave.Minute) {
		if o.LockMinutes < 0 {
			o.LockMinutes = float64(m.Decided) / 6000
		}
		truth := s.At(m.Bin * Rate / 100)
		off := truth.Sub(m.UTC)
		if off.Abs() > 500*time.Millisecond {
			if o.Wrong == 0 {
				o.First = truth.Format(time.RFC3339Nano) + " taken for " + m.UTC.Format(time.RFC3339) + " " + string(m.State)
			}
			o.Wrong++
			return
		}
		o.Right++
		if m.State == longwave.Coasting {
			o.Coasting++
		}
		o.Worst = max(o.Worst, off.Abs())
	})
	s.Feed(d)
	return o
}

// Feed hands the samples to a decoder.
func (s *Signal) Feed(d *longwave.Decoder) {
	f := longwave.NewFolder(Rate, d.Bin)
	for i := 0; i < len(s.Levels); {
		n := i + 1
		for n < len(s.Levels) && s.Levels[n] == s.Levels[i] {
			n++
		}
		f.Add(s.Levels[i], int64(n-i))
		i = n
	}
}
