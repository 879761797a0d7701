package snmp

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

const (
	// mostRequest bounds what is read; perSecond how many requests are answered.
	mostRequest = 2048
	perSecond   = 200
)

// Config is what an agent is made of.
type Config struct {
	// Address is host:port to listen on.
	Address string
	// Allow are the networks that are answered.
	Allow []netip.Prefix
	// Community is the word of version 2c; empty: that version is not spoken.
	Community string
	// Users are those of version 3; none: that version is not spoken.
	Users []User
	// Engine is this agent's ID (RFC 3411, SnmpEngineID), 5 to 32 octets; Boots how often it has been started.
	Engine []byte
	Boots  uint32
	// Objects are given anew for each request, in the order of their identifiers (Sort).
	Objects func() []Object
}

// Agent answers requests.
type Agent struct {
	config   Config
	engine   []byte
	accounts map[string]account
	objects  func() []Object
	began    time.Time
	salt     atomic.Uint64
	stats    [decryptionErrors + 1]atomic.Uint32
	socket   net.PacketConn
}

// New makes an agent and binds its address, so that a taken port is an error of the start.
func New(c Config) (*Agent, error) {
	a := &Agent{config: c, engine: c.Engine, accounts: map[string]account{}, objects: c.Objects, began: time.Now()}
	for _, u := range c.Users {
		a.accounts[u.Name] = u.account(c.Engine)
	}
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, err
	}
	a.salt.Store(binary.BigEndian.Uint64(random[:]))
	var err error
	if a.socket, err = net.ListenPacket("udp", c.Address); err != nil {
		return nil, fmt.Errorf("%w; is another agent running? Choose another port", err)
	}
	return a, nil
}

// Address is the bound address.
func (a *Agent) Address() net.Addr { return a.socket.LocalAddr() }

// Close gives the address free without having served.
func (a *Agent) Close() error { return a.socket.Close() }

// Run answers until ctx ends.
func (a *Agent) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { a.socket.Close() })
	defer stop()
	b := make([]byte, mostRequest)
	left, since := float64(perSecond), time.Now()
	for {
		n, from, err := a.socket.ReadFrom(b)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			continue // such as an ICMP message about an earlier answer
		}
		now := time.Now()
		left, since = min(perSecond, left+now.Sub(since).Seconds()*perSecond), now
		if left < 1 || n == mostRequest || !a.allows(from) {
			continue
		}
		left--
		if answer := a.Answer(b[:n]); answer != nil {
			_, _ = a.socket.WriteTo(answer, from) // it is asked again
		}
	}
}

func (a *Agent) allows(from net.Addr) bool {
	udp, ok := from.(*net.UDPAddr)
	if !ok {
		return false
	}
	ip := udp.AddrPort().Addr().Unmap().WithZone("")
	for _, prefix := range a.config.Allow {
		if prefix.Contains(ip) {
			return true
		}
	}
	return false
}

// clock is snmpEngineBoots and snmpEngineTime.
func (a *Agent) clock() (boots, seconds uint32) {
	return a.config.Boots, uint32(time.Since(a.began) / time.Second)
}

// Answer gives the answer to a datagram, or nil if it gets none. It changes the datagram.
func (a *Agent) Answer(in []byte) []byte {
	body, rest, ok := takeTag(in, tagSequence)
	if !ok || len(rest) > 0 {
		return nil
	}
	version, body, ok := takeInteger(body)
	if !ok {
		return nil
	}
	const version2c, version3 = 1, 3
	switch {
	case version == version2c && a.config.Community != "":
		community, body, ok := takeTag(body, tagString)
		if !ok || subtle.ConstantTimeCompare(community, []byte(a.config.Community)) != 1 {
			return nil
		}
		p, ok := parsePDU(body)
		if !ok {
			return nil
		}
		envelope := 20 + len(community)
		return element(tagSequence, number(tagInteger, version2c), element(tagString, community), p.answer(a.objects(), mostAnswer-envelope))
	case version == version3 && len(a.accounts) > 0:
		return a.answer3(in, body)
	}
	return nil
}
