package doctor

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// overlayMend makes a PPS device of a GPIO line on a Raspberry Pi.
const overlayMend = "add to /boot/firmware/config.txt (before Raspberry Pi OS 12: /boot/config.txt), and reboot: dtoverlay=pps-gpio,gpiopin=18"

// isPulse tells whether a device is the kernel's for pulses.
func isPulse(device string) bool { return strings.HasPrefix(filepath.Base(device), "pps") }

// udevRule gives the devices of a subsystem to the group that serial ports belong to.
func udevRule(subsystem string) string {
	return fmt.Sprintf(`echo 'SUBSYSTEM=="%s", GROUP="dialout", MODE="0660"' | sudo tee /etc/udev/rules.d/60-timestation-%[1]s.rules`+
		"\nsudo udevadm control --reload && sudo udevadm trigger", subsystem)
}

// pulses looks at PPS devices and GPIO chips: notes only, but for those that the configuration names.
func pulses(m *Machine) (found []Finding) {
	var used []string
	if m.Config != nil {
		for _, r := range m.Config.Refclocks {
			if d := r.Device(); isPulse(d) && m.exists(d) {
				used = append(used, d)
				found = append(found, m.beat(d))
			}
			if chip, line := r.Line(); line != "" {
				found = append(found, m.line(chip, line))
			}
		}
	}
	for _, kind := range []struct{ pattern, subsystem string }{{"/dev/pps*", "pps"}, {"/dev/gpiochip*", "gpio"}} {
		devices := slices.DeleteFunc(m.glob(kind.pattern), func(d string) bool { return slices.Contains(used, d) })
		if len(devices) == 0 {
			continue
		}
		text := strings.Join(devices, ", ") + ": found, may carry a pulse or a long-wave receiver"
		closed := slices.IndexFunc(devices, func(d string) bool { return m.Access(m.path(d), true) != nil })
		if closed < 0 {
			found = append(found, ok("%s, may be used", text))
			continue
		}
		mend := m.permission(devices[closed])
		if group := m.FileGroup(m.path(devices[closed])); group == "" || group == "root" {
			mend = udevRule(kind.subsystem)
		}
		found = append(found, note(mend, "%s; %s may not open it", text, m.who()))
	}
	return found
}

// fresh is how old a pulse may be for its receiver to be pulsing.
const fresh = 3 * time.Second

// beat tells whether pulses arrive on a device of the kernel: it writes the last one to /sys as 1795262400.000012345#678.
func (m *Machine) beat(device string) Finding {
	last := strings.TrimSpace(m.read("/sys/class/pps/" + filepath.Base(m.device(device)) + "/assert"))
	stamp, number, _ := strings.Cut(last, "#")
	seconds, err := strconv.ParseFloat(stamp, 64)
	const wire = "check the wire, and that the receiver's time pulse is on: many pulse only with a fix"
	switch {
	case err != nil:
		return ok("%s: whether pulses arrive cannot be seen here", device)
	case number == "0":
		return note(wire, "%s: no pulse has ever come", device)
	}
	if age := m.Today.Sub(time.Unix(0, int64(seconds*1e9))); age > fresh || age < -fresh {
		return note(wire, "%s: the last pulse came %s ago", device, age.Round(time.Second))
	}
	return ok("%s: pulses arrive", device)
}

// line tells whether a GPIO line is there and free.
func (m *Machine) line(chip, line string) Finding {
	name := strings.TrimSpace(chip + " " + line)
	user, err := m.LineUser(chip, line)
	switch {
	case err != nil:
		return problem(m.chipMend(), "%s: %v", name, err)
	case user == "":
		return ok("%s: free", name)
	case strings.HasPrefix(user, ownName):
		return ok("%s: the station has it", name)
	}
	mend := "choose another line, or stop what has it (gpioinfo lists them)"
	if strings.Contains(user, "pps") {
		mend = `dtoverlay=pps-gpio has it: write device = "/dev/pps0" in place of line, or take the overlay out of config.txt and reboot`
	}
	return problem(mend, "%s: it is used by %s", name, user)
}

// chipMend is what to do about a chip that cannot be opened.
func (m *Machine) chipMend() string {
	for _, d := range m.glob("/dev/gpiochip*") {
		if m.Access(m.path(d), true) == nil {
			continue
		}
		if group := m.FileGroup(m.path(d)); group == "" || group == "root" {
			return udevRule("gpio")
		}
		return m.permission(d)
	}
	return "gpioinfo lists the lines there are"
}

// overlay compares the Raspberry Pi's boot configuration with the station's.
func overlay(m *Machine) (found []Finding) {
	if !m.raspberryPi() || m.Config == nil {
		return nil
	}
	pin, there := m.overlayPin()
	for _, r := range m.Config.Refclocks {
		_, line := r.Line()
		switch {
		case isPulse(r.Device()) && !there && !m.exists(r.Device()):
			found = append(found, problem(overlayMend, "%s wants %s, and the boot configuration has no dtoverlay=pps-gpio", r.Name, r.Device()))
		case isPulse(r.Device()) && there && !m.exists(r.Device()):
			found = append(found, problem("sudo reboot", "dtoverlay=pps-gpio is written down, and %s is not there yet", r.Device()))
		case there && line == "GPIO"+pin:
			found = append(found, problem(`write device = "/dev/pps0" in place of line, or take the overlay out of config.txt and reboot`,
				"%s reads GPIO%s, which dtoverlay=pps-gpio has", r.Name, pin))
		}
	}
	if there && len(found) == 0 {
		found = append(found, ok("dtoverlay=pps-gpio makes a PPS device of GPIO%s", pin))
	}
	return found
}

// overlayPin is the GPIO line of dtoverlay=pps-gpio.
func (m *Machine) overlayPin() (pin string, there bool) {
	for _, path := range []string{"/boot/firmware/config.txt", "/boot/config.txt"} {
		for line := range strings.Lines(m.read(path)) {
			options := strings.Split(strings.TrimSpace(line), ",")
			if options[0] != "dtoverlay=pps-gpio" {
				continue
			}
			pin, there = "18", true // the overlay's default
			for _, o := range options[1:] {
				if value, is := strings.CutPrefix(o, "gpiopin="); is {
					pin = value
				}
			}
			return pin, there
		}
	}
	return "", false
}
