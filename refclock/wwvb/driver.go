// Package wwvb is the driver for WWVB receivers: Fort Collins in Colorado, 60 kHz, the amplitude code.
package wwvb

import (
	"timestation/refclock"
	"timestation/refclock/longwave/receiver"
)

// Transmitter is WWVB.
var Transmitter = receiver.Transmitter{
	Code:        Code,
	Name:        "WWVB",
	Help:        "A WWVB receiver module (Fort Collins, 60 kHz) on a GPIO line.",
	ReferenceID: "WWVB",
	Places:      []refclock.Position{{Latitude: 40.6781, Longitude: -105.0467}},
}

func init() { receiver.Register(Transmitter) }
