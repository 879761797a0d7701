package nts

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"timestation/engine/status"
)

const (
	// handshakesInFlight is how many clients are served at a time, and handshakesPerAddress how many of them may have the
	// same address or IPv6 network of 64 bits, so that one that opens connections and is silent cannot keep the others out.
	// A handshake takes a Raspberry Pi a few milliseconds.
	handshakesInFlight   = 64
	handshakesPerAddress = 8
	// handshakeTime is what a client has for everything, from the connection to its end.
	handshakeTime = 5 * time.Second
	acceptRetry   = 50 * time.Millisecond
)

// KEConfig is what a server of key establishment is made from.
type KEConfig struct {
	// Certificate and Key are PEM files: the chain, the server's own first, and its private key.
	Certificate, Key string
	// NTPServer is the name or address of the NTP server where it is another host than this, and NTPPort its UDP port
	// where that is not 123; empty and 0 otherwise.
	NTPServer string
	NTPPort   uint16
	// Permits tells who may ask, by an address as a socket gives it; nil is everybody.
	Permits func(netip.Addr) bool
}

// KECounters counts connections since the server was made.
type KECounters struct {
	// Established were given keys; Refused asked for what there is not, or wrongly, or may not ask; Failed did not get as
	// far, in most cases because the client does not trust the certificate; Busy were closed at once because too many were
	// served.
	Established uint64 `json:"established"`
	Refused     uint64 `json:"refused"`
	Failed      uint64 `json:"failed"`
	Busy        uint64 `json:"busy"`
}

// KEServer establishes keys with clients (RFC 8915, section 4).
type KEServer struct {
	config      KEConfig
	log         *slog.Logger
	certificate atomic.Pointer[tls.Certificate]
	tls         *tls.Config

	mu    sync.Mutex // for what follows
	baker *baker
	from  map[netip.Prefix]int // connections being served, by whose they are
	total int

	established, refused, failed, busy atomic.Uint64
}

// NewKEServer reads the certificate. Its cookies are for every [Server] that is given the same jar. An error is one line:
// the file, the reason, the mend.
func NewKEServer(config KEConfig, jar *Jar, log *slog.Logger) (*KEServer, error) {
	s := &KEServer{config: config, log: log, baker: newBaker(jar), from: map[netip.Prefix]int{}}
	if config.NTPServer != "" && !validName([]byte(config.NTPServer)) {
		return nil, fmt.Errorf("%q is no name or address of an NTP server; leave it empty where it is this host", config.NTPServer)
	}
	s.tls = &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{applicationP},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return s.certificate.Load(), nil
		},
		// Every connection is a client's first and last for days.
		SessionTicketsDisabled: true,
	}
	return s, s.ReloadCertificate()
}

// ReloadCertificate reads the files again; the next connection gets what they hold. After an error the old certificate
// stays in force. It may be called from any goroutine.
func (s *KEServer) ReloadCertificate() error {
	info, err := os.Stat(s.config.Key)
	if err != nil {
		return fmt.Errorf("the private key of NTS: %w; name the file", err)
	}
	// The group may read it: certificates that several programs use are kept so (Debian's ssl-cert).
	if mode := info.Mode(); runtime.GOOS != "windows" && mode&0o027 != 0 {
		return fmt.Errorf("%s: others may read this private key (mode %#o); run: chmod 640 %s", s.config.Key, mode.Perm(),
			s.config.Key)
	}
	certificate, err := tls.LoadX509KeyPair(s.config.Certificate, s.config.Key)
	if err != nil {
		return fmt.Errorf("the certificate of NTS, %s with %s: %w; name a chain in PEM and its own key", s.config.Certificate,
			s.config.Key, err)
	}
	s.certificate.Store(&certificate)
	return nil
}

// NotAfter is when the certificate expires.
func (s *KEServer) NotAfter() time.Time { return s.certificate.Load().Leaf.NotAfter }

// Counters may be called from any goroutine.
func (s *KEServer) Counters() KECounters {
	return KECounters{s.established.Load(), s.refused.Load(), s.failed.Load(), s.busy.Load()}
}

// Serve takes connections until ctx ends; it then closes the listener, waits for those that are being served, at most for
// as long as each may take, and returns nil.
func (s *KEServer) Serve(ctx context.Context, listener net.Listener) error {
	defer listener.Close()
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	var serving sync.WaitGroup
	defer serving.Wait()
	for {
		conn, err := listener.Accept()
		switch {
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			if err == nil {
				conn.Close()
			}
			return nil
		case err != nil: // too many open files, or the client was gone already
			s.log.Debug("accept", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(acceptRetry):
			}
			continue
		}
		address, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
		if s.config.Permits != nil && !s.config.Permits(address.Addr()) {
			s.refused.Add(1)
			conn.Close()
			continue
		}
		from := status.Network(address.Addr())
		if !s.enter(from) {
			s.busy.Add(1)
			conn.Close()
			continue
		}
		serving.Go(func() {
			defer s.leave(from)
			s.serve(ctx, conn)
		})
	}
}

func (s *KEServer) enter(from netip.Prefix) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= handshakesInFlight || s.from[from] >= handshakesPerAddress {
		return false
	}
	s.total++
	s.from[from]++
	return true
}

func (s *KEServer) leave(from netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.from[from]--; s.from[from] == 0 {
		delete(s.from, from)
	}
}

// serve does one client. Whatever goes wrong is the client's affair, and only counted.
func (s *KEServer) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()

	secure := tls.Server(conn, s.tls)
	if err := secure.HandshakeContext(ctx); err != nil || secure.ConnectionState().NegotiatedProtocol != applicationP {
		s.failed.Add(1)
		s.log.Debug("NTS handshake", "client", conn.RemoteAddr(), "error", err)
		return
	}
	defer secure.Close()
	answer, granted, err := s.answer(secure)
	if err == nil {
		_, err = secure.Write(answer)
	}
	switch {
	case err != nil:
		s.failed.Add(1)
		s.log.Debug("NTS key establishment", "client", conn.RemoteAddr(), "error", err)
		return
	case granted:
		s.established.Add(1)
	default:
		s.refused.Add(1)
	}
	// The client says goodbye first, so that none of the answer is lost to a reset connection.
	secure.CloseWrite()
	io.Copy(io.Discard, io.LimitReader(secure, longestRequest))
}

// answer reads the request and makes the answer to it.
func (s *KEServer) answer(secure *tls.Conn) (answer []byte, granted bool, err error) {
	message, err := readMessage(secure, longestRequest)
	var q request
	switch {
	case errors.Is(err, errTooLong):
		err = refusal(codeBadRequest)
	case err != nil:
		return nil, false, err
	default:
		q, err = parseRequest(message)
	}
	if code, refused := err.(refusal); refused {
		return appendRecord(appendNumbers(nil, true, recordError, uint16(code)), true, recordEnd, nil), false, nil
	}
	a := response{ntp4: q.ntp4, server: s.config.NTPServer, port: s.config.NTPPort}
	a.algorithm, a.compliant = choose(q)
	if !a.ntp4 || a.algorithm == 0 {
		return a.append(nil), false, nil
	}
	c2s, s2c, err := exportKeys(secure, a.algorithm)
	if err != nil {
		return nil, false, err
	}
	keys := append(c2s, s2c...)
	s.mu.Lock()
	for range MaxCookies {
		a.cookies = append(a.cookies, s.baker.bake(nil, keys))
	}
	s.mu.Unlock()
	return a.append(nil), true, nil
}

// choose takes the client's first algorithm that is known here; but of a client that knows both and does not say that it
// exports the keys of AES-128-GCM-SIV as RFC 8915 has it, it takes the other: chrony 4.4 to 4.6 does not.
func choose(q request) (a Algorithm, compliant bool) {
	both := false
	for _, offered := range q.algorithms {
		if offered == AESSIVCMAC256 {
			both = true
		}
	}
	for _, offered := range q.algorithms {
		if offered.keyLen() == 0 || offered == AES128GCMSIV && both && !q.compliant {
			continue
		}
		return offered, q.compliant && offered == AES128GCMSIV
	}
	return 0, false
}
