package gpsd

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"timestation/refclock"
)

// The shared memory of ntpd's driver 28, which gpsd writes: struct shmTime, of one size with 32 and of another with
// 64 bits of time_t. The segment's key is shmKey plus the unit.
const (
	shmKey      = 0x4e545030 // "NTP0"
	shmSize64   = 96
	shmSize32   = 80
	largestUnit = 255
	// shmPoll is how often it is looked at: feeders write once a second.
	shmPoll = 100 * time.Millisecond
	// shmLook is how often it is looked whether the segment is still the one.
	shmLook = 5 * time.Second
)

// shmLayout is where the fields of struct shmTime stand; mode and count stand at 0 and 4 in each.
type shmLayout struct {
	clockSeconds, clockMicros, stampSeconds, stampMicros, leap, precision, valid, clockNanos, stampNanos int
	wide                                                                                                 bool // time_t has 64 bits
}

var (
	layout64 = shmLayout{8, 16, 24, 32, 36, 40, 48, 52, 56, true}
	layout32 = shmLayout{8, 12, 16, 20, 24, 28, 36, 40, 44, false}
)

func layoutOf(size int) (shmLayout, bool) {
	switch {
	case size >= shmSize64:
		return layout64, true
	case size >= shmSize32:
		return layout32, true
	}
	return shmLayout{}, false
}

// reading is what a segment said at one moment; two that are equal are the same sample.
type reading struct {
	mode, count                                      int32
	clockSeconds, stampSeconds                       int64
	clockMicros, stampMicros, leap, precision, valid int32
	clockNanos, stampNanos                           uint32
}

// load32 reads a field that another process may be writing.
func load32(segment []byte, at int) int32 {
	return atomic.LoadInt32((*int32)(unsafe.Pointer(&segment[at])))
}

// read copies a segment, false while somebody writes it. It never writes: whoever else reads the segment clears valid
// and needs it. The page is shared, so each field is loaded by itself.
func (l shmLayout) read(segment []byte) (reading, bool) {
	r := reading{count: load32(segment, 4), valid: load32(segment, l.valid)}
	wide := func(at int) int64 {
		low := uint32(load32(segment, at))
		if !l.wide {
			return int64(int32(low))
		}
		high := uint32(load32(segment, at+4))
		if bigEndian {
			low, high = high, low
		}
		return int64(high)<<32 | int64(low)
	}
	r.mode = load32(segment, 0)
	r.clockSeconds, r.stampSeconds = wide(l.clockSeconds), wide(l.stampSeconds)
	r.clockMicros, r.stampMicros = load32(segment, l.clockMicros), load32(segment, l.stampMicros)
	r.clockNanos, r.stampNanos = uint32(load32(segment, l.clockNanos)), uint32(load32(segment, l.stampNanos))
	r.leap, r.precision = load32(segment, l.leap), load32(segment, l.precision)
	return r, load32(segment, 4) == r.count
}

var bigEndian = binary.NativeEndian.Uint16([]byte{0, 1}) == 1

// same tells whether two readings are of one sample: another reader may have cleared valid between them.
func (r reading) same(other reading) bool {
	r.valid, other.valid = 0, 0
	return r == other
}

// sample is what a reading means; an error where it means nothing.
func (r reading) sample() (fed, error) {
	leap, synchronised := leapNotice(r.leap)
	// A reader of old ignores the nanoseconds; a writer of old leaves them 0 or, worse, uninitialised.
	nanos := func(micros int32, nanos uint32) int64 {
		if n := int64(nanos); n/1000 == int64(micros) {
			return n
		}
		return int64(micros) * 1000
	}
	switch {
	case r.mode != 0 && r.mode != 1:
		return fed{}, fmt.Errorf("its mode is %d; what writes there is no time source", r.mode)
	case !synchronised:
		return fed{}, fmt.Errorf("the feeder says that it is not synchronised")
	case r.clockMicros < 0 || r.clockMicros > 999_999 || r.stampMicros < 0 || r.stampMicros > 999_999 ||
		r.clockSeconds <= 0 || r.clockSeconds > farthest/2 || r.stampSeconds < 0 || r.stampSeconds > farthest/2:
		return fed{}, fmt.Errorf("what is written there is no time")
	}
	clock := r.clockSeconds*1e9 + nanos(r.clockMicros, r.clockNanos)
	stamp := r.stampSeconds*1e9 + nanos(r.stampMicros, r.stampNanos)
	return fed{stamp: refclock.Stamp(stamp), offset: time.Duration(clock - stamp), leap: leap, noise: precisionNoise(r.precision)}, nil
}

// SHMConfig is the shm driver's part of a [[refclock]] section.
type SHMConfig struct {
	Unit  int     `mapstructure:"unit" help:"which segment: gpsd writes the sentences of its first receiver to 0 and the pulses to 1, or to 2 and 3 where it is not root"`
	With  string  `mapstructure:"with" help:"take the samples as pulses, and their second from the source of this name; for feeders that do not know it"`
	Delay float64 `mapstructure:"delay_seconds" help:"how much later than the true time the feeder's stamps are"`
	// DelayLimit has no default: nobody but the user knows the feeder.
	DelayLimit float64 `mapstructure:"delay_limit_seconds" help:"how wrong the feeder may ever be beyond delay_seconds, added in full to every error bound: 1e-4 for gpsd's pulses, 0.9 for its sentences, whose delay it only guesses"`
}

func (c SHMConfig) feeder() feederConfig { return feederConfig{c.With, c.Delay, c.DelayLimit} }

// Validate names the first key that cannot be.
func (c SHMConfig) Validate() error {
	if c.Unit < 0 || c.Unit > largestUnit {
		return fmt.Errorf("unit: %d is not between 0 and %d", c.Unit, largestUnit)
	}
	return c.feeder().validate()
}

// segment is an attached one.
type segment interface {
	bytes() []byte
	// alive says whether it is still the one that the key names.
	alive() error
	Close() error
}

// shmDriver reads one segment.
type shmDriver struct {
	config SHMConfig
	env    refclock.Environment
	attach func(unit int) (segment, error)
}

// Run implements [refclock.Driver].
func (d *shmDriver) Run(ctx context.Context, out refclock.Sink) error {
	s, err := d.attach(d.config.Unit)
	if err != nil {
		return err
	}
	defer s.Close()
	layout, ok := layoutOf(len(s.bytes()))
	if !ok {
		return fmt.Errorf("shared memory unit %d: it has %d bytes, and no struct shmTime has; another program uses the key %#x", d.config.Unit, len(s.bytes()), shmKey+d.config.Unit)
	}
	f := feeder{config: d.config.feeder(), env: d.env, out: out}
	f.tell(refclock.Waiting, "nothing has been written yet; is the feeder running?")
	// What stands there already may be of yesterday.
	last, _ := layout.read(s.bytes())
	pending := last
	ticker := time.NewTicker(shmPoll)
	defer ticker.Stop()
	quiet := time.Duration(0)
	for looked := time.Duration(0); ; looked += shmPoll {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if looked >= shmLook {
			looked = 0
			if err := s.alive(); err != nil {
				return err
			}
		}
		quiet += shmPoll
		r, whole := layout.read(s.bytes())
		if !whole || r.same(last) {
			if quiet >= 2*stale && f.told.State != refclock.Waiting {
				f.tell(refclock.Receiving, "nothing new has been written for a while; is the feeder running, has its receiver a fix?")
			}
			continue
		}
		// A sample that is being written is not valid, and one that somebody else has taken neither: that one stands still.
		again, whole := layout.read(s.bytes())
		settled := whole && again.same(r) && (r.valid != 0 || r.same(pending))
		pending = r
		if !settled {
			continue
		}
		last, quiet = r, 0
		sample, err := r.sample()
		if err != nil {
			f.tell(refclock.Receiving, err.Error())
			continue
		}
		f.take(sample)
	}
}

func init() {
	refclock.Register(refclock.Registration{
		Name:        "shm",
		Help:        "What another program, such as gpsd, writes to the shared memory of ntpd's driver 28.",
		ReferenceID: "SHM",
	}, SHMConfig{}, func(c SHMConfig, env refclock.Environment) (refclock.Driver, error) {
		return &shmDriver{config: c, env: env, attach: attach}, nil
	})
}
