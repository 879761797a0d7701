package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"timestation/app/web"
)

// standardToken is where the token of this machine's own commands is.
const standardToken = "/etc/timestation/token"

// operator is how a person's commands reach a running station.
type operator struct {
	station, tokenFile, who string
	// patience is how long the station may take; 0 is 5 s.
	patience time.Duration
}

// reach adds the flags that say which station, and with which token.
func (o *operator) reach(c *cobra.Command) {
	c.Flags().StringVar(&o.station, "station", standardStation, "address of the station's web page")
	c.Flags().StringVar(&o.tokenFile, "token-file", standardToken, "file with a token of the station: see timestation token new")
}

func (o *operator) register(c *cobra.Command) {
	o.reach(c)
	c.Flags().StringVar(&o.who, "who", "", "who the log says it was (default: the user)")
}

// get asks the station for what stands under a path. A token is shown only where it is asked for.
func (o *operator) get(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(o.station, "/")+path, nil)
	if err != nil || request.URL.Host == "" {
		return nil, usageError{fmt.Errorf("--station: %q is not an address; write for instance %s", o.station, standardStation)}
	}
	answer, err := http.DefaultClient.Do(request)
	if err == nil && answer.StatusCode == http.StatusUnauthorized { // [web] view = "token"
		answer.Body.Close()
		if o.tokenFile == standardToken && !isOwn(request.URL.Hostname()) { // this machine's token goes to nobody else
			return nil, fmt.Errorf("%s shows nothing without a token; name a file with one of its tokens: --token-file FILE", o.station)
		}
		token, err := web.ReadToken(o.tokenFile)
		if err != nil {
			return nil, fmt.Errorf("%s shows nothing without a token; --%s", o.station, strings.Replace(err.Error(), "_", "-", 1))
		}
		request.Header.Set("Authorization", "Bearer "+token)
		if answer, err = http.DefaultClient.Do(request); err != nil {
			return nil, unreachable(o.station, err)
		}
	} else if err != nil {
		return nil, unreachable(o.station, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusUnauthorized {
		return nil, fmt.Errorf("%s does not know the token in %s; make one there with: timestation token new NAME --role view", o.station, o.tokenFile)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, unexpected(o.station, answer)
	}
	const most = 16 << 20
	return io.ReadAll(io.LimitReader(answer.Body, most))
}

// post asks the station to do something, and gives what it did.
func (o *operator) post(ctx context.Context, path string, q web.Request) (string, error) {
	if q.Who = o.who; q.Who == "" {
		q.Who = "a bearer of the token"
		if u, err := user.Current(); err == nil {
			q.Who = u.Username
		}
	}
	body, err := json.Marshal(q)
	if err != nil {
		return "", err
	}
	return o.send(ctx, path, body)
}

// send is post for any body.
func (o *operator) send(ctx context.Context, path string, body []byte) (string, error) {
	token, err := web.ReadToken(o.tokenFile)
	if err != nil {
		return "", fmt.Errorf("--%s", strings.Replace(err.Error(), "_", "-", 1))
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(o.patience, 5*time.Second))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(o.station, "/")+path, bytes.NewReader(body))
	if err != nil || request.URL.Host == "" {
		return "", usageError{fmt.Errorf("--station: %q is not an address; write for instance %s", o.station, standardStation)}
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", unreachable(o.station, err)
	}
	defer answer.Body.Close()
	const most = 1 << 20
	var a web.Answer
	if !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
		return "", unexpected(o.station, answer)
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, most)).Decode(&a); err != nil {
		return "", unexpected(o.station, answer)
	}
	if a.Error != "" {
		return "", fmt.Errorf("%s refused: %s", o.station, a.Error)
	}
	return a.Done, nil
}

// isOwn reports whether a host is this machine.
func isOwn(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// unreachable says why nothing came of a request.
func unreachable(address string, err error) error {
	if wrong := (&tls.CertificateVerificationError{}); errors.As(err, &wrong) {
		return fmt.Errorf("%s shows a certificate that is not trusted (%w); name who signed it, such as the station's web-tls/ca.crt: SSL_CERT_FILE=ca.crt timestation …",
			address, wrong.Err)
	}
	return fmt.Errorf("no station answers at %s; start one with `timestation run`, or name its address with --station", address)
}

// unexpected says of an answer that it is none of a station's.
func unexpected(address string, answer *http.Response) error {
	const most = 1 << 10
	said, _ := io.ReadAll(io.LimitReader(answer.Body, most)) // the code alone says it too
	if answer.StatusCode == http.StatusBadRequest && strings.Contains(string(said), "HTTPS server") {
		return fmt.Errorf("%s speaks HTTPS; ask it with --station %s", address, strings.Replace(address, "http:", "https:", 1))
	}
	return fmt.Errorf("%s answered %s; is that a Timestation of this version?", address, answer.Status)
}
