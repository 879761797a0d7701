package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
)

// Actions are what a person may ask of the station; app connects them. Each is told who asked, and from which address.
type Actions struct {
	// AcceptJump takes the new time of a source that jumped; an empty source is all that are held back. It says what was
	// done.
	AcceptJump func(ctx context.Context, source, who, from string) (string, error)
	// Acknowledge notes that somebody has seen an alert.
	Acknowledge func(ctx context.Context, code, source, who, from string) error
}

// Request is the body of a POST.
type Request struct {
	// Source is a source's name; Code that of an alert.
	Source string `json:"source,omitempty"`
	Code   string `json:"code,omitempty"`
	// Who is the person as the log should name him.
	Who string `json:"who,omitempty"`
}

// Answer is what a POST answers: what was done, or why not.
type Answer struct {
	Done  string `json:"done,omitempty"`
	Error string `json:"error,omitempty"`
}

// token is what a bearer of it must show; only its hash is kept.
type token [sha256.Size]byte

// shortestToken is as many characters as cannot be guessed over a network.
const shortestToken = 16

// ReadToken reads a token file: one line, at least 16 characters, readable by its owner alone.
func ReadToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("token_file: %w; make one with: (umask 077; openssl rand -hex 24 > %s)", err, path)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("token_file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 && ownersOnly {
		return "", fmt.Errorf("token_file: %s can be read by others; mend it with: chmod 600 %s", path, path)
	}
	const most = 1 << 10
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return "", fmt.Errorf("token_file: %s: %w", path, err)
	}
	line := strings.TrimSpace(string(text))
	if len(line) < shortestToken || strings.ContainsAny(line, " \n\t") {
		return "", fmt.Errorf("token_file: %s does not hold one word of %d or more characters; make one with: openssl rand -hex 24", path, shortestToken)
	}
	return line, nil
}

// authorised tells whether a request bears the token. Without a token file nobody may do anything.
func (s Station) authorised(r *http.Request) error {
	shown, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if s.token == nil {
		return errors.New("this station takes no orders: name a token_file in the [web] section")
	}
	hash := token(sha256.Sum256([]byte(shown)))
	if !ok || subtle.ConstantTimeCompare(hash[:], s.token[:]) != 1 {
		return errors.New("the bearer token is missing or wrong")
	}
	return nil
}

// act answers a POST: 401 without the token, 409 where the station refuses.
func (s Station) act(do func(ctx context.Context, q Request, from string) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := func(code int, a Answer) {
			w.WriteHeader(code)
			_ = json.NewEncoder(w).Encode(a) // the client went away
		}
		if err := s.authorised(r); err != nil {
			w.Header().Set("WWW-Authenticate", "Bearer")
			answer(http.StatusUnauthorized, Answer{Error: err.Error()})
			return
		}
		const most = 4 << 10
		var q Request
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, most))
		d.DisallowUnknownFields()
		if err := d.Decode(&q); err != nil && !errors.Is(err, io.EOF) {
			answer(http.StatusBadRequest, Answer{Error: "the body is not a JSON object of source, code and who: " + err.Error()})
			return
		}
		if q.Who == "" {
			q.Who = "a bearer of the token"
		}
		from, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			from = r.RemoteAddr
		}
		done, err := do(r.Context(), q, from)
		if err != nil {
			answer(http.StatusConflict, Answer{Error: err.Error()})
			return
		}
		answer(http.StatusOK, Answer{Done: done})
	}
}

func (s Station) acceptJump(ctx context.Context, q Request, from string) (string, error) {
	return s.Actions.AcceptJump(ctx, q.Source, q.Who, from)
}

func (s Station) acknowledge(ctx context.Context, q Request, from string) (string, error) {
	if q.Code == "" {
		return "", errors.New("code: is missing; it is the alert's, as in /api/status")
	}
	return "acknowledged", s.Actions.Acknowledge(ctx, q.Code, q.Source, q.Who, from)
}
