package serve

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// access is who is answered.
type access struct{ allow, deny []netip.Prefix }

func (c Config) access() (a access, err error) {
	if a.allow, err = prefixes("allow", c.Allow); err != nil {
		return a, err
	}
	a.deny, err = prefixes("deny", c.Deny)
	return a, err
}

// Permits tells whether requests from an address are answered at all, by the configuration.
func (s *Server) Permits(from netip.Addr) bool { return s.access.permits(from) }

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
