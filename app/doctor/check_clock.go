package doctor

import (
	"strconv"
	"strings"
)

const (
	// timeCapability is CAP_SYS_TIME in the masks of /proc/PID/status (linux/capability.h).
	timeCapability = 25
	// steeringFile is the drop-in that gives it to the service.
	steeringFile = "/etc/systemd/system/timestation.service.d/steering.conf"
	steeringMend = "sudo install -D -m 644 /usr/share/timestation/drop-ins/steering.conf " + steeringFile +
		"\nsudo systemctl daemon-reload && sudo systemctl restart timestation"
)

// steering looks at what stands in the way of discipline = "system".
func steering(m *Machine) (found []Finding) {
	if m.Config == nil || m.Config.Clock.Discipline != "system" {
		return nil
	}
	switch {
	case m.OS != "linux":
		return []Finding{problem(`write discipline = "none"`, "the system clock is steered on Linux only")}
	case m.capable(timeCapability):
		found = append(found, ok("the system clock may be steered"))
	case m.exists(steeringFile):
		found = append(found, ok("the system clock may be steered by the service (%s)", steeringFile))
	default:
		found = append(found, problem(steeringMend, "%s may not steer the system clock, and the service was not given CAP_SYS_TIME", m.who()))
	}
	for _, p := range m.processes() {
		switch p.name {
		case chronyName, ntpdName, timesyncdName:
			found = append(found, problem(p.stop(""), "%s steers the system clock too; only one program may", p.name))
		}
	}
	return found
}

// capable tells whether this process has a capability.
func (m *Machine) capable(bit uint) bool {
	for line := range strings.Lines(m.read("/proc/self/status")) {
		if value, is := strings.CutPrefix(line, "CapEff:"); is {
			mask, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			return err == nil && mask>>bit&1 == 1
		}
	}
	return false
}
