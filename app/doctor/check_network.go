package doctor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// The names the kernel gives to the programs that keep a clock; it cuts them after 15 letters.
const (
	gpsdName      = "gpsd"
	chronyName    = "chronyd"
	ntpdName      = "ntpd" // ntpsec, the reference implementation and OpenNTPD
	timesyncdName = "systemd-timesyn"
	modemName     = "ModemManager"
	ownName       = "timestation"
)

func daemons(m *Machine) (found []Finding) {
	seen := map[string]bool{}
	for _, p := range m.processes() {
		if seen[p.name] {
			continue // some run as several processes
		}
		seen[p.name] = true
		switch p.name {
		case gpsdName:
			found = append(found, m.gpsd(p))
		case chronyName, ntpdName:
			found = append(found, note(p.stop("")+", if the station shall have port 123",
				"%s is running and steers the system clock; the station keeps its own time and is not disturbed", p.name))
		case timesyncdName:
			found = append(found, ok("systemd-timesyncd is running and steers the system clock; the station keeps its own time"))
		case modemName:
			if devices, _ := m.serialDevices(); slices.ContainsFunc(devices, func(d string) bool { return !onBoard(m.device(d)) }) {
				found = append(found, note(p.stop(""), "ModemManager is running: it sends modem commands to USB receivers when they are plugged in"))
			}
		}
	}
	if len(found) == 0 && m.OS == "linux" {
		found = append(found, ok("none is running"))
	}
	return found
}

// gpsd keeps the ports it was given to itself.
func (m *Machine) gpsd(p process) Finding {
	devices, configured := m.serialDevices()
	for _, d := range devices {
		if configured && (slices.Contains(p.arguments, d) || slices.Contains(p.arguments, m.device(d))) {
			return problem(p.stop("gpsd.socket "), "gpsd has %s", d)
		}
	}
	return note(p.stop("gpsd.socket "), "gpsd is running; it may take receivers on USB for itself")
}

// stop is the command that ends a program for good.
func (p process) stop(also string) string {
	if p.unit == "" {
		return "sudo kill " + p.pid
	}
	return "sudo systemctl disable --now " + also + strings.TrimSuffix(p.unit, ".service")
}

// ports tries the addresses of the listeners; without a configuration the one init will write.
func ports(m *Machine) (found []Finding) {
	addresses := []string{":123"}
	if m.Config != nil {
		addresses = nil
		for _, l := range m.Config.Listeners {
			addresses = append(addresses, l.Address)
		}
	}
	for _, address := range addresses {
		err := m.Bind(address)
		switch {
		case err == nil:
			found = append(found, ok("UDP %s is free and may be used", address))
		case errors.Is(err, syscall.EADDRINUSE):
			found = append(found, m.taken(address))
		case errors.Is(err, os.ErrPermission):
			found = append(found, problem("sudo setcap cap_net_bind_service=+ep "+m.Executable,
				"UDP %s: %s may not use a port below 1024", address, m.who()))
		case errors.Is(err, syscall.EADDRNOTAVAIL):
			found = append(found, problem(`see "ip address" for those it has; ":123" is all of them`,
				"UDP %s: this machine has no such address", address))
		default:
			found = append(found, problem("", "UDP %s: %v", address, err))
		}
	}
	return found
}

func (m *Machine) taken(address string) Finding {
	_, port, _ := net.SplitHostPort(address) // Bind has understood it
	running := m.processes()
	sockets := m.sockets(port)
	for _, p := range running {
		if !m.holds(p, sockets) {
			continue
		}
		if p.name == ownName {
			return ok("UDP %s: the station is running there (process %s)", address, p.pid)
		}
		return problem(p.stop(""), "UDP %s is taken by %s (process %s)", address, p.name, p.pid)
	}
	// Only root may see whose a socket is.
	for _, p := range running {
		if p.name == chronyName || p.name == ntpdName {
			return problem(p.stop(""), "UDP %s is taken, probably by %s (process %s)", address, p.name, p.pid)
		}
	}
	return problem(fmt.Sprintf("see by which: sudo ss -ulpn 'sport = :%s'", port), "UDP %s is taken by another program", address)
}

// sockets lists the inodes of the UDP sockets on a port, from /proc/net/udp (proc(5)).
func (m *Machine) sockets(port string) (inodes []string) {
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil
	}
	for _, table := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		for line := range strings.Lines(m.read(table)) {
			fields := strings.Fields(line)
			if len(fields) > 9 && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", n)) {
				inodes = append(inodes, fields[9])
			}
		}
	}
	return inodes
}

func (m *Machine) holds(p process, sockets []string) bool {
	for _, fd := range m.glob(filepath.Join("/proc", p.pid, "fd", "*")) {
		target, err := os.Readlink(m.path(fd))
		inode := strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")
		if err == nil && slices.Contains(sockets, inode) {
			return true
		}
	}
	return false
}
