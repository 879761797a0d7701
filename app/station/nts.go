package station

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"

	"timestation/engine/nts"
	"timestation/engine/serve"
	"timestation/engine/status"
)

// cookieKeys is the file in the data folder with the master keys of the cookies: clients keep theirs over a restart.
const cookieKeys = "nts-cookies.json"

// establishment is the server of NTS key establishment with what it shares with the NTP servers.
type establishment struct {
	jar      *nts.Jar
	server   *nts.KEServer
	listener net.Listener
}

// openNTS opens key establishment where a certificate is configured, and gives the listeners that speak NTS its jar.
func (s *Station) openNTS() error {
	c := s.Config.NTS
	if c.Certificate == "" {
		return nil
	}
	path := ""
	if dir := s.options.stateDir(); dir != "" {
		path = filepath.Join(dir, cookieKeys)
	}
	jar, err := nts.OpenJar(path)
	if err != nil {
		return err
	}
	var protected []*serve.Server
	for i, server := range s.servers {
		if s.Config.Listeners[i].NTS {
			server.ProtectWith(jar)
			protected = append(protected, server)
		}
	}
	config := nts.KEConfig{Certificate: c.Certificate, Key: c.Key, NTPServer: c.Server}
	if len(protected) > 0 {
		config.NTPPort = protected[0].Address().Port()
		config.Permits = func(from netip.Addr) bool {
			return slices.ContainsFunc(protected, func(s *serve.Server) bool { return s.Permits(from) })
		}
	}
	ke, err := nts.NewKEServer(config, jar, s.options.Log)
	if err != nil {
		return fmt.Errorf("nts.certificate: %w", err)
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("nts.listen: %s cannot be opened (%w); is another NTS server running? Choose another port", c.Listen, err)
	}
	s.nts = &establishment{jar, ke, listener}
	s.keep(func(ctx context.Context) error { return s.nts.run(ctx, s.engine.Alerts()) }, listener.Close)
	return nil
}

// run serves until ctx ends.
func (e *establishment) run(ctx context.Context, alerts interface {
	Raise(status.Alert)
	Clear(code, source string)
}) error {
	go e.jar.Run(ctx, func(err error) {
		if err == nil {
			alerts.Clear("nts-keys", "")
			return
		}
		alerts.Raise(status.Alert{
			Code: "nts-keys", Severity: status.Warning, Text: "The master keys of NTS cannot be kept: " + err.Error() + ".",
			Mend: "make room on the disk, or correct the data folder's owner; after a restart clients must establish keys anew",
		})
	})
	if err := e.server.Serve(ctx, e.listener); err != nil && !errors.Is(err, net.ErrClosed) && ctx.Err() == nil {
		return fmt.Errorf("nts.listen: %w", err)
	}
	return nil
}
