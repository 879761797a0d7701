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
	"timestation/engine/control"
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

// Station is a built station; its sockets are bound, its drivers not yet running.
type Station struct {
	Config   *config.Config
	Location *time.Location

	options Options
	engine  *engine.Engine
	drivers map[string]refclock.Driver
	servers []*serve.Server
	book    *logbook.Book
	remote  *remote.Sender // nil where the log goes nowhere else
	web     *web.Server
	screen  *web.Server     // nil where the screen is no process of its own
	nts     *establishment  // nil where nobody speaks it
	control *control.Server // nil where chronyc cannot look in
	notify  *notify.Dispatcher
	pace    pace
	studio  *studio.Board
	onair   *automation.Listener // nil where nobody is obeyed
	otlp    *otlp.Exporter       // nil where nobody collects
	// display is set while a window runs in this process.
	mu      sync.Mutex
	display func() (median, p99 time.Duration, frames int)
}

// Face draws the studio clock as SVG; app gives the display's.
type Face func(w io.Writer, st *Station, second refclock.Instant, width, height int) error

// Build makes a station. cfg must be valid. An error is one line: what, where, the mend.
func Build(cfg *config.Config, options Options, face Face) (*Station, error) {
	s := &Station{Config: cfg, Location: cfg.Station.Location(), options: options, drivers: map[string]refclock.Driver{}}
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
		s.drivers[r.Name] = driver
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
	s.studio = studio.NewBoard(cfg.Lights, s.knownInstant, s.Location)
	if err := s.open(face); err != nil {
		s.close()
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
	}
	if err := s.openControl(); err != nil {
		return err
	}
	if s.Config.Automation.UDP != "" {
		if s.onair, err = automation.Listen(s.Config.Automation, s.studio, s.automated, s.options.Log); err != nil {
			return err
		}
	}
	if s.otlp != nil {
		s.otlp.Use(web.Metrics(s.pages(face)))
	}
	if s.Config.Web.Listen != "" {
		if s.web, err = web.Listen(s.Config.Web, s.pages(face), s.options.Log); err != nil {
			return err
		}
	}
	if err := s.openScreen(face); err != nil {
		return err
	}
	if s.Config.RemoteWrite.URL != "" {
		s.remote, err = remote.New(s.Config.RemoteWrite, remote.Options{
			Dir: s.options.DataDir, Station: s.Config.Station.Name, Version: s.options.Version,
			Alerts: s.engine.Alerts(), Log: s.options.Log, Now: s.utc,
		})
		if err != nil {
			return err
		}
	}
	s.book, err = logbook.Open(s.options.DataDir, s.Config.Logbook, s.engine.Alerts(), s.options.Log)
	if err != nil {
		return err
	}
	if err := s.openNotify(); err != nil {
		return err
	}
	return s.openNTS() // it keeps a file beside the log
}

// acceptJump and acknowledge are what a person does; the log keeps who and from where, and what came of it.
func (s *Station) acceptJump(ctx context.Context, source, who, from string) (string, error) {
	done, err := s.engine.AcceptJump(ctx, source, who)
	s.book.EventBy(logbook.EventOperator, source, outcome("accept-jump", done, err), who, from)
	return done, err
}

func (s *Station) acknowledge(ctx context.Context, code, source, who, from string) error {
	err := s.engine.Acknowledge(ctx, code, source, who)
	if err != nil {
		s.book.EventBy(logbook.EventOperator, source, outcome("acknowledge "+code, "", err), who, from)
		return err
	}
	s.book.EventBy(logbook.EventAlertAcknowledged, source, code, who, from)
	return nil
}

func outcome(what, done string, err error) string {
	if err != nil {
		return what + ": refused: " + err.Error()
	}
	return what + ": " + done
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

// worked is what somebody did to the wall; automated is worked of an automation or a contact.
func (s *Station) worked(what, who, from string) {
	s.book.EventBy(logbook.EventOperator, "wall", what, who, from)
}

func (s *Station) automated(what, from string) { s.worked(what, "automation", from) }

func (s *Station) close() {
	for _, server := range s.servers {
		server.Close()
	}
	if s.web != nil {
		s.web.Close()
	}
	if s.screen != nil {
		s.screen.Close()
	}
	if s.nts != nil {
		s.nts.listener.Close()
	}
	if s.control != nil {
		s.control.Close()
	}
	if s.onair != nil {
		s.onair.Close()
	}
}

// Run keeps the station until ctx ends or a part fails that it cannot do without; it then returns within a second, with
// the log flushed.
func (s *Station) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wait sync.WaitGroup
	part := func(run func(context.Context) error) {
		wait.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				stop(err)
			}
		})
	}
	s.book.Event(logbook.EventStart, "station", "version "+s.options.Version+s.marked())
	s.book.Event(logbook.EventConfiguration, "station", s.Config.Origin)
	part(func(ctx context.Context) error { s.engine.Run(ctx); return nil })
	logging, stopLogging := context.WithCancel(context.WithoutCancel(ctx)) // the log outlives what it writes down
	defer stopLogging()
	wait.Go(func() {
		if err := s.book.Run(logging, s); err != nil { // the time goes on without its log
			s.options.Log.Error("logbook", "reason", err)
		}
	})
	for name, driver := range s.drivers {
		part(func(ctx context.Context) error {
			refclock.Supervise(ctx, name, driver, s.options.Log, s.engine)
			return nil
		})
	}
	for _, server := range s.servers {
		part(server.Run)
	}
	for _, f := range s.Config.Feeds {
		part(func(ctx context.Context) error {
			feed.Run(ctx, f, s.engine.Board(), s.Now, s.engine.Alerts())
			return nil
		})
	}
	part(func(ctx context.Context) error {
		s.pace.run(ctx, func() uint64 { return s.Served().Requests })
		return nil
	})
	if s.nts != nil {
		part(func(ctx context.Context) error { return s.nts.run(ctx, s.engine.Alerts()) })
	}
	if s.web != nil {
		part(s.web.Run)
	}
	if s.screen != nil {
		part(s.screen.Run)
	}
	if s.control != nil {
		part(s.control.Run)
	}
	part(func(ctx context.Context) error { s.notify.Run(ctx); return nil })
	if s.onair != nil {
		part(s.onair.Run)
	}
	lines := automation.Lines{Lights: s.Config.Lights, Board: s.studio, Alerts: s.engine.Alerts(), Done: s.automated}
	part(func(ctx context.Context) error { lines.Run(ctx); return nil })
	if s.otlp != nil {
		part(func(ctx context.Context) error { s.otlp.Run(ctx); return nil })
	}
	if s.remote != nil {
		part(func(ctx context.Context) error { s.remote.Run(ctx); return nil })
	}
	<-ctx.Done()
	s.book.Event(logbook.EventStop, "station", "")
	stopLogging()
	wait.Wait()
	if err := s.book.Close(); err != nil {
		s.options.Log.Error("logbook", "reason", err)
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// marked is what the log adds to a version when its figures prove nothing.
func (s *Station) marked() string {
	if s.options.Demonstration {
		return " (DEMONSTRATION: a recording plays)"
	}
	return ""
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
