package nts

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// Config is the [nts] section: where and as whom keys are established.
type Config struct {
	Listen      string `mapstructure:"listen" help:"Address and TCP port of NTS key establishment; \":4460\" is all addresses."`
	Certificate string `mapstructure:"certificate" help:"PEM file with the certificate chain, this server's own first; \"\": no NTS. Make one with: timestation keys cert"`
	Key         string `mapstructure:"key" help:"PEM file with the certificate's private key, of mode 0600."`
	Server      string `mapstructure:"server" help:"Name or address of the NTP server that clients are sent to, where that is not this machine."`
}

// DefaultConfig is off: it has no certificate.
func DefaultConfig() Config { return Config{Listen: ":4460"} }

// Validate names the first impossible value.
func (c Config) Validate() error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err == nil && host != "" {
		_, err = netip.ParseAddr(host)
	}
	if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || n == 0 {
		return fmt.Errorf(`listen: %q is not address:port; write ":4460"`, c.Listen)
	}
	if (c.Certificate == "") != (c.Key == "") {
		return errors.New("certificate: stands without key, or key without it; name both files, or neither")
	}
	return nil
}
