package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

func init() {
	register(Registration{
		Kind: "webhook",
		Help: "An HTTP POST of each notice as JSON. X-Timestation-Signature is sha256= and the HMAC-SHA256 of the body under " +
			"the secret, in hexadecimal; X-Timestation-Id is the same when a notice is sent again.",
		NewSettings: func() Settings { return &webhookSettings{} },
		New: func(s Settings, e Environment) (any, error) {
			c := *s.(*webhookSettings)
			if err := checkSecret("secret_file", c.SecretFile); err != nil {
				return nil, err
			}
			client, err := newHTTPClient(e, c.CAFile)
			return &webhook{c, client, e.Version}, err
		},
	})
}

type webhookSettings struct {
	URL        string `mapstructure:"url" help:"Where to post, such as https://hooks.example.org/time."`
	SecretFile string `mapstructure:"secret_file" help:"File of mode 0600 with the secret that signs each body; read for each, so that it can be exchanged. Empty: unsigned."`
	CAFile     string `mapstructure:"ca_file" help:"Certificates in PEM to trust besides the system's."`
}

func (c *webhookSettings) Validate() error { return checkURL(c.URL, "https://hooks.example.org/time") }

// webhook posts notices.
type webhook struct {
	settings webhookSettings
	client   *http.Client
	version  string
}

// Send implements Sink.
func (w *webhook) Send(ctx context.Context, n Notice) (string, error) {
	body, err := json.Marshal(n)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.settings.URL, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Timestation/"+w.version)
	request.Header.Set("X-Timestation-Id", n.ID)
	if w.settings.SecretFile != "" {
		secret, err := readSecret("secret_file", w.settings.SecretFile)
		if err != nil {
			return "", err
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		request.Header.Set("X-Timestation-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	return exchange(w.client, request)
}

// newHTTPClient follows no redirect: what is signed or bears a token goes where the configuration says, or nowhere.
func newHTTPClient(e Environment, caFile string) (*http.Client, error) {
	secure, err := e.tlsConfig(caFile)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = secure
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// exchange posts, and gives the answer in one line. Errors name the host alone: path and query of a hook may be its secret,
// and errors are shown to whoever may read the status.
func exchange(client *http.Client, request *http.Request) (string, error) {
	answer, err := client.Do(request)
	if err != nil {
		return "", fmt.Errorf("%s: %s", request.URL.Host, oneLine(strings.ReplaceAll(unwrapAll(err).Error(), request.URL.String(), request.URL.Host)))
	}
	defer answer.Body.Close()
	const most = 1 << 10
	text, _ := io.ReadAll(io.LimitReader(answer.Body, most)) // the status is what counts
	said := strings.TrimSpace(answer.Status + " " + oneLine(string(text)))
	switch code := answer.StatusCode; {
	case code < http.StatusMultipleChoices:
		return said, nil
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= http.StatusInternalServerError,
		code == http.StatusUnauthorized || code == http.StatusForbidden || code == http.StatusNotFound:
		return "", fmt.Errorf("%s answered %s", request.URL.Host, said) // which a person may mend
	}
	return "", fmt.Errorf("%s answered %s: %w", request.URL.Host, said, ErrRefused)
}

// unwrapAll gives what is at the bottom of url.Error, which names the address in full.
func unwrapAll(err error) error {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok || inner.Unwrap() == nil {
			return err
		}
		err = inner.Unwrap()
	}
}
