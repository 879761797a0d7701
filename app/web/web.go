// Package web is the station's HTTP side: a live page, the status as JSON, the health answer and Prometheus metrics.
// Everything here only reads the published status.
package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/net/netutil"

	"timestation/app/web/access"
	"timestation/display/studio"
	"timestation/engine/status"
	"timestation/refclock"
)

// Config is the [web] section.
type Config struct {
	Listen string `mapstructure:"listen" help:"Address and port of the status page, /face, /api/…, /healthz and /metrics; \"\" turns them off. Only this machine reaches 127.0.0.1."`
	// View is who may read.
	View string `mapstructure:"view" help:"Who may read the page, /api/… and /metrics: anyone who reaches the address, or only who shows a token (then /healthz and the page's login stay open to all)."`
	// Tokens and TokenFile are both empty where nobody may do anything over HTTP.
	Tokens    string `mapstructure:"tokens" help:"File with the hashes of tokens, each with a name and a role: view reads, operate acknowledges alerts, admin also accepts a time jump. Make and revoke them with timestation token; \"\": there are none."`
	TokenFile string `mapstructure:"token_file" help:"File with one more token as it is, of mode 0600, whose bearer is an admin: for this machine's own commands. Make one with: (umask 077; openssl rand -hex 24 > FILE)"`
	TLS       string `mapstructure:"tls" help:"Whether the page is served over HTTPS with HTTP/2: off, files (certificate and key), or self-signed by an authority of the station's own, whose web-tls/ca.crt in the data folder a browser can be told to trust."`
	// Certificate and Key are of TLS = "files".
	Certificate string `mapstructure:"certificate" help:"The certificate with its chain, in PEM, for tls = \"files\"; read again on SIGHUP."`
	Key         string `mapstructure:"key" help:"The certificate's private key, in PEM."`
	Compat      bool   `mapstructure:"compat" help:"Give /metrics also the names that existing dashboards ask for: those of chrony_exporter, node_exporter's and others' ntp_*, and gpsd's exporter."`
}

// The values of Config.View.
const (
	viewAnyone = "anyone"
	viewToken  = "token"
)

// DefaultConfig listens on loopback only.
func DefaultConfig() Config { return Config{Listen: "127.0.0.1:8123", View: viewAnyone, TLS: tlsOff} }

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
		return fmt.Errorf(
			`listen: %q is not address:port; write for instance "127.0.0.1:8123", or ":8123" for every address`,
			c.Listen,
		)
	}
	switch {
	case c.View != viewAnyone && c.View != viewToken:
		return fmt.Errorf(`view: %q is neither "anyone" nor "token"`, c.View)
	case c.View == viewToken && c.Tokens == "" && c.TokenFile == "":
		return errors.New(
			`view: is "token", and there are no tokens; make one with timestation token new, and name its file as tokens`,
		)
	case c.TLS != tlsOff && c.TLS != tlsFiles && c.TLS != tlsSelfSigned:
		return fmt.Errorf(`tls: %q is none of "off", "files" and "self-signed"`, c.TLS)
	case c.TLS == tlsFiles && (c.Certificate == "" || c.Key == ""):
		return errors.New(`tls: is "files", and certificate or key is missing; name both, or write "self-signed"`)
	case c.TLS != tlsFiles && (c.Certificate != "" || c.Key != ""):
		return fmt.Errorf(`certificate: is of no use with tls = %q; write tls = "files"`, c.TLS)
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
	// (RFC 9769); InKernel those that the kernel's fast path answered; Kisses how many of the dropped were told why;
	// Broadcasts what was sent unasked.
	NTS         uint64 `json:"nts"`
	Interleaved uint64 `json:"interleaved"`
	InKernel    uint64 `json:"in_kernel"`
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
	// Position is latitude and longitude of the antenna in degrees; empty where nobody has said.
	Position  []float64
	Board     *status.Board
	Now       func() refclock.Stamp
	Listeners func() []Listener
	// Display is how late the wall's last frames came, in seconds; nil without a wall.
	Display func() (median, p99 time.Duration, frames int)
	// Face draws the studio clock as SVG for the second that begins at the instant.
	Face    func(w io.Writer, second refclock.Instant, width, height int) error
	Actions Actions
	// Cleared gives the last alerts that ended, newest first; nil keeps none.
	Cleared func() []status.Alert
	// Wall has the log, the clients and the studio; nil where there is none.
	Wall Wall
	// Studio is the board of what stands on the wall, and Worked writes into the log what somebody changed there; nil where
	// there is none.
	Studio *studio.Board
	Worked func(what, who, from string)
	// ScreenLate is told how late the frames are of a screen that runs as a process of its own.
	ScreenLate func(median, p99 time.Duration, frames int)
	// Note writes into the log who has logged in or failed to, and from where; nil writes nothing.
	Note func(text, who, from string)
	// DataDir is where a self-signed certificate is kept, and Built when the program was built: no date is earlier.
	DataDir string
	Built   time.Time

	guard     *guard
	secure    bool // over TLS
	compat    bool
	stream    *stream
	histories chan struct{}
}

// Report is what /api/status gives: the snapshot and what only a running station knows.
type Report struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Timezone string `json:"timezone"`
	// Position is latitude and longitude of the antenna as configured, in degrees; absent where they are not.
	Position []float64 `json:"position,omitempty"`
	status.Snapshot
	// Zone is the civil time of Timezone; absent before the time was known.
	Zone      *Zone          `json:"zone,omitempty"`
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
		Name: s.Name, Version: s.Version, Timezone: s.Location.String(), Position: s.Position,
		Snapshot:  s.Board.Load().Snapshot(s.Now()),
		Listeners: s.Listeners(),
	}
	if r.UTC != nil {
		zone := zoneAt(r.UTC.Time(), s.Location)
		r.Zone = &zone
	}
	if s.Display != nil {
		if median, p99, frames := s.Display(); frames > 0 {
			r.Display = &DisplayReport{median.Seconds() * 1e3, p99.Seconds() * 1e3, frames}
		}
	}
	return r
}

// Handler serves the station.
func Handler(s Station) http.Handler {
	s.stream, s.histories = &stream{from: map[netip.Prefix]int{}}, make(chan struct{}, mostHistories)
	mux := http.NewServeMux()
	servePages(mux)
	mux.HandleFunc("GET /healthz", s.serveHealth)
	read := func(pattern string, h http.HandlerFunc) { mux.HandleFunc("GET "+pattern, s.readers(h)) }
	read("/api/status", s.serveStatus)
	read("/api/alerts", s.serveAlerts)
	read("/api/events", s.serveEvents)
	read("/api/time", s.serveTime)
	read("/face.svg", s.serveFace)
	read("/metrics", metricsHandler(s).ServeHTTP)
	if s.Wall != nil {
		read("/api/studio", s.serveStudio)
		read("/api/history", s.serveHistory)
		read("/api/clients", s.serveClients)
	}
	mux.HandleFunc("GET /api/session", s.serveSession)
	mux.HandleFunc("POST /api/login", s.login)
	mux.HandleFunc("POST /api/logout", s.logout)
	mux.HandleFunc("POST /api/accept-jump", s.actAs(access.Admin, s.acceptJump))
	mux.HandleFunc("POST /api/alerts/ack", s.act(s.acknowledge))
	mux.HandleFunc("POST /api/alerts/test", s.act(s.testAlerts))
	s.serveOrders(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

func (s Station) serveStatus(w http.ResponseWriter, r *http.Request) {
	s.screenFigures(r)
	writeJSON(w, http.StatusOK, s.Report())
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

// mostConnections bounds what idle connections take of a Raspberry Pi's memory: the station must not end by them.
const mostConnections = 256

// Server is a bound HTTP server.
type Server struct {
	listener    net.Listener
	server      *http.Server
	certificate *certificate // nil without TLS
}

// Listen binds the address at once, so that a taken port is an error of the start.
func Listen(c Config, s Station, log *slog.Logger) (*Server, error) {
	var err error
	if s.guard, err = newGuard(c); err != nil {
		return nil, fmt.Errorf("web.%w", err)
	}
	s.secure, s.compat = c.TLS != tlsOff, c.Compat
	server := &Server{}
	if s.secure {
		server.certificate = &certificate{config: c, station: s}
		if err := server.certificate.reload(); err != nil {
			return nil, err
		}
	}
	if server.listener, err = net.Listen("tcp", c.Listen); err != nil {
		return nil, fmt.Errorf(
			"web.listen: %s cannot be opened (%w); is another station running? Choose another port",
			c.Listen,
			err,
		)
	}
	server.listener = netutil.LimitListener(server.listener, mostConnections)
	server.server = httpServer(Handler(s), log)
	if s.secure {
		server.server.TLSConfig = server.certificate.configuration()
		log.Info("the page's certificate", "sha256", server.certificate.fingerprint())
	}
	return server, nil
}

func httpServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// Address is the bound address.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Scheme is http or https.
func (s *Server) Scheme() string {
	if s.certificate != nil {
		return "https"
	}
	return "http"
}

// Reload reads the certificate again; after an error the old one stays in force. Tokens need no reload.
func (s *Server) Reload() error {
	if s.certificate == nil {
		return nil
	}
	return s.certificate.reload()
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { s.server.Close() })
	defer stop()
	serve := s.server.Serve
	if s.certificate != nil {
		serve = func(l net.Listener) error { return s.server.ServeTLS(l, "", "") }
	}
	if err := serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("web.listen: %w", err)
	}
	return nil
}

// Close gives the address free without having served.
func (s *Server) Close() error { return s.listener.Close() }
