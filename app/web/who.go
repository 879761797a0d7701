package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"timestation/app/web/access"
)

// guard decides who may do what. A nil one lets everybody read, and nobody do anything.
type guard struct {
	// tokens is the path of the token file, read anew each time: a token that was revoked ends at once. It is empty where
	// there is none.
	tokens string
	// single is the one token of token_file, nil where there is none.
	single *access.Token
	// closed: reading needs a token too.
	closed   bool
	sessions *access.Sessions
	attempts *access.Attempts
}

// newGuard reads what the configuration names, so that a mistake is an error of the start.
func newGuard(c Config) (*guard, error) {
	g := &guard{
		tokens:   c.Tokens,
		closed:   c.View == viewToken,
		sessions: access.NewSessions(),
		attempts: access.NewAttempts(),
	}
	if c.TokenFile != "" {
		text, err := ReadToken(c.TokenFile)
		if err != nil {
			return nil, err
		}
		g.single = &access.Token{Name: singleToken, Role: access.Admin, Hash: access.HashOf(text)}
	}
	// Before the first token is made there is no file.
	if _, err := g.known(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return g, nil
}

// singleToken is the name of the token of token_file.
const singleToken = "token_file"

// known are the tokens in force. After an error it is none but the single one.
func (g *guard) known() (tokens []access.Token, err error) {
	if g.tokens != "" {
		var f *access.File
		if f, err = access.Open(g.tokens); err == nil {
			tokens = f.Tokens()
		}
	}
	if g.single != nil {
		tokens = append(tokens, *g.single)
	}
	return tokens, err
}

// refusal is why a request is not granted.
type refusal struct {
	code int
	text string
	wait time.Duration
}

func (r *refusal) Error() string { return r.text }

var errNoOrders = &refusal{code: http.StatusUnauthorized,
	text: "this station takes no orders: make a token with timestation token new, and name its file as tokens (or a token_file) in the [web] section"}

// bearer finds the token that a secret is, for whoever asks from an address; too many wrong ones bar the address for
// others. A right one always passes: it is too long to be guessed, and whoever shares the address with a program that goes
// on asking with a revoked token must still be able to log in.
func (g *guard) bearer(secret string, from netip.Addr) (access.Token, error) {
	tokens, err := g.known()
	if token, ok := access.Find(tokens, access.HashOf(secret)); ok {
		return token, nil
	}
	if wait := g.attempts.Barred(from); wait > 0 {
		return access.Token{}, &refusal{
			http.StatusTooManyRequests,
			"too many wrong tokens came from this address; wait a minute",
			wait,
		}
	}
	if len(tokens) == 0 {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return access.Token{}, &refusal{
				code: http.StatusServiceUnavailable,
				text: "the token file of this station cannot be read: " + err.Error(),
			}
		}
		return access.Token{}, errNoOrders
	}
	g.attempts.Failed(from)
	return access.Token{}, &refusal{code: http.StatusUnauthorized, text: "the bearer token is missing or wrong"}
}

// cookieName is the session's cookie.
const cookieName = "timestation"

// identify says whose token a request shows, as a bearer or by a session.
func (g *guard) identify(r *http.Request) (access.Token, error) {
	if ofScreen(r) {
		return screenToken, nil
	}
	if g == nil {
		return access.Token{}, errNoOrders
	}
	// Another scheme is a proxy's business.
	if scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		return g.bearer(secret, address(r))
	}
	tokens, err := g.known()
	if cookie, e := r.Cookie(cookieName); e == nil {
		if hash, ok := g.sessions.Token(cookie.Value); ok {
			if token, ok := access.Find(tokens, hash); ok {
				return token, nil
			}
		}
	}
	if len(tokens) == 0 && (err == nil || errors.Is(err, fs.ErrNotExist)) {
		return access.Token{}, errNoOrders
	}
	return access.Token{}, &refusal{
		code: http.StatusUnauthorized,
		text: "the bearer token is missing or wrong, or the session has ended",
	}
}

// may is identify for somebody who needs a role.
func (g *guard) may(r *http.Request, needed access.Role) (access.Token, error) {
	token, err := g.identify(r)
	if err == nil && !token.Role.May(needed) {
		err = &refusal{
			code: http.StatusForbidden,
			text: fmt.Sprintf("the token %s may %s, and this needs %s", token.Name, token.Role, needed),
		}
	}
	return token, err
}

// address is the other side's. What a proxy says in a header is not believed: anybody can say it.
func address(r *http.Request) netip.Addr {
	a, _ := netip.ParseAddrPort(r.RemoteAddr) // the zero address stands for what has none
	return a.Addr().Unmap()
}

// from is the other side's address for the log.
func from(r *http.Request) string {
	if ofScreen(r) {
		return "local"
	}
	if a := address(r); a.IsValid() {
		return a.String()
	}
	return r.RemoteAddr
}

// refuse answers with the reason.
func refuse(w http.ResponseWriter, err error) {
	code := http.StatusForbidden
	var why *refusal
	if errors.As(err, &why) {
		code = why.code
		if why.wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(1+int(why.wait/time.Second)))
		}
	}
	if code == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeJSON(w, code, Answer{Error: err.Error()})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // the client went away
}

// readers lets a handler answer whoever may read.
func (s Station) readers(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := s.mayRead(r); err != nil {
			refuse(w, err)
			return
		}
		h(w, r)
	}
}

func (s Station) mayRead(r *http.Request) error {
	if s.guard == nil || !s.guard.closed {
		return nil
	}
	_, err := s.guard.may(r, access.View)
	return err
}

// Session is what GET /api/session and POST /api/login answer.
type Session struct {
	// Name and Role are of the token shown; empty where there is none.
	Name string      `json:"name,omitempty"`
	Role access.Role `json:"role,omitempty"`
	// Closed: without a token this station shows nothing. Orders: it takes orders from who shows one.
	Closed bool `json:"closed"`
	Orders bool `json:"orders"`
}

func (s Station) session(token access.Token) Session {
	answer := Session{Name: token.Name, Role: token.Role}
	if s.guard != nil {
		tokens, _ := s.guard.known()
		answer.Closed, answer.Orders = s.guard.closed, len(tokens) > 0
	}
	return answer
}

func (s Station) serveSession(w http.ResponseWriter, r *http.Request) {
	token, _ := s.guard.identify(r)
	writeJSON(w, http.StatusOK, s.session(token))
}

// login begins a session for a browser; the log says who, from where, and also who failed.
func (s Station) login(w http.ResponseWriter, r *http.Request) {
	if err := sameOrigin.Check(r); err != nil {
		refuse(w, err)
		return
	}
	if s.guard == nil {
		refuse(w, errNoOrders)
		return
	}
	var q struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBody)).Decode(&q); err != nil {
		writeJSON(w, http.StatusBadRequest, Answer{Error: "the body is not a JSON object with a token"})
		return
	}
	token, err := s.guard.bearer(strings.TrimSpace(q.Token), address(r))
	if err != nil {
		var why *refusal
		// Of a flood the first few are enough, and where there are no tokens nobody has tried one.
		if errors.As(err, &why) && why.wait == 0 && why.code == http.StatusUnauthorized && why != errNoOrders {
			s.note("login refused", "", from(r))
		}
		refuse(w, err)
		return
	}
	s.note("login", token.Name, from(r))
	http.SetCookie(w, s.cookie(s.guard.sessions.Begin(token.Hash), int(access.SessionLasts/time.Second)))
	writeJSON(w, http.StatusOK, s.session(token))
}

func (s Station) logout(w http.ResponseWriter, r *http.Request) {
	if err := sameOrigin.Check(r); err != nil {
		refuse(w, err)
		return
	}
	if cookie, err := r.Cookie(cookieName); err == nil && s.guard != nil {
		if token, err := s.guard.identify(r); err == nil {
			s.note("logout", token.Name, from(r))
		}
		s.guard.sessions.End(cookie.Value)
	}
	http.SetCookie(w, s.cookie("", -1))
	writeJSON(w, http.StatusOK, s.session(access.Token{}))
}

// cookie is out of the page's reach, and goes with no request that another site has caused.
func (s Station) cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name:     cookieName,
		Value:    value,
		Path:     "/",
		MaxAge:   maxAge,
		HttpOnly: true,
		Secure:   s.secure,
		SameSite: http.SameSiteStrictMode,
	}
}

func (s Station) note(text, who, from string) {
	if s.Note != nil {
		s.Note(text, who, from)
	}
}
