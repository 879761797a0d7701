//go:build peers

package serve

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// chronyd judges the answers from the kernel: in the basic mode they pass all its tests; when it interleaves it comes to
// the sockets, and says so.
func TestPeersFastPath(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("loading eBPF programs needs root")
	}
	for _, c := range []struct{ mode, interleaved string }{{"", "No"}, {" xleave", "Yes"}} {
		for _, address := range []string{"127.0.0.1", "::1"} {
			t.Run(address+c.mode, func(t *testing.T) {
				t.Parallel()
				cfg := DefaultConfig()
				cfg.Address, cfg.FastPath = netip.AddrPortFrom(netip.MustParseAddr(address), freePort(t).Port()).String(), true
				self(t, cfg)
				chronyc := chronydClient(t, fmt.Sprintf("server %s port %d iburst minpoll 0 maxpoll 0%s",
					address, netip.MustParseAddrPort(cfg.Address).Port(), c.mode))
				said := eventually(t, time.Minute, func() string { return chronyc("ntpdata") },
					`NTP tests +: 111 111 1111`, `Stratum +: 1`, `Reference ID +: \w+ \(GPS\)`, `Total valid RX +: [4-9]`,
					`Interleaved +: `+c.interleaved)
				for line := range strings.Lines(said) {
					if strings.HasPrefix(line, "Offset") || strings.HasPrefix(line, "Response time") {
						t.Log(strings.TrimSpace(line))
					}
				}
			})
		}
	}
}
