package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"timestation/engine/status"
)

const (
	// mostStreams is how many pages may be live at once, and mostStreamsFrom how many of them from one address; those
	// beyond ask every few seconds instead.
	mostStreams     = 64
	mostStreamsFrom = 16
	// streamStep is how often a live page hears of the station.
	streamStep = time.Second
	// studioStep is after how many steps the lights are said again, so that whoever shows them knows that they still stand.
	studioStep = 5
	// streamCheck is after how many steps it is asked again whether who looks still may.
	streamCheck = 3
	// streamPatience is how long a page may take to take an event before it is given up.
	streamPatience = 10 * time.Second
)

// stream is what all live pages share: each report is made once, however many look.
type stream struct {
	mu   sync.Mutex
	open int
	from map[netip.Prefix]int // how many of them, by the other side
	made time.Time            // monotonic
	body []byte
}

// begin counts one more page, unless there are too many; done takes it off again.
func (t *stream) begin(from netip.Prefix) (done func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open >= mostStreams || t.from[from] >= mostStreamsFrom {
		return nil, false
	}
	t.open++
	t.from[from]++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.open--
		if t.from[from]--; t.from[from] == 0 {
			delete(t.from, from)
		}
	}, true
}

// live is how many pages there are.
func (t *stream) live() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open
}

// report gives the status as JSON in one line, not older than half a step.
func (t *stream) report(s Station) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.body == nil || time.Since(t.made) > streamStep/2 {
		body, err := json.Marshal(s.Report())
		if err != nil { // a value that JSON cannot say, such as NaN
			body, _ = json.Marshal(Answer{Error: err.Error()})
		}
		t.body, t.made = body, time.Now()
	}
	return t.body
}

// serveEvents is GET /api/events: server-sent events, `status` with what /api/status gives every second, and `studio`
// with what /api/studio gives when that has changed, and every 5 seconds. With ?studio it is the latter alone.
func (s Station) serveEvents(w http.ResponseWriter, r *http.Request) {
	done, ok := s.stream.begin(status.Network(address(r)))
	if !ok {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "too many pages are live already; ask /api/status instead", http.StatusServiceUnavailable)
		return
	}
	defer done()
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // the request has been read; nothing more is due from the other side
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would collect them
	ticker := time.NewTicker(streamStep)
	defer ticker.Stop()
	both := !r.URL.Query().Has("studio")
	var revision uint64
	for step := 0; ; step++ {
		if step%streamCheck == streamCheck-1 && s.mayRead(r) != nil { // his token was revoked, or he has logged out
			return
		}
		_ = control.SetWriteDeadline(time.Now().Add(streamPatience)) // by the monotonic clock
		var text []byte
		if both {
			text = fmt.Appendf(text, "event: status\ndata: %s\n\n", s.stream.report(s))
		}
		if s.Wall != nil {
			if studio := s.Wall.Studio(); step%studioStep == 0 || studio.Revision != revision {
				revision = studio.Revision
				body, err := json.Marshal(studio)
				if err == nil {
					text = fmt.Appendf(text, "event: studio\ndata: %s\n\n", body)
				}
			}
		}
		if _, err := w.Write(text); err != nil || control.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-ticker.C:
		}
	}
}
