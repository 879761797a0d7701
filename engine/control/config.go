package control

import (
	"fmt"
	"net/netip"
	"strings"
)

// Config is the [control] section.
type Config struct {
	// ChronyAddress is an address of this machine's loopback and a UDP port; localhost is both families. Empty is none.
	ChronyAddress string `mapstructure:"chrony_address" help:"Loopback address and UDP port where chronyc and chrony_exporter may look in; localhost is both families, empty switches it off."`
	// Mode6Allow are addresses or prefixes (RFC 4632, RFC 4291) from which ntpq is answered, on every NTP listener.
	Mode6Allow []string `mapstructure:"mode6_allow" help:"Networks from which ntpq, and monitors made for a LeoNTP, may look in, through the NTP listeners; empty switches it off."`
}

// DefaultConfig lets this machine look in.
func DefaultConfig() Config {
	return Config{ChronyAddress: "localhost:323", Mode6Allow: []string{"127.0.0.0/8", "::1/128"}}
}

// Validate names the key and the reason of the first impossible value.
func (c Config) Validate() error {
	if _, err := c.chronyAddresses(); err != nil {
		return err
	}
	_, err := c.mode6Prefixes()
	return err
}

// chronyAddresses are what to listen on; the first must work, the others where this machine has such an address.
func (c Config) chronyAddresses() ([]netip.AddrPort, error) {
	if c.ChronyAddress == "" {
		return nil, nil
	}
	texts := []string{c.ChronyAddress}
	if port, ok := strings.CutPrefix(c.ChronyAddress, "localhost:"); ok {
		texts = []string{"127.0.0.1:" + port, "[::1]:" + port}
	}
	var all []netip.AddrPort
	for _, text := range texts {
		a, err := netip.ParseAddrPort(text)
		switch {
		case err != nil:
			return nil, fmt.Errorf(`chrony_address: %q is not an IP address and a port; write for instance "localhost:323"`,
				c.ChronyAddress)
		case !a.Addr().IsLoopback():
			return nil, fmt.Errorf(`chrony_address: %q is not on this machine's loopback, where alone it may be; `+
				`write for instance "localhost:323"`, c.ChronyAddress)
		}
		all = append(all, a)
	}
	return all, nil
}

func (c Config) mode6Prefixes() ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range c.Mode6Allow {
		p, err := netip.ParsePrefix(text)
		if a, addressErr := netip.ParseAddr(text); addressErr == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || p.Addr().Is4In6() {
			return nil, fmt.Errorf(`mode6_allow: %q is not an address or a prefix; write for instance "192.168.0.0/16"`, text)
		}
		all = append(all, p.Masked())
	}
	return all, nil
}
