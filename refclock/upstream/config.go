// Package upstream is the driver for NTP servers as sources and comparisons: plain, with a symmetric key, or under NTS.
//
// On Linux it exchanges packets itself (engine/ntp), with the kernel's receive and transmit stamps, and knows the
// interleaved mode (RFC 9769), by which the server's own transmit stamp is exact too. Elsewhere plain exchanges and those
// with a key are made by github.com/beevik/ntp, which knows the better clocks of Windows and the stamps of macOS.
//
// An answer is used only if it repeats the random number of the request (RFC 5905, section 8; the number carries no time:
// data minimisation), its code fits where one is asked for, and it is possible; everything else is dropped under a named
// reason, and the wait goes on. Source ports are random and change (RFC 9109).
//
// # Loops
//
// A server that gets its time from this station must not be followed by it. There is one if
//
//   - the server is this very program (Linux: the asked port of an address of this machine is a socket of ours),
//   - its stratum is above 1 and its reference ID is an address of this machine, IPv4 as it is and IPv6 as the first four
//     octets of its MD5 (RFC 5905, section 7.3),
//   - it has an address of this machine and the reference ID TSTN, by which the README has a chronyd fed from here call us,
//     or one beginning with SOC or SHM, as chronyd calls feeds that its configuration gives no name.
//
// A reference ID of 127.x.y.z is refused too: a clock that follows nothing, or an own feed by another way.
package upstream

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"timestation/engine/nts"
	"timestation/refclock"
)

const (
	ntpPort = 123
	// longestPoll is RFC 5905's MAXPOLL, 36 h.
	longestPoll = 1 << 17
)

// Config is the ntp driver's part of a [[refclock]] section.
type Config struct {
	Server      string `mapstructure:"server" help:"the NTP server: a name or address, with :port where that is not 123 (under NTS the port of NTP is what the server says)"`
	Keys        string `mapstructure:"keys" help:"the key file (chrony's or ntpsec's syntax) that holds key"`
	Key         uint32 `mapstructure:"key" help:"the number of the symmetric key that requests are signed with and answers must be; 0 is none"`
	NTS         bool   `mapstructure:"nts" help:"protect the packets by Network Time Security (RFC 8915)"`
	NTSPort     int    `mapstructure:"nts_port" help:"the TCP port where the server establishes keys for NTS"`
	CA          string `mapstructure:"ca" help:"a PEM file with the authorities that may have signed the server's certificate; the system's when left out"`
	Interleaved bool   `mapstructure:"interleaved" help:"ask for the server's exact transmit stamps (RFC 9769); above 16 s each poll then has two requests"`
	PollMin     int    `mapstructure:"poll_min" help:"the shortest distance between polls in seconds; a burst of four begins"`
	PollMax     int    `mapstructure:"poll_max" help:"the longest distance between polls in seconds, to which it grows while the time is steady"`
	// MaxDelaySeconds and MaxDistanceSeconds bound what is still worth using.
	MaxDelaySeconds    float64 `mapstructure:"max_delay_seconds" help:"answers whose round trip took longer are not used"`
	MaxDistanceSeconds float64 `mapstructure:"max_distance_seconds" help:"answers by which the time may be further off (half the round trip to the server's own source, and its dispersion) are not used"`
}

// DefaultConfig polls as chrony and ntpd do.
func DefaultConfig() Config {
	return Config{NTSPort: nts.Port, PollMin: 16, PollMax: 1024, MaxDelaySeconds: 3, MaxDistanceSeconds: 1.5}
}

// Validate names the first key that cannot be.
func (c Config) Validate() error {
	if c.Server == "" {
		return fmt.Errorf(`server: is missing; name an NTP server, for instance "ptbtime1.ptb.de" or "192.168.1.1:123"`)
	}
	if host, port, err := c.hostPort(); err != nil || host == "" || strings.ContainsAny(host, " /,;\"'") || port == 0 {
		return fmt.Errorf(`server: %q is not a name or address with or without port; write for instance "time.example.org", "192.168.1.1:11123" or "[2001:db8::1]:123"`, c.Server)
	}
	switch {
	case c.Key != 0 && c.Keys == "":
		return fmt.Errorf("keys: is missing; name the file that holds key %d", c.Key)
	case c.Keys != "" && c.Key == 0:
		return fmt.Errorf("key: is missing; give the number of a key in %s", c.Keys)
	case c.NTS && c.Key != 0:
		return fmt.Errorf("nts: is set and so is key; leave out one of them")
	case c.CA != "" && !c.NTS:
		return fmt.Errorf("ca: means nothing without nts = true; set that or leave out ca")
	case c.NTSPort < 1 || c.NTSPort > 65535:
		return fmt.Errorf("nts_port: %d is no TCP port; NTS has %d", c.NTSPort, nts.Port)
	case c.PollMin < 1 || c.PollMin > longestPoll:
		return fmt.Errorf("poll_min: %d is not between 1 and %d; a public server wants 64 or more", c.PollMin, longestPoll)
	case c.PollMax < c.PollMin || c.PollMax > longestPoll:
		return fmt.Errorf("poll_max: %d is not between poll_min (%d) and %d; 1024 suits most", c.PollMax, c.PollMin, longestPoll)
	case !(c.MaxDelaySeconds > 0 && c.MaxDelaySeconds <= 10):
		return fmt.Errorf("max_delay_seconds: %v is not above 0 and up to 10; leave it out for 3", c.MaxDelaySeconds)
	case !(c.MaxDistanceSeconds > 0 && c.MaxDistanceSeconds <= 16):
		return fmt.Errorf("max_distance_seconds: %v is not above 0 and up to 16; leave it out for 1.5", c.MaxDistanceSeconds)
	}
	return nil
}

// hostPort splits the server's address; the port is NTP's where none is given.
func (c Config) hostPort() (host string, port uint16, err error) {
	bare := strings.TrimSuffix(strings.TrimPrefix(c.Server, "["), "]")
	if _, err := netip.ParseAddr(bare); err == nil || !strings.Contains(c.Server, ":") {
		return bare, ntpPort, nil
	}
	host, text, err := net.SplitHostPort(c.Server)
	if err != nil {
		return "", 0, err
	}
	number, err := strconv.ParseUint(text, 10, 16)
	return host, uint16(number), err
}

func init() {
	refclock.Register(refclock.Registration{
		Name:        "ntp",
		Help:        "An NTP server: plain, with a symmetric key, or under NTS.",
		ReferenceID: "NTP",
	}, DefaultConfig(), func(c Config, env refclock.Environment) (refclock.Driver, error) {
		return newDriver(c, env, systemNetwork{env.Now})
	})
}
