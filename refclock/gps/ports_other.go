//go:build !linux

package gps

import "go.bug.st/serial"

// Ports lists the serial ports.
func Ports() ([]string, error) { return serial.GetPortsList() }
