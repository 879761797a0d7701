package station

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"timestation/app/screen"
	"timestation/app/web"
	"timestation/display"
	"timestation/engine/clock"
	"timestation/refclock"
)

// pages is the station as the HTTP side shows it.
func (s *Station) pages(face Face) web.Station {
	return web.Station{
		Name: s.Config.Station.Name, Version: s.options.Version, Location: s.Location, Position: s.Config.Station.Position,
		Board: s.engine.Board(), Now: clock.Now, Listeners: s.listeners, Display: s.lateness,
		Actions: web.Actions{AcceptJump: s.acceptJump, Acknowledge: s.acknowledge, TestAlerts: s.testAlerts}, Cleared: s.engine.Alerts().Cleared,
		Wall: s.Wall(), Studio: s.studio, Worked: s.worked, ScreenLate: s.screenLate,
		Note: s.note, DataDir: s.options.DataDir, Built: s.options.Built,
		Face: func(w io.Writer, second refclock.Instant, width, height int) error {
			return face(w, s, second, width, height)
		},
	}
}

// openScreen makes the socket through which a screen that is a process of its own sees the station.
func (s *Station) openScreen(face Face) (err error) {
	if s.Config.Display.Process != display.ProcessChild {
		return nil
	}
	dir := cmp.Or(os.Getenv("RUNTIME_DIRECTORY"), s.options.DataDir) // systemd.exec(5)
	path, err := filepath.Abs(filepath.Join(dir, "screen.sock"))
	if err != nil {
		return fmt.Errorf("the screen's socket: %w", err)
	}
	if s.screen, err = web.ListenScreen(path, s.pages(face), s.options.Log); err != nil {
		return err
	}
	s.keep(s.screen.Run, s.screen.Close)
	return nil
}

// ScreenSocket is the path of the socket for a screen that is a process of its own; empty where there is none.
func (s *Station) ScreenSocket() string {
	if s.screen == nil {
		return ""
	}
	return s.screen.Address()
}

// Exports is the folder in which a screen saves pictures.
func (s *Station) Exports() string { return filepath.Join(s.options.DataDir, "exports") }

// ScreenAlerts is where a screen that does not stay is told of.
func (s *Station) ScreenAlerts() screen.Alerts { return s.engine.Alerts() }

// screenLate is what a screen that is a process of its own says of its last frames.
func (s *Station) screenLate(median, p99 time.Duration, frames int) {
	s.ShowLateness(func() (time.Duration, time.Duration, int) { return median, p99, frames })
}
