package setup

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"time"

	"timestation/refclock/gps"
)

// Probes are how init looks at the machine.
type Probes struct {
	// Ports lists the serial ports.
	Ports func() ([]string, error)
	// Listen tries to recognise the receiver on a port, within d.
	Listen func(ctx context.Context, device string, d time.Duration) (gps.Found, error)
	// Glob lists the paths that match a pattern, in order.
	Glob func(pattern string) []string
	// Resolve follows symbolic links.
	Resolve func(path string) (string, error)
	// Hostname and Addresses are what clients reach this machine by.
	Hostname  string
	Addresses []string
}

// Machine gives the probes of the machine the program runs on.
func Machine() Probes {
	host, _ := os.Hostname() // the configuration does without
	return Probes{
		Ports:  gps.Ports,
		Listen: gps.Listen,
		Glob: func(pattern string) []string {
			paths, _ := filepath.Glob(pattern) // the patterns are constants
			return paths
		},
		Resolve:   filepath.EvalSymlinks,
		Hostname:  host,
		Addresses: addresses(),
	}
}

// addresses lists the unicast addresses other machines can use, IPv4 first.
func addresses() []string {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var v4, v6 []string
	for _, a := range all {
		prefix, ok := a.(*net.IPNet)
		switch {
		case !ok || prefix.IP.IsLoopback() || !prefix.IP.IsGlobalUnicast():
		case prefix.IP.To4() != nil:
			v4 = append(v4, prefix.IP.String())
		default:
			v6 = append(v6, prefix.IP.String())
		}
	}
	return append(v4, v6...)
}

// real is the device behind a path; the path itself where it cannot be followed.
func (p Probes) real(path string) string {
	if real, err := p.Resolve(path); err == nil {
		return real
	}
	return path
}

// stable gives the name under which a USB device is found again after it was plugged elsewhere or together with others;
// /dev/ttyUSB0 is whichever came first.
func (p Probes) stable(device string) string {
	for _, link := range p.Glob("/dev/serial/by-id/*") {
		if p.real(link) == p.real(device) {
			return link
		}
	}
	return device
}
