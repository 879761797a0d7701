package upstream

import (
	"crypto/md5"
	"net/netip"
	"slices"
	"strings"

	"timestation/engine/ntp"
)

// feedID is what the README has a chronyd call this station's feed by.
const feedID = "TSTN"

// loop tells in words by which way the server at that address has its time from this station; empty is none.
func (d *driver) loop(server netip.AddrPort, h *ntp.Header) string {
	own, err := d.network.own()
	if err != nil {
		d.env.Log.Debug("the addresses of this machine", "error", err)
	}
	local := server.Addr().IsLoopback() || slices.Contains(own, server.Addr().WithZone(""))
	if local && d.network.ours(server.Port()) {
		return "it is this program itself"
	}
	id, text := h.ReferenceID, referenceText(h.ReferenceID, 1)
	if h.Stratum > 1 {
		if id[0] == 127 {
			return "its reference ID " + referenceText(id, h.Stratum) + " says that it follows a clock of its own machine"
		}
		for _, a := range own {
			if id == addressID(a) {
				return "it follows this machine (" + a.String() + ")"
			}
		}
	}
	switch {
	case !local:
	case text == feedID:
		return "it is fed by this station (reference ID " + feedID + ")"
	case strings.HasPrefix(text, "SOC") || strings.HasPrefix(text, "SHM"):
		return "its reference clock " + text + " may be fed by this station; if it is not, give its refclock line in chrony.conf a refid"
	}
	return ""
}

// addressID is how an address is written as a reference ID (RFC 5905, section 7.3).
func addressID(a netip.Addr) [4]byte {
	if a.Is4() {
		return a.As4()
	}
	sum := md5.Sum(a.WithZone("").AsSlice())
	return [4]byte(sum[:4])
}
