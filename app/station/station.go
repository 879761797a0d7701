// Package station builds a whole station from a configuration and runs it: drivers, engine, NTP listeners, logbook and
// web page. The screen is the caller's, since it needs the main thread.
package station

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"timestation/app/automation"
	"timestation/app/config"
	"timestation/app/notify"
	"timestation/app/otlp"
	"timestation/app/web"
	"timestation/display/studio"
	"timestation/engine"
	"timestation/engine/clock"
	"timestation/engine/feed"
	"timestation/engine/leap"
	"timestation/engine/serve"
	"timestation/engine/status"
	"timestation/logbook"
	"timestation/logbook/remote"
	"timestation/refclock"
)

// Options are what a command adds to the configuration.
type Options struct {
	Log *slog.Logger
	// DataDir is where the logbook lies.
	DataDir string
	// Demonstration marks everything the station says.
	Demonstration bool
	Version       string
	// Built is when the program was built: no receiver's date can be earlier.
	Built time.Time
}

// Station is a built station; its sockets are bound, none of its parts yet running.
type Station struct {
	Config   *config.Config
	Location *time.Location

	options Options
	engine  *engine.Engine
	servers []*serve.Server
	book    *logbook.Book
	web     *web.Server
	screen  *web.Server    // nil where the screen is no process of its own
	nts     *establishment // nil where nobody speaks it
	notify  *notify.Dispatcher
	pace    pace
	studio  *studio.Board
	otlp    *otlp.Exporter // nil where nobody collects
	parts   []part
	taken   []func() error // gives up what a part has taken
	// display is set while a window runs in this process.
	mu      sync.Mutex
	display func() (median, p99 time.Duration, frames int)
}

// Face draws the studio clock as SVG; app gives the display's.
type Face func(w io.Writer, st *Station, second refclock.Instant, width, height int) error

// Build makes a station. cfg must be valid. An error is one line: what, where, the mend.
func Build(cfg *config.Config, options Options, face Face) (*Station, error) {
	s := &Station{Config: cfg, Location: cfg.Station.Location(), options: options}
	s.telemetry()
	options = s.options
	table, from, refused := leap.Newest(leapFiles(cfg.Clock.LeapFile)...)
	options.Log.Info("leap second list", "from", from)
	var sources []engine.SourceConfig
	for _, r := range cfg.Refclocks {
		registration, _ := refclock.Lookup(r.Driver) // config.Validate has seen to it
		s.options.Demonstration = s.options.Demonstration || registration.Recording && !r.CompareOnly
		driver, err := registration.New(r.Config, refclock.Environment{
			Name: r.Name, Log: options.Log.With("source", r.Name),
			TAIMinusUTC: func(u refclock.UTC) int32 { return s.engine.TAIMinusUTC(u) }, NotBefore: options.Built, Now: clock.Now,
			UTC: s.knownUTC, Position: cfg.Station.Where(),
		})
		if err != nil {
			return nil, fmt.Errorf("refclock %q: %w", r.Name, err)
		}
		s.parts = append(s.parts, without(func(ctx context.Context) {
			refclock.Supervise(ctx, r.Name, driver, options.Log, s.engine)
		}))
		sources = append(sources, engine.SourceConfig{
			Name: r.Name, Driver: r.Driver, Receiver: r.Receiver,
			ReferenceID: registration.ReferenceID, CompareOnly: r.CompareOnly,
		})
	}
	steer, err := steering(cfg.Clock)
	if err != nil {
		return nil, fmt.Errorf("clock.discipline: %w", err)
	}
	s.engine = engine.New(cfg.Clock, sources, engine.Options{
		Clock: clock.System(), Steps: clock.Steps, Steer: steer, Leap: table, Log: options.Log, Temperature: clock.Temperature,
		StateDir: s.options.stateDir(), Demonstration: s.options.Demonstration,
	})
	for _, r := range refused {
		s.engine.Alerts().Raise(status.Alert{
			Code: "leap-file", Severity: status.Warning, Text: "A leap second list is not used: " + r.Error() + ".",
			Mend: "fetch it again, or update the package tzdata",
		})
	}
	s.parts = append(s.parts, without(s.engine.Run))
	s.studio = studio.NewBoard(cfg.Lights, s.knownInstant, s.Location)
	if err := s.open(face); err != nil {
		s.release()
		return nil, err
	}
	return s, nil
}

// leapFiles are where a list may be: the configured one, and the system's.
func leapFiles(configured string) []string {
	if configured == "" {
		return []string{leap.SystemList}
	}
	return []string{configured, leap.SystemList}
}

// steering is the system clock where the configuration wants it steered, else nil.
func steering(c engine.Config) (engine.Steerer, error) {
	if c.Discipline != "system" {
		return nil, nil
	}
	kernel, err := clock.SystemKernel()
	if err != nil {
		return nil, err
	}
	const fastestPPM = 500 // what the kernel itself allows a slew (adjtimex(2))
	return clock.NewSteer(kernel, fastestPPM)
}

// stateDir is where the engine keeps what it learned; a demonstration keeps nothing.
func (o Options) stateDir() string {
	if o.Demonstration {
		return ""
	}
	return o.DataDir
}

// open takes what may be taken already: ports and files.
func (s *Station) open(face Face) (err error) {
	for i, l := range s.Config.Listeners {
		server, err := serve.New(l, s.engine.Board(), s.options.Log)
		if err != nil {
			return fmt.Errorf("listener[%d].%w", i+1, err)
		}
		s.servers = append(s.servers, server)
		s.keep(server.Run, server.Close)
	}
	for _, f := range s.Config.Feeds {
		s.parts = append(s.parts, without(func(ctx context.Context) {
			feed.Run(ctx, f, s.engine.Board(), s.Now, s.engine.Alerts())
		}))
	}
	if err := s.openControl(); err != nil {
		return err
	}
	if err := s.openStudio(); err != nil {
		return err
	}
	if s.otlp != nil {
		s.otlp.Use(web.Metrics(s.pages(face)))
		s.parts = append(s.parts, without(s.otlp.Run))
	}
	if s.Config.Web.Listen != "" {
		if s.web, err = web.Listen(s.Config.Web, s.pages(face), s.options.Log); err != nil {
			return err
		}
		s.keep(s.web.Run, s.web.Close)
	}
	if err := s.openScreen(face); err != nil {
		return err
	}
	if err := s.openLog(); err != nil {
		return err
	}
	if err := s.openNotify(); err != nil {
		return err
	}
	return s.openNTS() // it keeps a file beside the log
}

// openStudio lets contacts, lamps and a studio's automation work the wall.
func (s *Station) openStudio() error {
	s.parts = append(s.parts, without(func(ctx context.Context) {
		s.pace.run(ctx, func() uint64 { return s.Served().Requests })
	}))
	lines := automation.Lines{Lights: s.Config.Lights, Board: s.studio, Alerts: s.engine.Alerts(), Done: s.automated}
	s.parts = append(s.parts, without(lines.Run))
	if s.Config.Automation.UDP == "" {
		return nil
	}
	words, err := automation.Listen(s.Config.Automation, s.studio, s.automated, s.options.Log)
	if err != nil {
		return err
	}
	s.keep(words.Run, words.Close)
	return nil
}

// openLog opens the book, and what sends its rows elsewhere.
func (s *Station) openLog() (err error) {
	if s.Config.RemoteWrite.URL != "" {
		sender, err := remote.New(s.Config.RemoteWrite, remote.Options{
			Dir: s.options.DataDir, Station: s.Config.Station.Name, Version: s.options.Version,
			Alerts: s.engine.Alerts(), Log: s.options.Log, Now: s.utc,
		})
		if err != nil {
			return err
		}
		s.parts = append(s.parts, without(sender.Run))
	}
	if s.book, err = logbook.Open(s.options.DataDir, s.Config.Logbook, s.engine.Alerts(), s.options.Log); err != nil {
		return err
	}
	s.taken = append(s.taken, s.book.Close)
	return nil
}

// Reload reads the key files, the certificate and the leap second lists again; what is refused leaves the old in force.
func (s *Station) Reload(ctx context.Context) error {
	table, _, all := leap.Newest(leapFiles(s.Config.Clock.LeapFile)...)
	all = append(all, s.engine.UseLeapList(ctx, table))
	for _, server := range s.servers {
		all = append(all, server.ReloadKeys())
	}
	if s.nts != nil {
		all = append(all, s.nts.server.ReloadCertificate())
	}
	if s.web != nil {
		all = append(all, s.web.Reload())
	}
	return errors.Join(all...)
}

// utc is the station's time; zero while it is not known.
func (s *Station) utc() time.Time {
	utc, known := s.knownUTC()
	if !known {
		return time.Time{}
	}
	return utc.Time()
}

func (s *Station) knownUTC() (refclock.UTC, bool) {
	i, known := s.knownInstant()
	return i.UTC(), known
}

func (s *Station) knownInstant() (refclock.Instant, bool) {
	r := s.Status().At(s.Now())
	return r.Instant, r.Known
}

// Status is the newest model.
func (s *Station) Status() *status.Status { return s.engine.Board().Load() }

// Now is the local clock.
func (s *Station) Now() refclock.Stamp { return clock.Now() }

// WebAddress is where the status page is, or empty.
func (s *Station) WebAddress() string {
	if s.web == nil {
		return ""
	}
	return s.web.Scheme() + "://" + s.web.Address()
}

// ShowLateness lets the status page say how late the wall's frames come.
func (s *Station) ShowLateness(lateness func() (median, p99 time.Duration, frames int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.display = lateness
}

func (s *Station) lateness() (median, p99 time.Duration, frames int) {
	s.mu.Lock()
	lateness := s.display
	s.mu.Unlock()
	if lateness == nil {
		return 0, 0, 0
	}
	return lateness()
}

func (s *Station) listeners() []web.Listener {
	var all []web.Listener
	for _, server := range s.servers {
		c := server.Counters()
		l := web.Listener{
			Address: server.Address().String(), Requests: c.Requests,
			Answered: c.Plain + c.Authenticated, Authenticated: c.Authenticated, NTS: c.NTS, Interleaved: c.Interleaved, InKernel: c.InKernel,
			Control: c.Control, Kisses: c.Kisses, Broadcasts: c.Broadcasts,
			ReceiveStamps: string(c.ReceiveStamps), TransmitStamps: string(c.TransmitStamps), Dropped: map[string]uint64{},
		}
		for reason, n := range c.Dropped {
			l.Dropped[reason.String()] = n
		}
		all = append(all, l)
	}
	return all
}

// Clients is what the NTP servers remember of who asked, the busiest first.
func (s *Station) Clients() []status.Client {
	var all [][]status.Client
	for _, server := range s.servers {
		all = append(all, server.Clients())
	}
	return status.MergeClients(all...)
}
