// Package web is the station's HTTP side: a live page, the status as JSON, the health answer and Prometheus metrics.
// Everything here only reads the published status.
package web

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// Config is the [web] section.
type Config struct {
	Listen string `mapstructure:"listen" help:"Address and port of the status page, /api/status, /healthz and /metrics; \"\" turns them off. Whoever reaches the address may read them."`
	// TokenFile is empty where nobody may do anything over HTTP.
	TokenFile string `mapstructure:"token_file" help:"File with the one token, of mode 0600, whose bearer may accept a time jump and acknowledge alerts; \"\": nobody may. Make one with: (umask 077; openssl rand -hex 24 > FILE)"`
}

// DefaultConfig listens on loopback only.
func DefaultConfig() Config { return Config{Listen: "127.0.0.1:8123"} }

// Validate names the first impossible value.
func (c Config) Validate() error {
	if c.Listen == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err == nil && host != "" {
		_, err = netip.ParseAddr(host)
	}
	if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || n > 65535 {
		return fmt.Errorf(`listen: %q is not address:port; write for instance "127.0.0.1:8123", or ":8123" for every address`, c.Listen)
	}
	return nil
}

// Listener is one NTP socket's counts, as /api/status and /metrics show them.
type Listener struct {
	Address       string `json:"address"`
	Requests      uint64 `json:"requests"`
	Answered      uint64 `json:"answered"`
	Authenticated uint64 `json:"authenticated"`
	// NTS is those of Authenticated that came under NTS; Interleaved those of Answered that carried a true transmit time
	// (RFC 9769); Kisses how many of the dropped were told why; Broadcasts what was sent unasked.
	NTS         uint64 `json:"nts"`
	Interleaved uint64 `json:"interleaved"`
	Control     uint64 `json:"control"`
	Kisses      uint64 `json:"kisses"`
	Broadcasts  uint64 `json:"broadcasts"`
	// ReceiveStamps and TransmitStamps say who takes the time stamps: the kernel, or the program.
	ReceiveStamps  string            `json:"receive_stamps,omitempty"`
	TransmitStamps string            `json:"transmit_stamps,omitempty"`
	Dropped        map[string]uint64 `json:"dropped"`
}

// Station is what the pages show; app connects it.
type Station struct {
	Name, Version string
	Location      *time.Location
	Board         *status.Board
	Now           func() refclock.Stamp
	Listeners     func() []Listener
	// Display is how late the wall's last frames came, in seconds; nil without a wall.
	Display func() (median, p99 time.Duration, frames int)
	// Face draws the studio clock as SVG for the second that begins at the instant.
	Face    func(w io.Writer, second refclock.Instant, width, height int) error
	Actions Actions
	token   *token
}

// Report is what /api/status gives: the snapshot and what only a running station knows.
type Report struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Timezone string `json:"timezone"`
	status.Snapshot
	Listeners []Listener     `json:"listeners"`
	Display   *DisplayReport `json:"display,omitempty"`
}

// DisplayReport is how late the frames of the last ten minutes reached the window.
type DisplayReport struct {
	LateMsMedian float64 `json:"late_ms_median"`
	LateMsP99    float64 `json:"late_ms_p99"`
	Frames       int     `json:"frames"`
}

// Report evaluates the station now.
func (s Station) Report() Report {
	r := Report{
		Name: s.Name, Version: s.Version, Timezone: s.Location.String(),
		Snapshot:  s.Board.Load().Snapshot(s.Now()),
		Listeners: s.Listeners(),
	}
	if s.Display != nil {
		if median, p99, frames := s.Display(); frames > 0 {
			r.Display = &DisplayReport{median.Seconds() * 1e3, p99.Seconds() * 1e3, frames}
		}
	}
	return r
}

//go:embed page
var page embed.FS

// policy lets the page load nothing from anywhere else; the face is drawn with attributes, not styles.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the station.
func Handler(s Station) http.Handler {
	mux := http.NewServeMux()
	for path, file := range map[string]string{"GET /{$}": "index.html", "GET /page.js": "page.js", "GET /page.css": "page.css"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, page, "page/"+file) })
	}
	mux.HandleFunc("GET /api/status", s.serveStatus)
	mux.HandleFunc("GET /face.svg", s.serveFace)
	mux.HandleFunc("GET /healthz", s.serveHealth)
	mux.Handle("GET /metrics", metricsHandler(s))
	mux.HandleFunc("POST /api/accept-jump", s.act(s.acceptJump))
	mux.HandleFunc("POST /api/alerts/ack", s.act(s.acknowledge))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

func (s Station) serveStatus(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(s.Report()) // the client went away
}

// serveHealth answers 200 only while the station knows the time.
func (s Station) serveHealth(w http.ResponseWriter, _ *http.Request) {
	snap := s.Board.Load().Snapshot(s.Now())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if snap.State == status.Unsynchronised {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintf(w, "unsynchronised: %s\n", snap.Reason)
		return
	}
	fmt.Fprintf(w, "%s: within %.6f s\n", snap.State, *snap.MaxErrorSeconds)
}

// The sizes of a face that a browser may ask for, in CSS pixels, and how far ahead.
const (
	smallest, largest = 160, 8192
	farthest          = 5 * time.Second
)

// serveFace draws the second that begins `in` seconds after the one that is running: a browser fetches the next face
// ahead of time and shows it when that second comes.
func (s Station) serveFace(w http.ResponseWriter, r *http.Request) {
	number := func(key string, standard, low, high int) (int, error) {
		text := r.URL.Query().Get(key)
		if text == "" {
			return standard, nil
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > high {
			return 0, fmt.Errorf("%s: %q is not a whole number from %d to %d", key, text, low, high)
		}
		return n, nil
	}
	width, err1 := number("width", 1280, smallest, largest)
	height, err2 := number("height", 720, smallest, largest)
	in, err3 := number("in", 0, 0, int(farthest/time.Second))
	if err := errors.Join(err1, err2, err3); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	st := s.Board.Load()
	now := st.At(s.Now()).Instant
	// The second is found by rounding down in TAI: it has the same beginnings as UTC.
	second := st.At(st.StampAt(now.Add(time.Duration(in)*time.Second - time.Duration(now.TAI%1e9)))).Instant
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("X-Second-TAI", strconv.FormatInt((second.TAI+5e8)/1e9, 10))
	if err := s.Face(w, second, width, height); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// Server is a bound HTTP server.
type Server struct {
	listener net.Listener
	server   *http.Server
}

// Listen binds the address at once, so that a taken port is an error of the start.
func Listen(c Config, s Station, log *slog.Logger) (*Server, error) {
	if c.TokenFile != "" {
		text, err := ReadToken(c.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("web.%w", err)
		}
		hash := token(sha256.Sum256([]byte(text)))
		s.token = &hash
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("web.listen: %s cannot be opened (%w); is another station running? Choose another port", c.Listen, err)
	}
	return &Server{l, &http.Server{
		Handler:           Handler(s),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}, nil
}

// Address is the bound address.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.server.Close() })
	defer stop()
	if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("web.listen: %w", err)
	}
	return nil
}

// Close gives the address free without having served.
func (s *Server) Close() error { return s.listener.Close() }
