// Package msf60 is the driver for MSF receivers: Anthorn in Cumbria, 60 kHz.
package msf60

import (
	"timestation/refclock"
	"timestation/refclock/longwave/receiver"
)

// Transmitter is MSF.
var Transmitter = receiver.Transmitter{
	Code:        Code,
	Name:        "MSF",
	Help:        "An MSF receiver module (Anthorn, 60 kHz) on a GPIO line.",
	ReferenceID: "MSF",
	Places:      []refclock.Position{{Latitude: 54.9116, Longitude: -3.2785}},
}

func init() { receiver.Register(Transmitter) }
