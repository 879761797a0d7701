package station

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"timestation/app/notify"
	"timestation/engine/serve"
	"timestation/engine/status"
	"timestation/logbook"
)

// openNotify makes the places that hear of alerts; their sockets are bound, nothing is sent yet.
func (s *Station) openNotify() (err error) {
	s.engine.Alerts().EscalateAfter(s.Config.Alerts.EscalateAfter())
	o := notify.Options{
		Station: s.Config.Station.Name, Version: s.options.Version, Language: s.Config.Alerts.Language,
		Demonstration: s.options.Demonstration, DataDir: s.options.stateDir(), Alerts: s.engine.Alerts(), Log: s.options.Log,
		UTC: s.knownUTC, Status: func() status.Snapshot { return s.Status().Snapshot(s.Now()) }, Served: s.notifiedCounts,
		Location: s.Location, WebAddress: s.outsideAddress(),
	}
	for _, l := range s.servers {
		if port := outsidePort(l.Address().String()); o.NTPPort == 0 {
			o.NTPPort = port
		}
	}
	if s.web != nil {
		o.WebPort = outsidePort(s.web.Address())
	}
	if s.notify, err = notify.New(s.Config.Notify, o); err != nil {
		return err
	}
	s.parts = append(s.parts, without(s.notify.Run))
	return nil
}

// notifiedCounts is what the NTP listeners have counted, as NTPv4-MIB has it.
func (s *Station) notifiedCounts() notify.Served {
	all := s.Served()
	var control uint64
	for _, server := range s.servers {
		control += server.Counters().Control
	}
	return notify.Served{
		Received: all.Requests, Sent: all.Answered, BadVersion: all.Dropped[serve.Version.String()],
		ProtocolErrors: all.Dropped[serve.Malformed.String()] + all.Dropped[serve.Mode.String()] + all.Dropped[serve.Extension.String()],
		Control:        control,
	}
}

// outsidePort is the port of an address that others than this machine can reach, else 0.
func outsidePort(address string) int {
	a, err := netip.ParseAddrPort(address)
	if err != nil || a.Addr().IsLoopback() {
		return 0
	}
	return int(a.Port())
}

// outsideAddress is that of the status page as another machine may reach it, or empty.
func (s *Station) outsideAddress() string {
	if s.web == nil || outsidePort(s.web.Address()) == 0 {
		return ""
	}
	a := netip.MustParseAddrPort(s.web.Address())
	host := a.Addr().String()
	if a.Addr().IsUnspecified() {
		name, err := os.Hostname()
		if err != nil {
			return ""
		}
		host = name
	}
	scheme, _, _ := strings.Cut(s.WebAddress(), "://")
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(a.Port())))
}

// testAlerts sends a marked test to the place of that name, or to all; it gives a line for each with what the far side
// answered.
func (s *Station) testAlerts(ctx context.Context, place, who, from string) (string, error) {
	results, err := s.notify.Test(ctx, place)
	if err != nil {
		return "", err
	}
	var lines []string
	failed := 0
	for _, r := range results {
		name := r.Name
		if r.Name != r.Kind {
			name += " (" + r.Kind + ")"
		}
		if r.Err != nil {
			failed++
			lines = append(lines, fmt.Sprintf("%s: FAILED: %v", name, r.Err))
			continue
		}
		lines = append(lines, fmt.Sprintf("%s: %s", name, r.Answer))
	}
	s.book.EventBy(logbook.EventOperator, place, "test alert: "+strings.Join(lines, "; "), who, from)
	if failed > 0 {
		return "", fmt.Errorf("%d of %d failed\n%s", failed, len(results), strings.Join(lines, "\n"))
	}
	return strings.Join(lines, "\n"), nil
}
