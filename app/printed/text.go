// Package printed is for tests: it collects what a running program prints.
package printed

import (
	"bytes"
	"sync"
)

// Text is a writer that keeps what it is given; any goroutine may look into it meanwhile.
type Text struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (t *Text) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(b)
}

// String is what was printed so far.
func (t *Text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
