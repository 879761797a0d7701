// Package display is the wall's side of the station: what a display sees of it, its configuration, and when each second
// must be drawn. Package face draws it, page shows that through Fyne, window puts it on a screen; nothing here needs Fyne,
// so that a station without a display does without it.
package display

import (
	"timestation/engine/status"
	"timestation/refclock"
)

// Station is what a display sees of the station.
type Station interface {
	// Status is the newest model of the station's time, never nil.
	Status() *status.Status
	// Now reads the local clock that the model refers to.
	Now() refclock.Stamp
}
