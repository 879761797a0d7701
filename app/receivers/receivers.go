// Package receivers looks at what is plugged into this machine, listens to it, and says in plain words what each thing
// delivers. It needs no privilege, configures nothing, and does not wait for what does not answer.
package receivers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"timestation/engine/clock"
	"timestation/refclock"
	"timestation/refclock/gps"
)

// Finding is one thing that was found, or the lack of anything.
type Finding struct {
	// Device is a path or an address.
	Device string `json:"device"`
	// Kind is serial, pps, gpio or gpsd.
	Kind string `json:"kind"`
	// Delivers: something that tells time comes from it.
	Delivers bool `json:"delivers"`
	// Text says what it delivers, or why it does not; Mend what to do about that, if anything.
	Text string `json:"text"`
	Mend string `json:"mend,omitempty"`
	// Baud is the line speed of a serial port where that is known.
	Baud int `json:"baud,omitempty"`
	// AfterSeconds and ScatterSeconds are how long after its second the receiver's burst or pulse comes by this machine's
	// clock, on average and 1σ; nil where not measured.
	AfterSeconds   *float64 `json:"after_seconds,omitempty"`
	ScatterSeconds *float64 `json:"scatter_seconds,omitempty"`
}

// String is the line a person reads.
func (f Finding) String() string {
	s := f.Device + ": " + f.Text
	if f.Mend != "" {
		s += " (" + f.Mend + ")"
	}
	return s
}

// Probes are how the machine is looked at.
type Probes struct {
	// Ports lists the serial ports.
	Ports func() ([]string, error)
	// Observe listens to one.
	Observe func(ctx context.Context, device string) (gps.Heard, error)
	// PulseFolder is /sys/class/pps.
	PulseFolder string
	// Glob lists the paths that match a pattern.
	Glob func(pattern string) []string
	// Chip describes a GPIO chip.
	Chip func(path string) (Chip, error)
	// GPSD is where gpsd listens.
	GPSD string
	// Now reads the local clock.
	Now func() refclock.Stamp
}

// Chip is a GPIO chip.
type Chip struct {
	Label string
	Lines int
	// Used are lines with what uses them.
	Used []string
	// Example is the name of a free line.
	Example string
}

const (
	// listenFor is how long a port with bytes that nobody understands is listened to, at one line speed after the other.
	listenFor = 15 * time.Second
	// deadline is when a port that has not even answered to being opened or closed is given up.
	deadline = listenFor + 5*time.Second
	// pulsesFor is how long pulses are counted.
	pulsesFor = 4 * time.Second
)

// Machine gives the probes of the machine the program runs on.
func Machine() Probes {
	return Probes{
		Ports: gps.Ports,
		Observe: func(ctx context.Context, device string) (gps.Heard, error) {
			return gps.Observe(ctx, device, listenFor, clock.Now)
		},
		PulseFolder: "/sys/class/pps",
		Glob: func(pattern string) []string {
			paths, _ := filepath.Glob(pattern) // the patterns are constants
			return paths
		},
		Chip: openChip,
		GPSD: "localhost:2947",
		Now:  clock.Now,
	}
}

// Look looks everywhere at once and gives what it found: gpsd, serial ports, pulses, GPIO chips.
func Look(ctx context.Context, p Probes) []Finding {
	var found [4][]Finding
	var all sync.WaitGroup
	daemon, theirs := p.daemon(ctx)
	found[0] = daemon
	all.Go(func() { found[1] = p.serial(ctx, theirs) })
	all.Go(func() { found[2] = p.pulses(ctx) })
	all.Go(func() { found[3] = p.lines() })
	all.Wait()
	return slices.Concat(found[1][:], found[2], found[3], found[0])
}

// serial listens to all ports at once, but for those that gpsd reads: two readers would each get half.
func (p Probes) serial(ctx context.Context, gpsds []string) []Finding {
	ports, err := p.Ports()
	if err != nil {
		return []Finding{{Device: "serial ports", Kind: "serial", Text: fmt.Sprintf("they cannot be listed: %v", err)}}
	}
	found := make([]Finding, len(ports))
	var all sync.WaitGroup
	for i, port := range ports {
		if slices.Contains(gpsds, port) {
			found[i] = Finding{Device: port, Kind: "serial", Text: "gpsd reads it",
				Mend: `use driver = "gpsd", or stop gpsd: sudo systemctl disable --now gpsd.socket gpsd`}
			continue
		}
		all.Go(func() { found[i] = p.port(ctx, port) })
	}
	all.Wait()
	return found
}

// port listens to one port; a driver in the kernel that never returns costs a goroutine, not the command.
func (p Probes) port(ctx context.Context, device string) Finding {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	done := make(chan Finding, 1)
	go func() {
		heard, err := p.Observe(ctx, device)
		done <- describe(device, heard, err)
	}()
	select {
	case f := <-done:
		return f
	case <-ctx.Done():
		return Finding{Device: device, Kind: "serial", Text: "it does not answer", Mend: "plug it in anew"}
	}
}

func describe(device string, h gps.Heard, err error) Finding {
	f := Finding{Device: device, Kind: "serial"}
	switch {
	case errors.Is(err, gps.ErrSilent):
		f.Text, f.Mend = "nothing is heard", "a receiver there lacks power, or its TX is not wired to this port's RX"
		return f
	case err != nil:
		f.Text = strings.TrimPrefix(err.Error(), device+": ")
		return f
	}
	g := h.Signal.GNSS
	f.Baud, f.Delivers = h.Baud, h.Samples > 0
	words := []string{fmt.Sprintf("%s at %d baud", protocol(g), h.Baud), fix(g.Fix)}
	switch n := len(g.Satellites); {
	case g.Fix != refclock.NoFix:
		words = append(words, fmt.Sprintf("%d satellites", g.SatellitesUsed))
	case n > 0:
		words = append(words, fmt.Sprintf("%d satellites in view", n))
	}
	if h.Samples > 0 {
		f.AfterSeconds, f.ScatterSeconds = new(h.After.Seconds()), new(h.Scatter.Seconds())
		words = append(words, after(h))
	} else if h.Signal.Text != "" && g.Fix != refclock.NoFix {
		words = append(words, h.Signal.Text)
	}
	if g.Firmware != "" {
		words = append(words, g.Firmware)
	}
	for _, a := range h.Signal.Alarms {
		words = append(words, a.Text)
	}
	f.Text = strings.Join(words, ", ")
	if g.Fix == refclock.NoFix {
		f.Mend = "give its antenna a view of the sky; from cold it takes a minute or more"
	}
	return f
}

// after says when the burst comes by this machine's clock, which may itself be wrong.
func after(h gps.Heard) string {
	const believable = 2 * time.Second
	if h.After.Abs() > believable {
		return fmt.Sprintf("it says %s, and this machine's clock is off by %s", h.UTC.Time().Format("2006-01-02 15:04:05Z"),
			h.After.Abs().Round(time.Second))
	}
	side := "after"
	if h.After < 0 {
		side = "before"
	}
	return fmt.Sprintf("sentence %.0f ± %.0f ms %s the second", math.Abs(h.After.Seconds())*1e3, h.Scatter.Seconds()*1e3, side)
}

func protocol(g *refclock.GNSS) string {
	if g.Protocol == "" {
		return "a binary protocol that is not read"
	}
	return g.Protocol
}

func fix(f refclock.Fix) string {
	switch f {
	case refclock.Fix2D:
		return "2D fix"
	case refclock.Fix3D:
		return "3D fix"
	case refclock.FixTime:
		return "fixed position, time only"
	}
	return "no fix"
}

// lines describes the GPIO chips. Nothing is listened to there: to claim a line that is meant for something else could
// switch it.
func (p Probes) lines() []Finding {
	var found []Finding
	for _, path := range p.Glob("/dev/gpiochip*") {
		f := Finding{Device: path, Kind: "gpio"}
		chip, err := p.Chip(path)
		switch {
		case errors.Is(err, fs.ErrPermission):
			f.Text, f.Mend = "you may not use it", "sudo adduser $USER gpio, and log in again"
		case err != nil:
			f.Text = fmt.Sprintf("it cannot be read: %v", err)
		default:
			f.Text = fmt.Sprintf("%s, %d lines", chip.Label, chip.Lines)
			if len(chip.Used) > 0 {
				f.Text += ", in use: " + strings.Join(chip.Used, ", ")
			}
			if chip.Example != "" {
				f.Text += fmt.Sprintf("; a pulse or a radio module can be wired to a free one such as %s", chip.Example)
			}
		}
		found = append(found, f)
	}
	return found
}
