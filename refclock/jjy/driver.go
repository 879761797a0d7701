// Package jjy is the driver for JJY receivers: Mount Otakadoya, 40 kHz, and Mount Hagane, 60 kHz, in Japan.
package jjy

import (
	"timestation/refclock"
	"timestation/refclock/longwave/receiver"
)

// Transmitter is JJY.
var Transmitter = receiver.Transmitter{
	Code:        Code,
	Name:        "JJY",
	Help:        "A JJY receiver module (40 or 60 kHz) on a GPIO line.",
	ReferenceID: "JJY",
	// Which of the two is received is not known; they send the same code.
	Places: []refclock.Position{{Latitude: 37.3725, Longitude: 140.8489}, {Latitude: 33.4653, Longitude: 130.1753}},
}

func init() { receiver.Register(Transmitter) }
