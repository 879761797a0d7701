package serve

import (
	"math/rand/v2"
	"sync"

	"timestation/engine/ntp"
	"timestation/engine/status"
	"timestation/refclock"
)

// monotonic is a clock that runs as fast as the station's but is never set: where a new model says that it is some
// microseconds earlier or later than the one before did, it goes on from where it was. Clients of NTPv5 compare their
// frequency with it. It is one for all goroutines of a listener.
type monotonic struct {
	mu    sync.Mutex
	model *status.Status
	// at is what it shows at the model's epoch, TAI nanoseconds when it was started.
	at int64
	// epoch names the time since which it has never been set.
	epoch uint32
}

// read says what it shows at a stamp, by the newest model that it has been given; 0 where the station never knew the time.
func (m *monotonic) read(s *status.Status, at refclock.Stamp) (t ntp.Timestamp, epoch uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case s.EpochInstant.IsZero():
		return 0, 0
	case m.model == nil:
		m.start(s)
	case s == m.model, s.Generation < m.model.Generation:
	case parted(m.model, s):
		m.start(s)
	default:
		m.at, m.model = m.shows(s.Epoch), s
	}
	ns := m.shows(at)
	return ntp.FromUnix(ns/1e9, int32(ns%1e9)), m.epoch
}

func (m *monotonic) start(s *status.Status) {
	m.model, m.at, m.epoch = s, s.EpochInstant.TAI, rand.Uint32()
}

func (m *monotonic) shows(at refclock.Stamp) int64 {
	d := int64(at.Sub(m.model.Epoch))
	return m.at + d + int64(m.model.Rate*float64(d))
}
