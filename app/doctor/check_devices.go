package doctor

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// serialDevices gives the ports that matter: those of the configuration, or without one the ports a receiver is usually
// on, since init will want to listen to them.
func (m *Machine) serialDevices() (devices []string, configured bool) {
	if m.Config == nil {
		for _, pattern := range []string{"/dev/ttyAMA*", "/dev/ttyUSB*", "/dev/ttyACM*"} {
			devices = append(devices, m.glob(pattern)...)
		}
		return devices, false
	}
	for _, r := range m.Config.Refclocks {
		if d := r.Device(); d != "" {
			devices = append(devices, d)
		}
	}
	return devices, true
}

func receivers(m *Machine) (found []Finding) {
	if m.OS != "linux" {
		return []Finding{ok("serial ports are not checked on %s", m.OS)}
	}
	devices, configured := m.serialDevices()
	if !configured && len(devices) == 0 {
		return []Finding{note(m.missing("/dev/serial0"), "no serial port was found")}
	}
	for _, d := range devices {
		switch {
		case !m.exists(d):
			found = append(found, problem(m.missing(d), "%s: there is no such device", d))
		case m.Access(m.path(d), true) != nil:
			found = append(found, problem(m.permission(d), "%s: %s may not use it", d, m.who()))
		default:
			found = append(found, ok("%s: may be used", d))
		}
	}
	return found
}

// missing is the mend for a serial port that is not there.
func (m *Machine) missing(device string) string {
	if isPulse(device) {
		return overlayMend
	}
	if m.raspberryPi() && onBoard(device) {
		return raspiConfig
	}
	return "plug the receiver in; timestation init lists the ports and what talks on them"
}

// raspiConfig frees a Raspberry Pi's serial port; the menu is the same since Raspberry Pi OS Buster.
const raspiConfig = "sudo raspi-config: Interface Options, Serial Port: login shell No, hardware Yes; then reboot"

// onBoard tells whether a port is on the board and not on USB.
func onBoard(device string) bool {
	name := filepath.Base(device)
	return strings.HasPrefix(name, "ttyAMA") || strings.HasPrefix(name, "ttyS") || strings.HasPrefix(name, "serial")
}

func (m *Machine) who() string {
	if m.User == "" {
		return "this user"
	}
	return m.User
}

// permission is the mend for a device the user may not use.
func (m *Machine) permission(device string) string {
	group := m.FileGroup(m.path(device))
	switch {
	case isPulse(device) && (group == "" || group == "root"):
		return udevRule("pps")
	case group == "" || group == "root" || group == "tty": // a login console takes the port into the group tty
		return "give it to a group the user is in; where a login console has the port, free it as said below"
	case m.memberOf(group) && !slices.Contains(m.Groups, group):
		return fmt.Sprintf("log out and in again: %s is in the group %s, but this login does not know it yet", m.who(), group)
	}
	return fmt.Sprintf("sudo adduser %s %s, then log out and in again", m.who(), group)
}

// console looks for what else talks on the receiver's port: kernel messages and a login prompt.
func console(m *Machine) (found []Finding) {
	devices, configured := m.serialDevices()
	add := func(mend, format string, a ...any) {
		f := note(mend, format, a...)
		if configured {
			f.Level = Problem
		}
		found = append(found, f)
	}
	consoles := kernelConsoles(m.read("/proc/cmdline"))
	running := m.processes()
	for _, d := range devices {
		names := []string{filepath.Base(d), filepath.Base(m.device(d))}
		for _, c := range consoles {
			if slices.Contains(names, c) || m.device("/dev/"+c) == m.device(d) {
				mend := "take console=" + c + " out of the kernel's command line, and reboot"
				if m.raspberryPi() {
					mend = raspiConfig
				}
				add(mend, "%s: the kernel writes its messages there (console=%s)", d, c)
				break
			}
		}
		for _, p := range running {
			if getty, on := p.gettyOn(names); on {
				add("sudo systemctl disable --now "+getty, "%s: a login prompt waits there (%s, process %s)", d, p.name, p.pid)
			}
		}
	}
	if len(found) == 0 && len(devices) > 0 {
		return []Finding{ok("no console is on the receiver's port")}
	}
	return found
}

// kernelConsoles lists the devices of a line such as "console=serial0,115200 console=tty1 root=…".
func kernelConsoles(cmdline string) (names []string) {
	for _, word := range strings.Fields(cmdline) {
		if value, is := strings.CutPrefix(word, "console="); is {
			name, _, _ := strings.Cut(value, ",")
			names = append(names, name)
		}
	}
	return names
}

// gettyOn tells whether a process is a login prompt on one of the ports, and by which service. systemd gives agetty its
// port as standard input, so that its service's name is where the port's stands.
func (p process) gettyOn(names []string) (service string, on bool) {
	if p.name != "agetty" && p.name != "getty" {
		return "", false
	}
	for _, name := range names {
		service = "serial-getty@" + name + ".service"
		if p.unit == service || slices.Contains(p.arguments, name) || slices.Contains(p.arguments, "/dev/"+name) {
			return service, true
		}
	}
	return "", false
}
