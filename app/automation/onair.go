// Package automation lets a studio's own equipment work what stands on the wall beside the time: automations that speak
// OnAirScreen's words over UDP, and contacts and lamps on GPIO lines.
package automation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"timestation/display/studio"
)

// Config is the [automation] section.
type Config struct {
	UDP   string   `mapstructure:"udp" help:"Address and port where OnAirScreen's command words (LED1:ON, AIR1:ON, NOW:…, WARN:…) are obeyed, as \":3310\"; \"\": nowhere. They bear no signature: whoever is allowed may change the wall."`
	Allow []string `mapstructure:"allow" help:"Networks whose commands are obeyed, as \"192.168.1.0/24\"."`
}

// DefaultConfig obeys nobody.
func DefaultConfig() Config { return Config{Allow: []string{"127.0.0.0/8", "::1/128"}} }

// Validate names the key and the reason of the first impossible value.
func (c Config) Validate() error {
	if _, err := c.networks(); err != nil {
		return err
	}
	if c.UDP == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(c.UDP)
	if err == nil && host != "" {
		_, err = netip.ParseAddr(host)
	}
	if err == nil {
		_, err = net.LookupPort("udp", port)
	}
	if err != nil {
		return fmt.Errorf(`udp: %q is not address:port; write for instance ":3310"`, c.UDP)
	}
	return nil
}

func (c Config) networks() ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range c.Allow {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf(`allow: %q is not a network; write for instance "192.168.1.0/24"`, text)
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

const (
	// longestCommand is more than OnAirScreen itself takes.
	longestCommand = 2048
	// perSecond bounds how many commands a second are looked at: each may redraw the wall and is written to the log.
	perSecond = 50
)

// Counts is what became of the commands.
type Counts struct {
	Obeyed uint64 `json:"obeyed"`
	// Unknown words have no meaning here; Refused are those that are not well formed, or cannot be carried out at the moment;
	// Forbidden came from elsewhere than allowed; TooMany in a flood.
	Unknown   uint64 `json:"unknown"`
	Refused   uint64 `json:"refused"`
	Forbidden uint64 `json:"forbidden"`
	TooMany   uint64 `json:"too_many"`
}

// Listener obeys OnAirScreen's words.
type Listener struct {
	conn  *net.UDPConn
	allow []netip.Prefix
	board *studio.Board
	// done is told what was done, and from where.
	done   func(what, from string)
	log    *slog.Logger
	second time.Time // in which seen commands came
	seen   int
	// silent is until when nothing more is logged of what was not obeyed.
	silent time.Time

	obeyed, unknown, refused, forbidden, tooMany atomic.Uint64
}

// Listen binds the address at once, so that a taken port is an error of the start. c must be valid.
func Listen(c Config, board *studio.Board, done func(what, from string), log *slog.Logger) (*Listener, error) {
	allow, err := c.networks()
	if err != nil {
		return nil, err
	}
	address, err := net.ResolveUDPAddr("udp", c.UDP)
	if err != nil {
		return nil, fmt.Errorf("automation.udp: %w", err)
	}
	conn, err := net.ListenUDP("udp", address)
	if err != nil {
		return nil, fmt.Errorf("automation.udp: %s cannot be opened (%w); does OnAirScreen run here? Choose another port", c.UDP, err)
	}
	return &Listener{conn: conn, allow: allow, board: board, done: done, log: log}, nil
}

// Address is the bound address.
func (l *Listener) Address() netip.AddrPort { return l.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Close gives the address free.
func (l *Listener) Close() error { return l.conn.Close() }

// Counts is what became of the commands so far.
func (l *Listener) Counts() Counts {
	return Counts{l.obeyed.Load(), l.unknown.Load(), l.refused.Load(), l.forbidden.Load(), l.tooMany.Load()}
}

// Run obeys until ctx ends.
func (l *Listener) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { l.conn.Close() })
	defer stop()
	buffer := make([]byte, longestCommand)
	for {
		n, from, err := l.conn.ReadFromUDPAddrPort(buffer)
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil: // on Windows a datagram that is too long is one; it is no reason to stop
			l.complain(time.Now(), "a datagram could not be read", "reason", err)
			time.Sleep(time.Second / perSecond)
			continue
		}
		l.take(string(buffer[:n]), from.Addr().Unmap(), time.Now())
	}
}

// take carries out one datagram.
func (l *Listener) take(command string, from netip.Addr, now time.Time) {
	if !l.allowed(from) { // asked first: a stranger's flood must not silence the studio
		l.forbidden.Add(1)
		l.complain(now, "a command from an address that is not allowed", "from", from, "mend", "add its network to automation.allow if it is yours")
		return
	}
	if now.Sub(l.second) >= time.Second {
		l.second, l.seen = now, 0
	}
	if l.seen++; l.seen > perSecond {
		l.tooMany.Add(1)
		l.complain(now, "too many commands", "from", from, "limit", fmt.Sprint(perSecond, " a second"))
		return
	}
	done, err := l.board.OnAirScreen(command)
	switch {
	case errors.Is(err, studio.ErrUnknown):
		l.unknown.Add(1)
	case err != nil:
		l.refused.Add(1)
	default:
		l.obeyed.Add(1)
		l.done(done, from.String())
		return
	}
	l.complain(now, "a command was not obeyed", "from", from, "reason", err)
}

// complain logs at most one line a second; the counts tell of the rest.
func (l *Listener) complain(now time.Time, message string, details ...any) {
	if now.Before(l.silent) {
		return
	}
	l.silent = now.Add(time.Second)
	l.log.Warn("automation: "+message, details...)
}

func (l *Listener) allowed(from netip.Addr) bool {
	for _, p := range l.allow {
		if p.Contains(from.WithZone("")) {
			return true
		}
	}
	return false
}
