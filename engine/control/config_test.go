package control

import (
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		config Config
		want   string // how the error begins; empty for none
	}{
		{Config{}, ""},
		{Config{ChronyAddress: "127.0.0.1:10323"}, ""},
		{Config{ChronyAddress: "[::1]:323"}, ""},
		{Config{Mode6Allow: []string{"192.168.1.0/24", "2001:db8::7"}}, ""},
		{Config{ChronyAddress: "192.168.1.5:323"}, `chrony_address: "192.168.1.5:323" is not on this machine's loopback`},
		{Config{ChronyAddress: ":323"}, `chrony_address: ":323" is not an IP address and a port; write for instance`},
		{Config{ChronyAddress: "localhost"}, `chrony_address: "localhost" is not an IP address and a port`},
		{Config{ChronyAddress: "localhost:70000"}, `chrony_address: "localhost:70000" is not an IP address and a port`},
		{Config{Mode6Allow: []string{"everyone"}}, `mode6_allow: "everyone" is not an address or a prefix; write for instance`},
		{Config{Mode6Allow: []string{"::ffff:192.0.2.0/120"}}, `mode6_allow: "::ffff:192.0.2.0/120" is not`},
		{Config{Mode6Allow: []string{"fe80::1%eth0"}}, `mode6_allow: "fe80::1%eth0" is not`},
	} {
		switch err := c.config.Validate(); {
		case c.want == "" && err != nil:
			t.Errorf("%+v: %v", c.config, err)
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)):
			t.Errorf("%+v: %v; should begin with %s", c.config, err, c.want)
		}
	}
}
