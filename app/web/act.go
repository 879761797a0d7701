package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"timestation/app/secret"
	"timestation/app/web/access"
)

// Actions are what a person may ask of the station; app connects them. Each is told who asked, and from which address.
type Actions struct {
	// AcceptJump takes the new time of a source that jumped; an empty source is all that are held back. It says what was
	// done.
	AcceptJump func(ctx context.Context, source, who, from string) (string, error)
	// Acknowledge notes that somebody has seen an alert.
	Acknowledge func(ctx context.Context, code, source, who, from string) error
	// TestAlerts sends a marked test to a place that hears of alerts, or to all, and says what the far sides answered.
	TestAlerts func(ctx context.Context, place, who, from string) (string, error)
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

// shortestToken is as many characters as cannot be guessed over a network, however often somebody may try: 64 bits in hex
// at 10,000 guesses a second take 29 million years on average.
const shortestToken = 16

// ReadToken reads a file with one token as its bearer keeps it: one line, at least 16 characters, readable by its owner
// alone.
func ReadToken(path string) (string, error) {
	text, err := secret.Text(path, "openssl rand -hex 24")
	if err != nil {
		return "", fmt.Errorf("token_file: %w", err)
	}
	line := strings.TrimSpace(text)
	if strings.Contains(line, "sha256:") {
		return "", fmt.Errorf(
			"token_file: %s holds the hashes of tokens, not a token; it belongs in tokens of the [web] section, and here a file with what timestation token new has printed",
			path,
		)
	}
	if len(line) < shortestToken || strings.ContainsAny(line, " \n\t") {
		return "", fmt.Errorf(
			"token_file: %s does not hold one word of %d or more characters; make one with: openssl rand -hex 24",
			path,
			shortestToken,
		)
	}
	return line, nil
}

// sameOrigin refuses what another site's page has made a browser send.
var sameOrigin = http.NewCrossOriginProtection()

// mostBody is the largest body of a POST, in bytes.
const mostBody = 4 << 10

// act answers a POST of who may operate the station: 401 without a token or a session, 403 where its role is not enough,
// 409 where the station refuses.
func (s Station) act(do func(ctx context.Context, q Request, from string) (string, error)) http.HandlerFunc {
	return s.actAs(access.Operate, do)
}

// actAs is act for another role.
func (s Station) actAs(
	needed access.Role,
	do func(ctx context.Context, q Request, from string) (string, error),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := sameOrigin.Check(r); err != nil {
			refuse(w, err)
			return
		}
		token, err := s.guard.may(r, needed)
		if err != nil {
			refuse(w, err)
			return
		}
		var q Request
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBody))
		d.DisallowUnknownFields()
		if err := d.Decode(&q); err != nil && !errors.Is(err, io.EOF) {
			writeJSON(
				w,
				http.StatusBadRequest,
				Answer{Error: "the body is not a JSON object of source, code and who: " + err.Error()},
			)
			return
		}
		q.Who = named(token, q.Who)
		done, err := do(r.Context(), q, from(r))
		if err != nil {
			writeJSON(w, http.StatusConflict, Answer{Error: err.Error()})
			return
		}
		writeJSON(w, http.StatusOK, Answer{Done: done})
	}
}

// named is who the log says it was: who a token was made for is sure, what its bearer says of himself is not.
func named(token access.Token, said string) string {
	switch {
	case token.Name == singleToken && said == "":
		return "a bearer of the token"
	case token.Name == singleToken:
		return said
	case said == "" || said == token.Name:
		return token.Name
	}
	return token.Name + " (says " + said + ")"
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
