//go:build cgo && !headless

package window

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"

	"timestation/assets"
	"timestation/display"
	"timestation/display/page"
)

// Built reports whether this build can open a window.
const Built = true

// appID is the one of FyneApp.toml.
const appID = "org.timestation.clock"

// Available reports whether there is a screen that a window could be opened on.
func Available() bool {
	switch runtime.GOOS {
	case "windows", "darwin":
		return true
	}
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// Run shows the pages until ctx ends or the window is closed, which Q does too; Escape leaves the full screen and F11
// changes it. It must be called from the main goroutine, and once in the life of a process. An error says why there is no
// picture; a crash of the window is one too, because the time service must go on.
func Run(ctx context.Context, st display.Station, cfg display.Config, opts Options) (err error) {
	if err := cfg.Validate(); err != nil {
		return err
	}
	if !Available() {
		return errors.New("the clock cannot be shown: neither DISPLAY nor WAYLAND_DISPLAY is set; " +
			"start from a graphical session, or with --headless")
	}
	// One unit of Fyne is one pixel: the face scales with the screen itself.
	if err := os.Setenv("FYNE_SCALE", "1"); err != nil {
		return fmt.Errorf("the clock cannot be shown: %w", err)
	}
	a := app.NewWithID(appID)
	a.SetIcon(fyne.NewStaticResource("icon.png", assets.Icon))
	a.Settings().SetTheme(page.Theme(cfg.Style().Theme.Ground))
	w := a.NewWindow("Timestation")
	w.SetMaster()
	w.SetPadded(false)
	inner, cancel := context.WithCancel(ctx)
	s := newScreen(inner, st, cfg, opts)
	w.SetContent(s.content)
	w.Resize(fyne.NewSize(1280, 720))
	full := cfg.Fullscreen && !opts.Windowed
	w.SetFullScreen(full)

	defer func() {
		cancel()
		if crash := recover(); crash != nil {
			err = fmt.Errorf("the clock cannot be shown: the window crashed (%v); "+
				"check that DISPLAY or WAYLAND_DISPLAY names a running screen, or start with --headless", crash)
		}
	}()
	var workers sync.WaitGroup
	// quit runs on Fyne's goroutine, or on the caller's when a signal has stopped Fyne already: the window must not be
	// touched then, so it is the driver that is asked and not the application, which would close the window first. Nothing may
	// be queued any more once Fyne has stopped.
	var once sync.Once
	quit := func() {
		once.Do(func() {
			cancel()
			workers.Wait()
			s.workers.Wait()
			a.Driver().Quit()
		})
	}
	w.SetCloseIntercept(quit)
	s.page.Typed = func(e *fyne.KeyEvent) {
		switch e.Name {
		case fyne.KeyEscape:
			w.SetFullScreen(false)
		case fyne.KeyF11:
			w.SetFullScreen(!w.FullScreen())
		case fyne.KeyQ:
			quit()
		default:
			s.typed(e.Name)
		}
	}
	w.Canvas().SetOnTypedKey(s.page.Typed) // when nothing has the focus
	w.Canvas().Focus(s.page)
	var failure error
	a.Lifecycle().SetOnStarted(func() {
		if full {
			keepAwake(a)
		}
		workers.Add(1)
		go func() {
			defer workers.Done()
			display.Seconds(inner, st, func() int { return int(s.rate.Load()) },
				func() time.Duration { return time.Duration(s.lead.Load()) }, s.show)
		}()
		go func() {
			if e := s.watch(inner); e != nil {
				failure = e
			} else if ctx.Err() == nil {
				return
			}
			fyne.Do(quit)
		}()
	})
	w.Show()
	a.Run()
	cancel()
	workers.Wait()
	return failure
}

// keepAwake holds off the screen saver. Fyne asks the desktop over its session bus; a bare X server has none, and is told
// itself.
func keepAwake(a fyne.App) {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" || os.Getenv("DISPLAY") == "" {
		a.Driver().SetDisableScreenBlanking(true)
		return
	}
	// Where xset is missing, or the server knows no power saving, there is nothing to hold off.
	_ = exec.Command("xset", "s", "off", "-dpms").Run()
}
