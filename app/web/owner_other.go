//go:build !unix

package web

const ownersOnly = false
