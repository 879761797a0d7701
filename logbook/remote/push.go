package remote

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// requestTimeout is how long a storage may take to say whether it took a request.
const requestTimeout = 30 * time.Second

// longestReason is how many octets of a storage's explanation are read.
const longestReason = 1024

// refusal is an answer after which the request must not be sent again.
type refusal struct {
	status int
	reason string
}

func (r refusal) Error() string { return answerText(r.status, r.reason) }

// mend says what a person can do about it.
func (r refusal) mend() string {
	switch r.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "correct the token in token_file"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return "correct url; a Prometheus takes writes at /api/v1/write, started with --web.enable-remote-write-receiver"
	}
	return "if the rows were too old for it: give a Prometheus a storage.tsdb.out_of_order_time_window"
}

// trouble is why a request was not taken and is to be tried again, and after how long the storage would like it to be.
type trouble struct {
	error
	after time.Duration
}

// perhapsTaken reports whether a request may have been taken although the answer did not come.
func perhapsTaken(err error) bool {
	var answered trouble
	var network *net.OpError
	return !errors.As(err, &answered) && !(errors.As(err, &network) && network.Op == "dial")
}

func answerText(status int, reason string) string {
	text := fmt.Sprintf("it answered %d %s", status, http.StatusText(status))
	if reason != "" {
		text += ": " + reason
	}
	return text
}

// newClient makes the client. Certificates are judged by the station's time, since the system clock may say 1970.
func newClient(now func() time.Time) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{Time: now, MinVersion: tls.VersionTLS12}
	return &http.Client{
		Transport: transport,
		Timeout:   requestTimeout,
		// A redirection would turn the request into one without rows.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// push sends one request: nil when it was taken, a refusal, or another error when it is to be tried again.
func (s *Sender) push(ctx context.Context, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.config.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Encoding", "snappy")
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("User-Agent", "timestation/"+s.options.Version)
	request.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0") // of the protocol's version 1.0
	token, err := s.token()
	if err != nil {
		return trouble{error: err}
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := s.client.Do(request)
	if err != nil {
		var about *url.Error // names the address once more
		if errors.As(err, &about) {
			err = about.Err
		}
		return err
	}
	defer answer.Body.Close()
	reason, _ := io.ReadAll(io.LimitReader(answer.Body, longestReason))
	switch code := answer.StatusCode; {
	case code/100 == 2:
		return nil
	case code/100 == 4 && code != http.StatusTooManyRequests:
		return refusal{code, firstLine(reason)}
	default:
		return trouble{errors.New(answerText(code, firstLine(reason))), retryAfter(answer.Header)}
	}
}

// token reads the bearer token anew; empty without a token file.
func (s *Sender) token() (string, error) {
	path := s.config.TokenFile
	if path == "" {
		return "", nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("token_file: %w; create it with mode 0600", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("token_file: %s can be read by others; run: chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("token_file: %w; let the station's user read it", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("token_file: %s is not one line with a token; write the token alone into it", path)
	}
	return token, nil
}

// retryAfter reads the header of RFC 9110, section 10.2.3. A date is taken against the storage's own, so that no clock of
// ours comes into it.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return max(0, at.Sub(date))
}

// firstLine is an explanation as it can be shown: one line without what cannot be printed.
func firstLine(text []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	line = strings.ToValidUTF8(line, "?")
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return -1
	}, line)
}
