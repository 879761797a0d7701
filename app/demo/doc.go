// Package demo plays a receiver's recording on a pseudo-terminal, so that the demonstration station runs the same driver,
// on the same kind of device, as a real one.
package demo
