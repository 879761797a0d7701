package remote

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestBackOffAndRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.log.write(interval(at(0))...)
		var asked []time.Duration
		began := time.Now()
		answer := func(code int, headers ...string) func(http.ResponseWriter, int) bool {
			return func(w http.ResponseWriter, _ int) bool {
				asked = append(asked, time.Since(began))
				for i := 0; i < len(headers); i += 2 {
					w.Header().Set(headers[i], headers[i+1])
				}
				http.Error(w, "busy", code)
				return true
			}
		}
		b.storage.answers(answer(503))
		stop := b.run(t)
		time.Sleep(50 * time.Second)
		if len(b.alerts.codes()) > 0 {
			t.Error("an alert for a short failure:", b.alerts.codes())
		}
		time.Sleep(550 * time.Second)
		synctest.Wait()
		for i := 1; i < len(asked); i++ {
			if wait := asked[i] - asked[i-1]; wait < firstRetry/2 || wait > lastRetry*3/2 {
				t.Errorf("request %d came %v after the one before", i, wait)
			}
		}
		if n := len(asked); n < 10 || n > 25 {
			t.Errorf("%d requests in ten minutes: %v", n, asked)
		}
		if !slices.Equal(b.alerts.codes(), []string{AlertFailing}) {
			t.Error(b.alerts.codes())
		}
		for name, headers := range map[string][]string{
			"seconds": {"Retry-After", "300"},
			"a date":  {"Date", "Sun, 22 Nov 2026 13:00:00 GMT", "Retry-After", "Sun, 22 Nov 2026 13:05:00 GMT"},
		} {
			b.storage.answers(answer(429, headers...))
			b.storage.mu.Lock()
			asked = nil
			b.storage.mu.Unlock()
			time.Sleep(1000 * time.Second)
			synctest.Wait()
			for i := 1; i < len(asked); i++ {
				if wait := asked[i] - asked[i-1]; wait < 300*time.Second || wait > 301*time.Second {
					t.Errorf("%s: asked to wait for 300 s, it waited %v", name, wait)
				}
			}
			if len(asked) < 2 {
				t.Errorf("%s: %d requests", name, len(asked))
			}
		}
		b.storage.answers(nil)
		time.Sleep(5 * time.Minute)
		stop()
		if b.storage.count(ofStation) != 1 || len(b.alerts.codes()) > 0 {
			t.Error(b.storage.count(ofStation), b.alerts.codes())
		}
		if n := strings.Count(b.printed.String(), "\n"); n != 1 {
			t.Errorf("%d lines were printed:\n%s", n, b.printed)
		}
	})
}

// Refused rows are dropped with a count and one line, whatever their number, and nothing else is.
func TestRefusedRowsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.config.BatchRows = 3
		b.config.URL += "?key=sesame"
		b.storage.answers(func(w http.ResponseWriter, request int) bool {
			if request > 20 {
				return false
			}
			http.Error(w, "too old\x07\nsecond line", http.StatusBadRequest)
			return true
		})
		for i := range 20 {
			b.log.write(interval(at(16 * float64(i)))...)
		}
		stop := b.run(t)
		time.Sleep(time.Second)
		if !slices.Equal(b.alerts.codes(), []string{AlertRefused}) {
			t.Error(b.alerts.codes())
		}
		text := b.alerts.standing[AlertRefused].Text
		if !strings.Contains(text, "refused 60 rows") || strings.Contains(text, "sesame") ||
			!strings.Contains(text, "(it answered 400 Bad Request: too old)") {
			t.Error(text)
		}
		b.log.write(interval(at(1000))...)
		time.Sleep(2 * lookEvery)
		stop()
		if n := b.storage.asked(); n != 21 {
			t.Errorf("%d requests: what was refused was sent again", n)
		}
		if b.storage.count(ofStation) != 1 || len(b.alerts.codes()) > 0 {
			t.Error(b.storage.count(ofStation), b.alerts.codes())
		}
		if n := strings.Count(b.printed.String(), "\n"); n != 1 || !strings.Contains(b.printed.String(), "mend=") ||
			strings.Contains(b.printed.String(), "sesame") {
			t.Errorf("%d lines were printed:\n%s", n, b.printed)
		}
		if s, err := load(b.dir, b.config.URL); err != nil || s.RefusedRows != 60 || s.SentRows != 3 {
			t.Errorf("%+v %v", s, err)
		}
	})
}

func TestTokenFile(t *testing.T) {
	b := newBench(t)
	bad := func(want string) {
		t.Helper()
		_, err := New(b.config, b.options())
		if err == nil || !strings.HasPrefix(err.Error(), "remote_write.token_file: ") || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "sesame") {
			t.Errorf("%v, want %s", err, want)
		}
	}
	b.config.TokenFile = filepath.Join(t.TempDir(), "token")
	bad("create it with mode 0600")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.WriteFile(b.config.TokenFile, []byte(text), 0o600), os.Chmod(b.config.TokenFile, mode)); err != nil {
			t.Fatal(err)
		}
	}
	write("open sesame\n", 0o600)
	bad("is not one line with a token")
	write("\n", 0o600)
	bad("is not one line with a token")
	if runtime.GOOS != "windows" {
		write("sesame", 0o640)
		bad("run: chmod 600 " + b.config.TokenFile)
	}
	write("sesame\n", 0o600)
	if token, err := b.sender(t).token(); err != nil || token != "sesame" {
		t.Errorf("%q %v", token, err)
	}
}

// The protocol's headers, over TLS, with a certificate that is judged by the station's time.
func TestRequestOverTheNetwork(t *testing.T) {
	b := newBench(t)
	server := httptest.NewUnstartedServer(b.storage)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	server.StartTLS()
	defer server.Close()
	b.config.URL, b.config.TokenFile = server.URL+"/api/v1/write", filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(b.config.TokenFile, []byte("sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var body request
	body.addRow("studio", interval(at(0))[0])
	push := func(now time.Time) error {
		options := b.options()
		options.Now = func() time.Time { return now }
		s, err := New(b.config, options)
		if err != nil {
			t.Fatal(err)
		}
		transport := s.client.Transport.(*http.Transport)
		defer transport.CloseIdleConnections()
		transport.TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		return s.push(t.Context(), body.body())
	}
	if err := push(truth.Time()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf", "User-Agent": "timestation/1",
		"X-Prometheus-Remote-Write-Version": "0.1.0", "Authorization": "Bearer sesame",
	} {
		if got := b.storage.headers.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if b.storage.count(ofStation) != 1 {
		t.Error("the row did not arrive")
	}
	if err := push(truth.Time().AddDate(100, 0, 0)); err == nil || !strings.Contains(err.Error(), "certificate has expired") {
		t.Errorf("a hundred years later: %v", err)
	}
	b.storage.answers(func(w http.ResponseWriter, _ int) bool {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
		return true
	})
	if err := push(truth.Time()); err == nil || err.Error() != "it answered 302 Found" {
		t.Errorf("a redirection: %v", err)
	}
}
