package nts

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"
)

// Port is that of key establishment (RFC 8915, section 4); the name is its protocol's in ALPN.
const (
	Port         = 4460
	applicationP = "ntske/1"
)

// exporterLabel is the label of the keys (RFC 8915, section 5.1).
const exporterLabel = "EXPORTER-network-time-security"

// Today is what the station knows of the date when a certificate is judged.
type Today struct {
	// Time is now where Known is true. Otherwise it is the earliest that now can be, such as the date the program was
	// built.
	Time  time.Time
	Known bool
}

// judge gives the time by which a chain is to be judged. While the date is not known, a certificate is refused only if it
// cannot be valid at any time from the earliest on: it expired before, or one of its issuers' had when it began.
func (d Today) judge(chain []*x509.Certificate) time.Time {
	at := d.Time
	if d.Known {
		return at
	}
	for _, c := range chain {
		if c.NotBefore.After(at) {
			at = c.NotBefore
		}
	}
	return at
}

// Establish says whom to ask for keys, and how far to trust.
type Establish struct {
	// Name is the host's name or address, as its certificate has it; Port is where it listens, normally [Port].
	Name string
	Port uint16
	// Roots are the authorities that may have signed the certificate; nil is those of the system.
	Roots *x509.CertPool
	// Today is asked for the date once the certificate has come. The system's clock is never asked.
	Today func() Today
	// Algorithms are offered in this order; none is AESSIVCMAC256 before AES128GCMSIV.
	Algorithms []Algorithm
	// Dial opens the connection; nil is the network's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Establishment is what a server granted: what a [Client] begins with.
type Establishment struct {
	Algorithm Algorithm
	C2S, S2C  []byte
	Cookies   [][]byte
	// Server and Port are where the NTP server is; Server is empty where it is the host that was asked.
	Server string
	Port   uint16
	// Asked is the address that answered, without its port.
	Asked string
	// ValidFrom and ValidUntil are when all certificates that the server showed are valid: who did not know the date may
	// want to judge them again.
	ValidFrom, ValidUntil time.Time
}

// String keeps the keys out of logs.
func (e *Establishment) String() string {
	return fmt.Sprintf("%v, %d cookies, NTP server %q port %d", e.Algorithm, len(e.Cookies), e.Server, e.Port)
}

// GoString is String.
func (e *Establishment) GoString() string { return e.String() }

const ntpPort = 123

// Do establishes keys, within the time that ctx allows. An error is one line: the server, the reason, the mend.
func (q Establish) Do(ctx context.Context) (*Establishment, error) {
	address := net.JoinHostPort(q.Name, fmt.Sprint(q.Port))
	dial := q.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("NTS: %s does not take connections: %w; check its name, and that TCP port %d is let through",
			address, reason(err), q.Port)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	e, err := q.talk(ctx, conn)
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New("it did not answer in time")
		}
		return nil, fmt.Errorf("NTS: %s: %w", address, err)
	}
	e.Asked, _, _ = net.SplitHostPort(conn.RemoteAddr().String())
	return e, nil
}

// reason is an error of the network without the addresses, which the caller names.
func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

func (q Establish) talk(ctx context.Context, conn net.Conn) (*Establishment, error) {
	secure := tls.Client(conn, &tls.Config{
		ServerName: q.Name,
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{applicationP},
		// The certificate is verified all the same, by VerifyConnection: the time it is judged by depends on it.
		InsecureSkipVerify: true,
		VerifyConnection:   q.verify,
		Time:               func() time.Time { return q.Today().Time },
	})
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("no secure connection: %w", reason(err))
	}
	if secure.ConnectionState().NegotiatedProtocol != applicationP {
		return nil, errors.New("it does not establish keys for NTP there; check the port (nts_port)")
	}
	offered := q.Algorithms
	if len(offered) == 0 {
		offered = []Algorithm{AESSIVCMAC256, AES128GCMSIV}
	}
	if _, err := secure.Write(request{algorithms: offered, compliant: true}.append(nil)); err != nil {
		return nil, reason(err)
	}
	message, err := readMessage(secure, longestResponse)
	if err != nil {
		return nil, fmt.Errorf("its answer broke off: %w", err)
	}
	answer, err := parseResponse(message)
	if err != nil {
		return nil, err
	}
	known := false
	for _, a := range offered {
		known = known || a == answer.algorithm
	}
	if !known || answer.algorithm.keyLen() == 0 {
		return nil, fmt.Errorf("it chose %v, which was not offered", answer.algorithm)
	}
	e := &Establishment{Algorithm: answer.algorithm, Cookies: answer.cookies, Server: answer.server, Port: answer.port}
	if e.Port == 0 {
		e.Port = ntpPort
	}
	for i, c := range secure.ConnectionState().PeerCertificates {
		if i == 0 || c.NotBefore.After(e.ValidFrom) {
			e.ValidFrom = c.NotBefore
		}
		if i == 0 || c.NotAfter.Before(e.ValidUntil) {
			e.ValidUntil = c.NotAfter
		}
	}
	e.C2S, e.S2C, err = exportKeys(secure, answer.algorithm)
	secure.Close() // says goodbye, which lets the server close at once
	return e, err
}

// verify judges the certificate by what is known of the date.
func (q Establish) verify(state tls.ConnectionState) error {
	chain := state.PeerCertificates
	if len(chain) == 0 {
		return errors.New("the server has no certificate")
	}
	today := q.Today()
	options := x509.VerifyOptions{
		DNSName:       q.Name,
		Roots:         q.Roots,
		CurrentTime:   today.judge(chain),
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, c := range chain[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(options)
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		since := "by the station's time, " + today.Time.UTC().Format(time.DateTime)
		if !today.Known {
			since = "before this program was built, " + today.Time.UTC().Format(time.DateOnly)
		}
		return fmt.Errorf("its certificate is valid from %s to %s, but not %s; renew it, or check the station's time",
			invalid.Cert.NotBefore.UTC().Format(time.DateTime), invalid.Cert.NotAfter.UTC().Format(time.DateTime), since)
	}
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return fmt.Errorf("its certificate is signed by nobody who is trusted here; name the authority's certificate in ca")
	}
	return err
}

// exportKeys takes a session's keys from the secrets of its connection (RFC 8915, section 5.1).
func exportKeys(secure *tls.Conn, a Algorithm) (c2s, s2c []byte, err error) {
	state := secure.ConnectionState()
	export := func(direction byte) []byte {
		context := []byte{0, protocolNTP4, byte(a >> 8), byte(a), direction}
		key, e := state.ExportKeyingMaterial(exporterLabel, context, a.keyLen())
		err = errors.Join(err, e)
		return key
	}
	return export(0), export(1), err
}
