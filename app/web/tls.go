package web

import (
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"timestation/app/keys"
)

// The values of Config.TLS.
const (
	tlsOff        = "off"
	tlsFiles      = "files"
	tlsSelfSigned = "self-signed"
)

const (
	// selfSignedFolder is in the data folder; its ca.crt is what a browser may be told to trust.
	selfSignedFolder = "web-tls"
	// selfSignedDays is as long as every browser takes from a private authority; renewBefore is when a start renews it.
	selfSignedDays = 820
	renewBefore    = 200 * 24 * time.Hour
)

// certificate is what the server shows; it can be exchanged while it runs.
type certificate struct {
	config  Config
	station Station
	current atomic.Pointer[tls.Certificate]
}

// reload reads the files again, or makes them; after an error the old certificate stays in force.
func (c *certificate) reload() error {
	chain, key := c.config.Certificate, c.config.Key
	if c.config.TLS == tlsSelfSigned {
		folder := filepath.Join(c.station.DataDir, selfSignedFolder)
		chain, key = filepath.Join(folder, keys.ServerCertificate), filepath.Join(folder, keys.ServerKey)
		if err := c.selfSign(folder, chain, key); err != nil {
			return fmt.Errorf("web.tls: %w", err)
		}
	}
	pair, err := tls.LoadX509KeyPair(chain, key)
	if err != nil {
		return fmt.Errorf("web.certificate: %s with %s: %w; name a chain in PEM and its own key", chain, key, err)
	}
	c.current.Store(&pair)
	return nil
}

// selfSign makes a certificate where there is none that lasts, for the names and addresses that this machine has.
func (c *certificate) selfSign(folder, chain, key string) error {
	// Before the time is known, the date is at least the program's.
	now := time.Unix(0, int64(c.station.Now())).UTC()
	if r := c.station.Board.Load().At(c.station.Now()); r.Known {
		now = r.Instant.UTC().Time()
	}
	if now.Before(c.station.Built) {
		now = c.station.Built
	}
	pair, err := tls.LoadX509KeyPair(chain, key)
	switch {
	case err == nil && now.Add(renewBefore).Before(pair.Leaf.NotAfter):
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w; remove %s, so that another is made", err, folder)
	}
	q := keys.Request{Folder: folder, Names: []string{"localhost"}, Days: selfSignedDays, Now: now, Force: true}
	if name, err := os.Hostname(); err == nil && name != "" && name != "localhost" {
		q.Names = append(q.Names, name, name+".local")
	}
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok {
			q.Addresses = append(q.Addresses, n.IP)
		}
	}
	_, err = keys.Issue(q)
	return err
}

// fingerprint is what a person compares with what the browser shows.
func (c *certificate) fingerprint() string {
	return fmt.Sprintf("%X", sha256.Sum256(c.current.Load().Certificate[0]))
}

func (c *certificate) configuration() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}
