package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"timestation/app/web/access"
)

// screenKey marks the requests of the station's own screen.
type screenKey struct{}

// screenToken is what it has: whoever stands before the screen may do everything.
var screenToken = access.Token{Name: "the screen", Role: access.Admin}

// ofScreen tells whether a request came through the screen's own socket.
func ofScreen(r *http.Request) bool { return r.Context().Value(screenKey{}) != nil }

// ListenScreen serves the station's own screen, which runs as a process of its own, on a socket file that only the
// station's user can open. Who comes through it needs no token. A socket file that an earlier run left is replaced.
func ListenScreen(path string, s Station, log *slog.Logger) (*Server, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the screen's socket cannot be made: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("the screen's socket cannot be made: %w", err)
	}
	const owner = 0o600
	if err := os.Chmod(path, owner); err != nil {
		l.Close()
		return nil, fmt.Errorf("the screen's socket cannot be closed to others: %w", err)
	}
	server := httpServer(Handler(s), log)
	server.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, screenKey{}, true)
	}
	return &Server{listener: l, server: server}, nil
}

// screenFigures are how late the screen's frames are, which it says with each question.
func (s Station) screenFigures(r *http.Request) {
	if s.ScreenLate == nil || !ofScreen(r) {
		return
	}
	q := r.URL.Query()
	median, err1 := strconv.ParseFloat(q.Get("late_ms_median"), 64)
	p99, err2 := strconv.ParseFloat(q.Get("late_ms_p99"), 64)
	frames, err3 := strconv.Atoi(q.Get("frames"))
	if errors.Join(err1, err2, err3) == nil {
		s.ScreenLate(time.Duration(median*1e6), time.Duration(p99*1e6), frames)
	}
}
