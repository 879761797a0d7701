package nts

import (
	"crypto/rand"
	"errors"

	"timestation/engine/ntp"
)

// longestDatagram is what a request may have in octets, so that it need not be cut up on any IPv6 network (RFC 8200,
// section 5: 1280 octets, less the headers of IPv6 and UDP).
const longestDatagram = 1232

// ErrNoCookies: all cookies have been used; establish new keys.
var ErrNoCookies = errors.New("no NTS cookies are left")

// Client protects requests to one server and opens its answers. It belongs to one goroutine.
type Client struct {
	algorithm Algorithm
	c2s, s2c  aead
	cookies   [][]byte // oldest first
	uniqueID  [uniqueIDLen]byte
	plain     []byte
}

// NewClient begins with the keys and cookies of an establishment.
func NewClient(e *Establishment) (*Client, error) {
	c := &Client{algorithm: e.Algorithm, cookies: e.Cookies}
	var err error
	if c.c2s, err = newAEAD(e.Algorithm, e.C2S); err != nil {
		return nil, err
	}
	c.s2c, err = newAEAD(e.Algorithm, e.S2C)
	return c, err
}

// Algorithm is what protects the packets.
func (c *Client) Algorithm() Algorithm { return c.algorithm }

// Cookies is how many requests can still be made if none is answered.
func (c *Client) Cookies() int { return len(c.cookies) }

// AppendRequest adds to b, which holds the header alone, what makes it a request under NTS: a new unique identifier, the
// oldest cookie, which is then used up, placeholders for as many as are missing, and the authenticator (RFC 8915, section
// 5.7). The error is ErrNoCookies.
func (c *Client) AppendRequest(b []byte) ([]byte, error) {
	if len(c.cookies) == 0 {
		return b, ErrNoCookies
	}
	cookie := c.cookies[0]
	c.cookies = c.cookies[1:]
	rand.Read(c.uniqueID[:])
	b = ntp.AppendExtension(b, fieldUniqueID, c.uniqueID[:])
	b = ntp.AppendExtension(b, fieldCookie, cookie)
	each := fieldHeaderLen + padded(len(cookie))
	fit := (longestDatagram - len(b) - authenticatorLen(c.algorithm, 0)) / each
	for range min(MaxCookies-1-len(c.cookies), max(0, fit)) {
		b = ntp.AppendExtension(b, fieldPlaceholder, make([]byte, len(cookie)))
	}
	nonce := make([]byte, c.algorithm.nonceLen())
	rand.Read(nonce)
	return appendAuthenticator(b, b, nonce, nil, c.c2s), nil
}

// Open checks the answer to the last request: packet are its octets, and p what ntp.Parse made of them. New cookies are
// kept. The error is ErrMalformed, or ErrNotAuthentic for what is not the answer to the last request or not from the
// server.
func (c *Client) Open(packet []byte, p *ntp.Packet) error {
	f, err := readFields(packet, p)
	if err != nil {
		return err
	}
	if !equal(f.uniqueID, c.uniqueID[:]) || f.authenticated == 0 {
		return ErrNotAuthentic
	}
	plain, err := c.s2c.open(c.plain[:0], f.nonce, f.ciphertext, packet[:f.authenticated])
	if err != nil {
		return ErrNotAuthentic
	}
	c.plain = plain
	for rest := plain; len(rest) > 0; {
		var field ntp.Extension
		if field, rest, err = ntp.NextExtension(rest); err != nil {
			return ErrMalformed
		}
		if field.Type == fieldCookie && len(c.cookies) < MaxCookies && len(field.Value) <= longestCookie {
			c.cookies = append(c.cookies, append([]byte{}, field.Value...))
		}
	}
	return nil
}

// IsNAK tells whether a packet that does not open is a server's word that it cannot open the cookie of the last request.
// Anybody on the path could say so: it is reason to establish new keys in a while, not to believe anything.
func (c *Client) IsNAK(packet []byte, p *ntp.Packet) bool {
	f, err := readFields(packet, p)
	return err == nil && p.Stratum == 0 && p.ReferenceID == Kiss && equal(f.uniqueID, c.uniqueID[:])
}
