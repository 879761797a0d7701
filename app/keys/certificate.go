package keys

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// The files in the folder of a private authority.
const (
	AuthorityKey         = "ca.key"
	AuthorityCertificate = "ca.crt"
	ServerKey            = "server.key"
	ServerCertificate    = "server.crt"
)

const (
	day = 24 * time.Hour
	// authorityDays is for how long a new authority is valid: as long as nobody wants to visit every client.
	authorityDays = 20 * 365
	// early is how long before now a certificate is valid already, for clients whose clock is behind.
	early = 2 * day
)

// Request is a certificate that is wanted.
type Request struct {
	// Folder is where the files lie; an authority that is there already signs.
	Folder string
	// Names and Addresses are how clients call the server; at least one is needed.
	Names     []string
	Addresses []net.IP
	// Days is for how long the server's certificate is valid.
	Days int
	// Now is the date, or the earliest that it can be.
	Now time.Time
	// Force replaces a server's certificate and key that are there already. The authority is never replaced: all clients
	// trust it.
	Force bool
}

// Issued is what Issue made.
type Issued struct {
	// NewAuthority: there was none in the folder.
	NewAuthority bool
	// NotAfter is when the server's certificate expires.
	NotAfter time.Time
}

// Issue makes a certificate that serves NTS (RFC 8915) and TLS in general, over the P-256 curve, signed by the private
// authority in the folder, which is made where there is none. Private keys can be read by their owner alone. Errors are
// one line: the file, the reason, the mend.
func Issue(q Request) (issued Issued, err error) {
	if err := os.MkdirAll(q.Folder, 0o700); err != nil {
		return issued, writeError(q.Folder, err)
	}
	if !q.Force {
		for _, name := range []string{ServerKey, ServerCertificate} {
			path := filepath.Join(q.Folder, name)
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				return issued, fmt.Errorf("%s: exists already and is left as it is; renew it with --force, or name another folder with --out", path)
			}
		}
	}
	authority, signer, err := readAuthority(q)
	if errors.Is(err, fs.ErrNotExist) {
		issued.NewAuthority = true
		authority, signer, err = makeAuthority(q)
	}
	if err != nil {
		return issued, err
	}
	certificate := q.certificate()
	if certificate.NotAfter.After(authority.NotAfter) {
		certificate.NotAfter = authority.NotAfter
	}
	issued.NotAfter = certificate.NotAfter
	return issued, q.write(ServerKey, ServerCertificate, certificate, authority, signer)
}

// CertifiedNames are the names and addresses of the server's certificate that is in the folder, none where there is none.
func CertifiedNames(folder string) (names []string) {
	text, err := os.ReadFile(filepath.Join(folder, ServerCertificate))
	if err != nil {
		return nil
	}
	certificate, err := parsePEM(text, x509.ParseCertificate)
	if err != nil {
		return nil
	}
	names = append(names, certificate.DNSNames...)
	for _, a := range certificate.IPAddresses {
		names = append(names, a.String())
	}
	return names
}

func (q Request) certificate() *x509.Certificate {
	name := append([]string{}, q.Names...)
	for _, a := range q.Addresses {
		name = append(name, a.String())
	}
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: name[0]},
		NotBefore:   q.Now.Add(-early),
		NotAfter:    q.Now.Add(time.Duration(q.Days) * day),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    q.Names,
		IPAddresses: q.Addresses,
	}
}

func makeAuthority(q Request) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	certificate := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Timestation's own authority"},
		NotBefore:             q.Now.Add(-early),
		NotAfter:              q.Now.Add(authorityDays * day),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	if err := q.write(AuthorityKey, AuthorityCertificate, certificate, nil, nil); err != nil {
		return nil, nil, err
	}
	return readAuthority(q)
}

// readAuthority gives fs.ErrNotExist where neither file is there.
func readAuthority(q Request) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	certificatePath, keyPath := filepath.Join(q.Folder, AuthorityCertificate), filepath.Join(q.Folder, AuthorityKey)
	certificateText, certificateErr := os.ReadFile(certificatePath)
	keyText, keyErr := os.ReadFile(keyPath)
	switch {
	case errors.Is(certificateErr, fs.ErrNotExist) && errors.Is(keyErr, fs.ErrNotExist):
		return nil, nil, fs.ErrNotExist
	case errors.Is(certificateErr, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("%s is missing beside its key; bring it back, or name another folder with --out", certificatePath)
	case errors.Is(keyErr, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("%s is missing beside its certificate; bring it back, or name another folder with --out", keyPath)
	case certificateErr != nil:
		return nil, nil, readError(certificatePath, certificateErr)
	case keyErr != nil:
		return nil, nil, readError(keyPath, keyErr)
	}
	certificate, err := parsePEM(certificateText, x509.ParseCertificate)
	if err != nil {
		return nil, nil, fmt.Errorf("%s is no certificate (%w); bring it back, or name another folder with --out", certificatePath, err)
	}
	key, err := parsePEM(keyText, x509.ParsePKCS8PrivateKey)
	signer, ok := key.(*ecdsa.PrivateKey)
	if err != nil || !ok || !signer.PublicKey.Equal(certificate.PublicKey) || !certificate.IsCA {
		return nil, nil, fmt.Errorf("%s is not the key of the authority in %s; bring it back, or name another folder with --out", keyPath, certificatePath)
	}
	if certificate.NotAfter.Before(q.Now) {
		return nil, nil, fmt.Errorf("%s has expired on %s; name another folder with --out for a new authority, and give that to all clients",
			certificatePath, certificate.NotAfter.Format(time.DateOnly))
	}
	return certificate, signer, nil
}

func parsePEM[T any](text []byte, parse func([]byte) (T, error)) (value T, err error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return value, errors.New("there is no PEM block")
	}
	return parse(block.Bytes)
}

// write makes a key and its certificate, signed by the authority, or by itself where there is none. The certificate of a
// server is followed by the authority's, as a chain.
func (q Request) write(keyName, certificateName string, certificate, authority *x509.Certificate, signer *ecdsa.PrivateKey) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if authority == nil {
		authority, signer = certificate, key
	}
	if certificate.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, certificate, authority, &key.PublicKey, signer)
	if err != nil {
		return fmt.Errorf("--name: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if authority != certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw})...)
	}
	err = replace(filepath.Join(q.Folder, keyName), 0o600, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	if err != nil {
		return err
	}
	return replace(filepath.Join(q.Folder, certificateName), 0o644, chain)
}
