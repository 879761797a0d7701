package serve

import (
	"errors"
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
	// Keys is the path of a key file, see ntp.ParseKeys; empty is none.
	Keys string `mapstructure:"keys" help:"Symmetric key file, in chrony's or ntpsec's syntax and with mode 0600."`
	// MaxErrorSeconds, from 0, can only be stricter than the station: beyond this bound the answers say unsynchronised.
	MaxErrorSeconds float64 `mapstructure:"max_error_seconds" help:"Error bound to serve up to; 0: the station's."`
}

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
	return nil
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

// access is who is answered.
type access struct{ allow, deny []netip.Prefix }

func (c Config) access() (a access, err error) {
	if a.allow, err = prefixes("allow", c.Allow); err != nil {
		return a, err
	}
	a.deny, err = prefixes("deny", c.Deny)
	return a, err
}

// permits takes addresses as a socket gives them: with a zone, or IPv4 in IPv6 form.
func (a *access) permits(from netip.Addr) bool {
	from = from.Unmap().WithZone("")
	return contains(a.allow, from) && !contains(a.deny, from)
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func prefixes(key string, texts []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range texts {
		p, err := parsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf(`%s: %q %w; write for instance "192.168.0.0/16" or "2001:db8::/32"`, key, text, err)
		}
		all = append(all, p)
	}
	return all, nil
}

func parsePrefix(text string) (p netip.Prefix, err error) {
	if strings.Contains(text, "/") {
		p, err = netip.ParsePrefix(text)
	} else {
		var a netip.Addr
		if a, err = netip.ParseAddr(text); a.Zone() != "" {
			return p, errors.New("has a zone, which a prefix cannot")
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	switch {
	case err != nil:
		return p, errors.New("is not an address or a prefix")
	case p.Addr().Is4In6():
		return p, errors.New("is IPv4 in IPv6 form")
	}
	return p.Masked(), nil
}
