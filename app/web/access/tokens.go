// Package access says who may do what over HTTP: tokens with roles, the sessions of browsers, and how often somebody may
// guess.
//
// Tokens are kept as plain SHA-256. A slow hash such as argon2id is for what people think up; a token is 256 random bits,
// which no speed of guessing finds, and a Raspberry Pi that spends 100 ms on each wrong one is a Pi that strangers can
// keep busy.
package access

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Role is what the bearer of a token may do; each may also do what those before it may.
type Role string

// The roles, the least first.
const (
	// View: read everything.
	View Role = "view"
	// Operate: what is done in a studio every day, such as acknowledging an alert.
	Operate Role = "operate"
	// Admin: what changes the time that the station believes.
	Admin Role = "admin"
)

// Roles are all of them, the least first.
var Roles = []Role{View, Operate, Admin}

// May reports whether r is enough for what needs the other.
func (r Role) May(needed Role) bool {
	have, need := slices.Index(Roles, r), slices.Index(Roles, needed)
	return have >= 0 && need >= 0 && have >= need
}

// Hash is what is kept of a token.
type Hash [sha256.Size]byte

// HashOf is the hash of a secret.
func HashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }

// Token is one line of the file.
type Token struct {
	// Name is who the log says it was: one word of letters, digits and ".-_@".
	Name string
	Role Role
	Hash Hash
	// Made is the day it was made, as 2026-11-22, or empty.
	Made string
}

// New makes a token; the secret is nowhere else.
func New(name string, role Role, made string) (t Token, secret string) {
	var random [32]byte
	rand.Read(random[:]) // never fails
	secret = "ts_" + base64.RawURLEncoding.EncodeToString(random[:])
	return Token{Name: name, Role: role, Hash: HashOf(secret), Made: made}, secret
}

// Validate says what is wrong with the name or the role.
func (t Token) Validate() error {
	const longest = 40
	wrong := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_@", r))
	}
	if t.Name == "" || len(t.Name) > longest || strings.ContainsFunc(t.Name, wrong) {
		return fmt.Errorf(
			"%q is no name for a token; write one word of at most %d letters, digits and .-_@",
			t.Name,
			longest,
		)
	}
	if !slices.Contains(Roles, t.Role) {
		return fmt.Errorf("%q is no role; write view, operate or admin", t.Role)
	}
	return nil
}

const hashPrefix = "sha256:"

func (t Token) line() string {
	return strings.TrimSpace(
		fmt.Sprintf("%s %s %s%s %s", t.Name, t.Role, hashPrefix, hex.EncodeToString(t.Hash[:]), t.Made),
	) + "\n"
}

func parseToken(line string) (t Token, err error) {
	fields := strings.Fields(line)
	if len(fields) < 3 || len(fields) > 4 {
		return t, errors.New("is not a name, a role and a hash; make tokens with: timestation token new")
	}
	t.Name, t.Role = fields[0], Role(fields[1])
	if err := t.Validate(); err != nil {
		return t, err
	}
	digits, ok := strings.CutPrefix(fields[2], hashPrefix)
	n, err := hex.Decode(t.Hash[:], []byte(digits)[:min(len(digits), 2*len(t.Hash))])
	if !ok || err != nil || n != len(t.Hash) || len(digits) != 2*len(t.Hash) {
		return t, errors.New(
			"has no hash of the form sha256: and 64 hexadecimal digits; make tokens with: timestation token new",
		)
	}
	if len(fields) == 4 {
		t.Made = fields[3]
	}
	return t, nil
}

// File is a token file as it was read. Add and Revoke change it in memory, Save on disk; its comments stay.
type File struct {
	path   string
	lines  []string
	tokens []Token
}

// mostBytes bounds what is read: some hundreds of tokens.
const mostBytes = 1 << 16

// Open reads a token file. One that is not there is fs.ErrNotExist.
func Open(path string) (*File, error) {
	f := &File{path: path}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err // it names the file
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file; name the token file", path)
	case ownersOnly && info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s can be read by others; mend it with: chmod 600 %s", path, path)
	case info.Size() > mostBytes:
		return nil, fmt.Errorf("%s is larger than %d bytes; name the token file", path, mostBytes)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return f, f.parse(text)
}

// Empty is a token file that is still to be saved.
func Empty(path string) *File { return &File{path: path} }

func (f *File) parse(text []byte) error {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		trimmed := strings.TrimSpace(string(line))
		if trimmed != "" && trimmed[0] != '#' {
			t, err := parseToken(trimmed)
			if err == nil && f.has(t.Name) {
				err = fmt.Errorf("the name %s stands there twice; revoke one", t.Name)
			}
			if err != nil {
				// The line may hold a secret that somebody put there by mistake: it is not repeated.
				return fmt.Errorf("%s: line %d: %w", f.path, number, err)
			}
			f.tokens = append(f.tokens, t)
		}
		f.lines = append(f.lines, trimmed+"\n")
	}
	return nil
}

func (f *File) has(name string) bool {
	return slices.ContainsFunc(f.tokens, func(t Token) bool { return t.Name == name })
}

// Tokens are in the order of the file.
func (f *File) Tokens() []Token { return f.tokens }

// Find gives the token of that hash. How long it takes does not depend on the hashes.
func Find(tokens []Token, h Hash) (found Token, ok bool) {
	for _, t := range tokens {
		if subtle.ConstantTimeCompare(t.Hash[:], h[:]) == 1 {
			found, ok = t, true
		}
	}
	return found, ok
}

// Add appends a token; its name must be new.
func (f *File) Add(t Token) error {
	if err := t.Validate(); err != nil {
		return err
	}
	if f.has(t.Name) {
		return fmt.Errorf("%s has a token called %s already; revoke it first, or take another name", f.path, t.Name)
	}
	f.tokens = append(f.tokens, t)
	f.lines = append(f.lines, t.line())
	return nil
}

// Revoke takes a token out. It reports whether there was one.
func (f *File) Revoke(name string) bool {
	if !f.has(name) {
		return false
	}
	f.tokens = slices.DeleteFunc(f.tokens, func(t Token) bool { return t.Name == name })
	f.lines = slices.DeleteFunc(f.lines, func(line string) bool {
		fields := strings.Fields(line)
		return len(fields) > 0 && fields[0] == name
	})
	return true
}

// Save replaces the file at once, with mode 0600 and for the same owner as before, or for that of its folder.
func (f *File) Save() error {
	path := f.path
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a link stays a link
	}
	part, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return writeError(path, err)
	}
	_, err = part.WriteString(strings.Join(f.lines, ""))
	giveTo(part, path)
	if err = errors.Join(err, part.Sync(), part.Close()); err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		os.Remove(part.Name())
		return writeError(path, err)
	}
	return nil
}

func writeError(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s: permission denied; use sudo, or name another file", path)
	}
	return fmt.Errorf("%s: cannot be written: %w", path, err)
}

// Path is where the file is.
func (f *File) Path() string { return f.path }
