//go:build unix

package web

// ownersOnly: files have modes that say who may read them.
const ownersOnly = true
