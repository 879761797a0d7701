//go:build cgo && !headless && ((!gles && !arm && !arm64) || darwin)

package window

import "github.com/go-gl/gl/v2.1/gl"

// finish returns when everything that was drawn so far into the current context stands in its buffer. Which library it
// asks is Fyne's choice, made by the same build tags.
func finish() { gl.Finish() }
