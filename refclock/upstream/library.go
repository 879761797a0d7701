package upstream

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"time"

	beevik "github.com/beevik/ntp"

	"timestation/engine/ntp"
	"timestation/refclock"
)

// library makes plain exchanges and those with a symmetric key by github.com/beevik/ntp, which reads clocks and receive
// stamps of other systems better than this package does.
type library struct {
	server netip.AddrPort
	key    *ntp.Key
}

// libraryTypes are the types of key that the library knows.
var libraryTypes = map[ntp.Algorithm]beevik.AuthType{
	ntp.MD5: beevik.AuthMD5, ntp.SHA1: beevik.AuthSHA1, ntp.SHA256: beevik.AuthSHA256, ntp.SHA512: beevik.AuthSHA512,
	ntp.AES128: beevik.AuthAES128, ntp.AES256: beevik.AuthAES256,
}

// libraryKnows tells whether the library can sign with a key: it takes those of 4 to 32 octets.
func libraryKnows(key *ntp.Key) bool {
	if key == nil {
		return true
	}
	_, known := libraryTypes[key.Algorithm]
	return known && len(key.Secret) >= 4 && len(key.Secret) <= 32
}

func (l *library) options() beevik.QueryOptions {
	o := beevik.QueryOptions{Timeout: answerTime}
	if l.key != nil {
		o.Auth = beevik.AuthOptions{Type: libraryTypes[l.key.Algorithm], Key: fmt.Sprintf("HEX:%x", l.key.Secret), KeyID: l.key.ID}
	}
	return o
}

func (l *library) exchange(ctx context.Context, dropped func(reason)) (newest ntp.Header, replies []reply, err error) {
	type result struct {
		response *beevik.Response
		err      error
	}
	done := make(chan result, 1) // the library knows no context, and may be left behind for answerTime
	go func() {
		defer func() {
			// Supervise catches a panic only where it called; a hostile answer must not end the station.
			if p := recover(); p != nil {
				done <- result{err: fmt.Errorf("%s: the NTP library crashed on its answer (%v); please report this", l.server, p)}
			}
		}()
		response, err := beevik.QueryWithOptions(l.server.String(), l.options())
		done <- result{response, err}
	}()
	var got result
	select {
	case <-ctx.Done():
		return newest, nil, ctx.Err()
	case got = <-done:
	}
	if err := got.err; err != nil {
		if why := libraryReason(err); why != used {
			dropped(why)
			err = errNoAnswer
		}
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			err = errNoAnswer
		}
		return newest, nil, err
	}
	r := replyOf(got.response)
	return r.Header, []reply{r}, nil
}

func (*library) flush() []reply { return nil }

func (*library) close() {}

// libraryReason names what the library refuses.
func libraryReason(err error) reason {
	switch {
	case errors.Is(err, beevik.ErrAuthFailed), errors.Is(err, beevik.ErrAuthNAK):
		return notAuthentic
	case errors.Is(err, beevik.ErrServerResponseMismatch):
		return wrongOrigin
	case errors.Is(err, beevik.ErrInvalidMode):
		return wrongMode
	case errors.Is(err, beevik.ErrServerTickedBackwards):
		return backwards
	case errors.Is(err, beevik.ErrInvalidTransmitTime):
		return transmitMissing
	case errors.Is(err, beevik.ErrInvalidTime):
		return malformed
	}
	return used
}

// replyOf turns the library's response into a reply.
func replyOf(r *beevik.Response) reply {
	stamp := func(t time.Time) refclock.Stamp { return refclock.Stamp(t.UnixNano()) }
	timestamp := func(t time.Time) ntp.Timestamp { return ntp.FromUnix(t.Unix(), int32(t.Nanosecond())) }
	h := ntp.Header{
		Leap: ntp.Leap(r.Leap), Version: uint8(r.Version), Mode: ntp.Server, Stratum: r.Stratum,
		Precision: log2(r.Precision),
		RootDelay: ntp.ShortFromDuration(r.RootDelay), RootDispersion: ntp.ShortFromDuration(r.RootDispersion),
		ReferenceID: [4]byte{byte(r.ReferenceID >> 24), byte(r.ReferenceID >> 16), byte(r.ReferenceID >> 8), byte(r.ReferenceID)},
		Receive:     timestamp(r.Timestamps.ServerRecv), Transmit: timestamp(r.Timestamps.ServerXmit),
	}
	return reply{Header: h, T1: stamp(r.Timestamps.ClientXmit), T4: stamp(r.Timestamps.ClientRecv)}
}

// log2 gives a precision in whole powers of two of a second.
func log2(d time.Duration) int8 {
	if d <= 0 {
		return -30 // less than a nanosecond
	}
	return int8(math.Round(math.Log2(d.Seconds())))
}

// Glance is what a server says when it is asked once.
type Glance struct {
	Address string `json:"address"`
	Stratum uint8  `json:"stratum"`
	// ReferenceID is letters at stratum 1 and in kiss codes, an address above.
	ReferenceID   string `json:"reference_id,omitempty"`
	Authenticated bool   `json:"authenticated"`
	// Synchronised: the server knows the time. OffsetSeconds is its time less this machine's clock, with half of
	// DelaySeconds the limit of its error.
	Synchronised          bool    `json:"synchronised"`
	OffsetSeconds         float64 `json:"offset_seconds"`
	DelaySeconds          float64 `json:"delay_seconds"`
	RootDelaySeconds      float64 `json:"root_delay_seconds"`
	RootDispersionSeconds float64 `json:"root_dispersion_seconds"`
}

// Look asks a server once, plainly or with the configured key; NTS is left out. It is for a first look, by a person or when
// a configuration is checked. The error is one line.
func Look(c Config) (Glance, error) {
	host, port, err := c.hostPort()
	if err != nil {
		return Glance{}, err
	}
	l := &library{}
	if c.Key != 0 {
		key, err := findKey(c.Keys, c.Key)
		if err != nil {
			return Glance{}, err
		}
		if l.key = &key; !libraryKnows(l.key) {
			return Glance{}, fmt.Errorf("%s: %v cannot be used for a first look; the driver itself can", c.Server, key)
		}
	}
	r, err := beevik.QueryWithOptions(net.JoinHostPort(host, strconv.Itoa(int(port))), l.options())
	if err != nil {
		return Glance{}, fmt.Errorf("%s: does not answer: %w; check the address, and that UDP port %d is let through", c.Server, err, port)
	}
	h := replyOf(r).Header
	return Glance{
		Address: net.JoinHostPort(host, strconv.Itoa(int(port))), Stratum: r.Stratum,
		ReferenceID: referenceText(h.ReferenceID, r.Stratum), Authenticated: l.key != nil,
		Synchronised: usable(&h) == used, OffsetSeconds: r.ClockOffset.Seconds(), DelaySeconds: r.RTT.Seconds(),
		RootDelaySeconds: r.RootDelay.Seconds(), RootDispersionSeconds: r.RootDispersion.Seconds(),
	}, nil
}
