// Package dcf77 is the driver for DCF77 receivers: Mainflingen near Frankfurt, 77.5 kHz.
package dcf77

import (
	"timestation/refclock"
	"timestation/refclock/longwave/receiver"
)

// Transmitter is DCF77.
var Transmitter = receiver.Transmitter{
	Code:        Code,
	Name:        "DCF77",
	Help:        "A DCF77 receiver module (Mainflingen, 77.5 kHz) on a GPIO line.",
	ReferenceID: "DCF",
	Places:      []refclock.Position{{Latitude: 50.0155, Longitude: 9.0108}},
}

func init() { receiver.Register(Transmitter) }
