package serve

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"
)

// Config is one [[listener]] section.
type Config struct {
	// Address is where to listen: ":123" is every address of both families, "192.0.2.1:123" or "[::1]:123" one.
	Address string `mapstructure:"address" help:"IP address and UDP port to answer NTP on; \":123\" is all addresses."`
	// Allow and Deny are addresses or prefixes (RFC 4632, RFC 4291). Deny beats allow; who is in neither is denied.
	Allow []string `mapstructure:"allow" help:"Networks that are answered; everyone is \"0.0.0.0/0\" and \"::/0\"."`
	Deny  []string `mapstructure:"deny" help:"Networks that are not answered even where allow names them."`
	// RateLimitPerSecond is how many requests one address may send in the long run, and RateLimitBurst how many at once
	// after a pause; 0 is no limit. Requests under a key or NTS are counted apart, so that nobody can use up a client's
	// share by sending in its name.
	RateLimitPerSecond float64 `mapstructure:"rate_limit_per_second" help:"Requests a second answered per address; 0: all."`
	RateLimitBurst     int     `mapstructure:"rate_limit_burst" help:"Requests of one address answered at once after a pause."`
	// Kisses is which kiss codes are sent, at most one a second to an address: KissNone, KissRate or KissAll.
	Kisses string `mapstructure:"kisses" help:"Kiss codes sent: \"none\"; \"rate\" to who asks too often; \"all\": DENY, RSTR too."`
	// Keys is the path of a key file, see ntp.ParseKeys; empty is none.
	Keys string `mapstructure:"keys" help:"Symmetric key file, in chrony's or ntpsec's syntax and with mode 0600."`
	// NTS has requests under NTS (RFC 8915) answered; the keys are established on another port.
	NTS bool `mapstructure:"nts" help:"Answer requests under NTS (RFC 8915)."`
	// MaxErrorSeconds, from 0, can only be stricter than the station: beyond this bound the answers say unsynchronised.
	MaxErrorSeconds float64 `mapstructure:"max_error_seconds" help:"Error bound to serve up to; 0: the station's."`
	// Leap is LeapPlain, LeapSmear24h, LeapSmear17h or LeapSmearCustom. A custom smear is linear; it begins
	// SmearStartSeconds after the leap second does (before it where that is negative) and takes SmearSeconds.
	Leap              string  `mapstructure:"leap" help:"Leap seconds: \"plain\", \"smear-24h\", \"smear-17h\" or \"smear-custom\"."`
	SmearStartSeconds float64 `mapstructure:"smear_start_seconds" help:"When smear-custom begins, after the leap second does."`
	SmearSeconds      float64 `mapstructure:"smear_seconds" help:"How long smear-custom takes."`
	// Broadcast are addresses, with a port or for 123, that get a packet of mode 5 signed with BroadcastKey every
	// BroadcastSeconds while the station knows the time.
	Broadcast        []string `mapstructure:"broadcast" help:"Addresses to send the time to unasked: \"224.0.1.1\", \"ff02::101%eth0\"."`
	BroadcastSeconds int      `mapstructure:"broadcast_seconds" help:"How often, in seconds: a power of two."`
	BroadcastKey     uint32   `mapstructure:"broadcast_key" help:"Key, of the key file, that broadcasts are signed with."`
	// HardwareTimestamps is an interface whose network card stamps packets by its own clock, or phc.Auto for the first.
	HardwareTimestamps string `mapstructure:"hardware_timestamps" help:"Interface whose network card is to stamp packets, or \"auto\"; \"\": the kernel does."`
	// Experimental has requests of NTPv5 answered, as of draft-ietf-ntp-ntpv5-09.
	Experimental bool `mapstructure:"experimental" help:"Answer NTPv5, which is still a draft."`
	// FastPath has plain requests answered in the kernel where it can be, see package fastpath.
	FastPath bool `mapstructure:"fast_path" help:"Answer plain requests in the kernel (eBPF, Linux 6.6), past the firewall."`
}

// The values of Config.Kisses.
const (
	KissNone = "none"
	KissRate = "rate"
	KissAll  = "all"
)

// DefaultConfig listens on every address and answers this machine and private networks: loopback, RFC 1918, unique local
// addresses (RFC 4193) and link-local ones.
func DefaultConfig() Config {
	return Config{
		Address: ":123",
		Allow: []string{
			"127.0.0.0/8", "::1/128",
			"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",
			"169.254.0.0/16", "fe80::/10",
		},
		// A network behind one address has a thousand clients at 16 s, and an iburst is eight packets.
		RateLimitPerSecond: 64,
		RateLimitBurst:     256,
		Kisses:             KissRate,
		Leap:               LeapPlain,
		BroadcastSeconds:   64,
	}
}

// Validate names the key and the reason of the first impossible value.
func (c Config) Validate() error {
	if _, _, err := c.bind(); err != nil {
		return err
	}
	if _, err := c.access(); err != nil {
		return err
	}
	if c.MaxErrorSeconds < 0 || math.IsNaN(c.MaxErrorSeconds) || math.IsInf(c.MaxErrorSeconds, 0) {
		return fmt.Errorf("max_error_seconds: %v is not a bound; write seconds, or 0 for the station's limit",
			c.MaxErrorSeconds)
	}
	if _, err := c.limit(); err != nil {
		return err
	}
	switch c.Kisses {
	case "", KissNone, KissRate, KissAll:
	default:
		return fmt.Errorf(`kisses: %q is none of "none", "rate", "all"; write one of them`, c.Kisses)
	}
	if _, err := c.smear(); err != nil {
		return err
	}
	_, err := c.broadcasts()
	return err
}

// bind gives the network and address for the socket. An address of one family gets a socket of that family, none at all
// one for both.
func (c Config) bind() (network, address string, err error) {
	port, ok := strings.CutPrefix(c.Address, ":")
	if ok {
		_, err = netip.ParseAddrPort("[::]:" + port)
		network = "udp"
	} else {
		var a netip.AddrPort
		a, err = netip.ParseAddrPort(c.Address)
		if network = "udp6"; a.Addr().Is4() {
			network = "udp4"
		}
	}
	if err != nil {
		return "", "", fmt.Errorf(`address: %q is not an IP address and a port; write for instance ":123" or "192.0.2.1:123"`,
			c.Address)
	}
	return network, c.Address, nil
}

// maxError is the limit as a duration; 0 is none. Limits beyond maxDispersion do not matter.
func (c Config) maxError() time.Duration {
	return time.Duration(min(c.MaxErrorSeconds, maxDispersion.Seconds()) * float64(time.Second))
}
