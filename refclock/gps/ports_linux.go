package gps

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Ports lists the serial ports by their device paths, without opening them: opening resets some boards, and would change
// the speed of a port that somebody uses. Left out are the system console's port and UARTs that the kernel knows by name
// only.
func Ports() ([]string, error) { return portsIn("/sys/class/tty", "/dev") }

func portsIn(class, dev string) ([]string, error) {
	entries, err := os.ReadDir(class)
	if err != nil {
		return nil, err
	}
	active, _ := os.ReadFile(filepath.Join(class, "console", "active")) // absent in a container
	consoles := strings.Fields(string(active))
	var ports []string
	for _, e := range entries {
		// Virtual consoles and pseudo-terminals have no device behind them; type 0 is PORT_UNKNOWN.
		folder := filepath.Join(class, e.Name())
		if _, err := os.Stat(filepath.Join(folder, "device")); err != nil {
			continue
		}
		if kind, err := os.ReadFile(filepath.Join(folder, "type")); err == nil && strings.TrimSpace(string(kind)) == "0" {
			continue
		}
		if !slices.Contains(consoles, e.Name()) {
			ports = append(ports, filepath.Join(dev, e.Name()))
		}
	}
	return ports, nil
}
