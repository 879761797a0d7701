package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"timestation/app/keys"
	"timestation/engine/clock"
)

func keysCertCommand() *cobra.Command {
	var q keys.Request
	var names []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "cert",
		Short: "Make a private certificate authority, and a server certificate for NTS",
		Long: `Makes a certificate for the station's NTS server (RFC 8915), signed by a private authority, into a folder with mode 0700.
The authority is made with it, or the one in the folder signs again, so that the clients need nothing new when the
server's certificate is renewed. Keep its key, ca.key, where the server is not.`,
		Example: `  timestation keys cert --name time.example.org --name 192.168.1.20
  timestation keys cert --name time.example.org --out ./timestation-ca --force    (renews it)`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.Days < 1 || q.Days > 20*365 {
				return usageError{fmt.Errorf("--days: %d is not within 1 and 7300; write for instance 730", q.Days)}
			}
			if len(names) == 0 {
				names = keys.CertifiedNames(q.Folder)
			}
			if len(names) == 0 {
				names = ownNames()
			}
			for _, name := range names {
				if a := net.ParseIP(name); a != nil {
					q.Addresses = append(q.Addresses, a)
				} else if name == "" || strings.ContainsAny(name, " :/%*") {
					return usageError{fmt.Errorf("--name: %q is no host name and no IP address; write for instance time.example.org", name)}
				} else {
					q.Names = append(q.Names, name)
				}
			}
			if len(names) == 0 {
				return usageError{fmt.Errorf("--name: this machine has no name or address of its own; say how the clients call it")}
			}
			// A machine without a clock of its own may say 1970: then the date is at least the program's.
			if q.Now = time.Unix(0, int64(clock.Now())).UTC(); q.Now.Before(built()) {
				q.Now = built()
				fmt.Fprintf(cmd.ErrOrStderr(), "The system clock is wrong; the certificate is valid from %s on.\n", q.Now.Format(time.DateOnly))
			}
			issued, err := keys.Issue(q)
			if err != nil {
				return err
			}
			return printIssued(cmd.OutOrStdout(), q, names, issued, asJSON)
		},
	}
	c.Flags().StringArrayVar(&names, "name", nil, "host name or IP address that clients use; may be repeated (default: those of the certificate that is renewed, or this machine's own)")
	c.Flags().StringVar(&q.Folder, "out", "timestation-ca", "folder for the authority and the certificate")
	c.Flags().IntVar(&q.Days, "days", 730, "for how long the server's certificate is valid")
	c.Flags().BoolVar(&q.Force, "force", false, "replace the server's certificate and key; the authority stays")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// ownNames are the machine's name and the addresses that others can reach it by.
func ownNames() (names []string) {
	if name, err := os.Hostname(); err == nil && name != "" {
		names = append(names, name)
	}
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			names = append(names, n.IP.String())
		}
	}
	return names
}

// issuedReport is what --json tells.
type issuedReport struct {
	Names        []string  `json:"names"`
	Certificate  string    `json:"certificate"`
	Key          string    `json:"key"`
	Authority    string    `json:"authority"`
	NewAuthority bool      `json:"new_authority"`
	NotAfter     time.Time `json:"not_after"`
}

func printIssued(w io.Writer, q keys.Request, names []string, issued keys.Issued, asJSON bool) error {
	folder, err := filepath.Abs(q.Folder)
	if err != nil {
		folder = q.Folder
	}
	r := issuedReport{
		Names: names, NewAuthority: issued.NewAuthority, NotAfter: issued.NotAfter,
		Certificate: filepath.Join(folder, keys.ServerCertificate), Key: filepath.Join(folder, keys.ServerKey),
		Authority: filepath.Join(folder, keys.AuthorityCertificate),
	}
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	var out strings.Builder
	fmt.Fprintf(&out, `A certificate for %s, valid until %s. In the station's configuration, beside nts = true in a [[listener]]:
  [nts]
  certificate = %q
  key = %q
`, strings.Join(names, ", "), issued.NotAfter.Format(time.DateOnly), r.Certificate, r.Key)
	if !issued.NewAuthority {
		fmt.Fprintf(&out, "It is signed by the authority that was there already: the clients need nothing new.\n")
		_, err = io.WriteString(w, out.String())
		return err
	}
	fmt.Fprintf(&out, `Copy to every client, as timestation.crt: %s (nothing secret)
A client with chrony, in /etc/chrony/chrony.conf:
  ntstrustedcerts /etc/chrony/timestation.crt
  server %[2]s iburst nts
A client with ntpsec, in /etc/ntpsec/ntp.conf:
  server %[2]s nts ca /etc/ntpsec/timestation.crt
Keep %[3]s where the server is not: whoever has it can pose as the server. It is needed again to renew the certificate.
`, r.Authority, names[0], filepath.Join(folder, keys.AuthorityKey))
	_, err = io.WriteString(w, out.String())
	return err
}
