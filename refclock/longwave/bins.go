package longwave

import "math"

// BinMilliseconds is the length of the bins that the decoder works on.
const BinMilliseconds = 10

// binsASecond is how many bins a second of the sample clock has.
const binsASecond = 1000 / BinMilliseconds

// Unknown is a bin of which nothing is known: the samples were lost.
const Unknown = 255

// full is a bin that was active throughout.
const full = 10

// Folder folds samples into bins: how much of each bin the level was active, from 0 to 10, or Unknown.
type Folder struct {
	rate           float64 // samples a second
	bin            int64   // the bin being filled
	sample         int64   // the sample to come
	active, filled float64 // in samples
	emit           func(bin uint8)
}

// NewFolder takes the sample rate in Hz, which must be above 0, and who gets the bins.
func NewFolder(rate float64, emit func(bin uint8)) *Folder { return &Folder{rate: rate, emit: emit} }

// Add takes the next n samples, of one level.
func (f *Folder) Add(active bool, n int64) { f.add(active, true, n) }

// Lost tells that the next n samples are unknown.
func (f *Folder) Lost(n int64) { f.add(false, false, n) }

func (f *Folder) add(active, known bool, n int64) {
	width := f.rate / binsASecond
	from, to := float64(f.sample), float64(f.sample+n)
	f.sample += n
	for from < to {
		end := float64(f.bin+1) * width
		part := math.Min(end, to) - from
		if known {
			f.filled += part
			if active {
				f.active += part
			}
		}
		from += part
		if from >= end-1e-6*width {
			value := uint8(Unknown)
			if f.filled > 0.45*width {
				value = uint8(math.Round(full * f.active / f.filled))
			}
			f.emit(value)
			f.bin++
			f.active, f.filled = 0, 0
			from = math.Max(from, end)
		}
	}
}

// history keeps the last bins, by their number since the beginning.
type history struct {
	bins []uint8
	base int64 // number of bins[0]
}

// keepBins is how much is kept, so that phase and drift can be refitted.
const keepBins = 3700 * binsASecond

func (h *history) add(v uint8) {
	if len(h.bins) >= 2*keepBins {
		n := copy(h.bins, h.bins[len(h.bins)-keepBins:])
		h.base += int64(len(h.bins) - n)
		h.bins = h.bins[:n]
	}
	h.bins = append(h.bins, v)
}

func (h *history) end() int64 { return h.base + int64(len(h.bins)) }

// at gives a bin; outside of what is kept it is Unknown.
func (h *history) at(i int64) uint8 {
	if i < h.base || i >= h.end() {
		return Unknown
	}
	return h.bins[i-h.base]
}
