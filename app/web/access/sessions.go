package access

import (
	"crypto/rand"
	"encoding/base64"
	"sync"
	"time"
)

const (
	// SessionLasts is how long a browser stays logged in: a working day.
	SessionLasts = 12 * time.Hour
	// mostSessions bounds what is kept; the oldest makes room.
	mostSessions = 100
)

// Sessions are the browsers that are logged in; a restart logs them out.
type Sessions struct {
	clock stopwatch
	mu    sync.Mutex
	all   map[Hash]session // by the hash of what the cookie holds
}

type session struct {
	token Hash
	began time.Duration
}

// NewSessions has none.
func NewSessions() *Sessions { return &Sessions{clock: startStopwatch(), all: map[Hash]session{}} }

// Begin logs the bearer of a token in, and gives what his cookie must hold.
func (s *Sessions) Begin(token Hash) (cookie string) {
	var random [32]byte
	rand.Read(random[:]) // never fails
	cookie = base64.RawURLEncoding.EncodeToString(random[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.elapsed()
	var oldest Hash
	first := now + 1
	for h, other := range s.all {
		if now-other.began > SessionLasts {
			delete(s.all, h)
		} else if other.began < first {
			oldest, first = h, other.began
		}
	}
	if len(s.all) >= mostSessions {
		delete(s.all, oldest)
	}
	s.all[HashOf(cookie)] = session{token, now}
	return cookie
}

// Token is the hash of the token that the session of a cookie began with. Whether there still is such a token is for the
// caller to see.
func (s *Sessions) Token(cookie string) (token Hash, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.all[HashOf(cookie)]
	if !ok || s.clock.elapsed()-found.began > SessionLasts {
		return Hash{}, false
	}
	return found.token, true
}

// End logs a browser out.
func (s *Sessions) End(cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, HashOf(cookie))
}
