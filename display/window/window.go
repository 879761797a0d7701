// Package window puts the station's clock on a screen: one window, full screen, the new second in it when it begins. It
// is the only package that needs a graphics driver; built without cgo, or with the tag headless, it says so.
package window

import (
	"time"

	"timestation/display"
	"timestation/refclock"
)

// Options are what the command line and the rest of the program say about the window.
type Options struct {
	// Name is the station's, which may be empty, Location the time zone of the large digits, and Position where the antenna is,
	// nil where nobody has said.
	Name     string
	Location *time.Location
	Position *refclock.Position
	// Exports is the folder that pictures are saved in; it is made when the first is.
	Exports string
	// Windowed keeps the window from taking the whole screen, whatever the configuration says.
	Windowed bool
	// Lateness, when set, takes how late each frame was handed to the window.
	Lateness *display.Lateness
}
