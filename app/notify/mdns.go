package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/brutella/dnssd"
)

func init() {
	register(Registration{
		Kind: "mdns",
		Help: "Announces the station on the local network by multicast DNS (RFC 6762, 6763): _ntp._udp while it knows the " +
			"time, and _http._tcp for the status page if others can reach it. It answers beside an avahi-daemon as well.",
		NewSettings: func() Settings { return &mdnsSettings{} },
		New: func(s Settings, e Environment) (any, error) {
			return newAnnouncer(*s.(*mdnsSettings), e)
		},
	})
}

type mdnsSettings struct {
	Interfaces []string `mapstructure:"interfaces" help:"The network interfaces to announce on, such as [\"eth0\"]; empty: all that can."`
}

func (c *mdnsSettings) Validate() error {
	for _, name := range c.Interfaces {
		if name == "" {
			return errors.New("interfaces: has an empty name; ip link lists them")
		}
	}
	return nil
}

// announcer announces services.
type announcer struct {
	settings mdnsSettings
	env      Environment
}

func newAnnouncer(c mdnsSettings, e Environment) (*announcer, error) {
	for _, name := range c.Interfaces {
		if _, err := net.InterfaceByName(name); err != nil {
			return nil, fmt.Errorf("interfaces: there is no %q; ip link lists them", name)
		}
	}
	return &announcer{c, e}, nil
}

// service is one that is announced.
func (a *announcer) service(kind string, port int, text map[string]string) (dnssd.Service, error) {
	return dnssd.NewService(dnssd.Config{Name: a.env.Station, Type: kind, Port: port, Text: text, Ifaces: a.settings.Interfaces})
}

// Follow implements Follower.
func (a *announcer) Follow(ctx context.Context) {
	for ctx.Err() == nil {
		err := a.announce(ctx)
		if ctx.Err() != nil {
			return
		}
		a.env.fails(err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Minute):
		}
	}
}

// announce answers until ctx ends or the network fails.
func (a *announcer) announce(ctx context.Context) error {
	responder, err := dnssd.NewResponder()
	if err != nil {
		return err
	}
	if a.env.WebPort != 0 {
		scheme, _, _ := strings.Cut(a.env.WebAddress, "://")
		s, err := a.service("_http._tcp", a.env.WebPort, map[string]string{"path": "/", "scheme": scheme})
		if err != nil {
			return err
		}
		if _, err := responder.Add(s); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- responder.Respond(ctx) }()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	var announced dnssd.ServiceHandle
	for {
		knows, _ := valid(a.env.Status(), 0, true)
		switch {
		case a.env.NTPPort == 0:
		case knows && announced == nil:
			s, err := a.service("_ntp._udp", a.env.NTPPort, nil)
			if err != nil {
				return err
			}
			if announced, err = responder.Add(s); err != nil {
				return err
			}
			a.env.fails(nil)
		case !knows && announced != nil:
			responder.Remove(announced)
			announced = nil
		}
		select {
		case err := <-ended:
			return err
		case <-look.C:
		}
	}
}

// Test implements Tester.
func (a *announcer) Test(context.Context) (string, error) {
	var services []string
	if knows, _ := valid(a.env.Status(), 0, true); knows && a.env.NTPPort != 0 {
		services = append(services, fmt.Sprintf("_ntp._udp on port %d", a.env.NTPPort))
	}
	if a.env.WebPort != 0 {
		services = append(services, fmt.Sprintf("_http._tcp on port %d", a.env.WebPort))
	}
	if len(services) == 0 {
		return "nothing is announced: nobody but this machine can reach the station, or it does not know the time", nil
	}
	return fmt.Sprintf("%q announces %s", a.env.Station, strings.Join(services, " and ")), nil
}
