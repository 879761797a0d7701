package doctor

import (
	"net"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"timestation/app/config"
)

// Machine is what the checks look at: this machine, or one that a test built.
type Machine struct {
	// Root is put before every path; empty is the real root.
	Root string

	// ConfigPath is the configuration's file, Config what it holds. Without a configuration ConfigPath is empty; with one
	// that is refused, ConfigError says why.
	ConfigPath  string
	Config      *config.Config
	ConfigError error
	// DataFolder is where the log goes.
	DataFolder string
	// LeapExpiry is when the leap table ends; Today is the date by this machine's clock, which may be wrong.
	LeapExpiry, Today time.Time
	// Windowed tells that the program was built with a display.
	Windowed bool

	// OS is as runtime.GOOS; Go and Libraries describe the build; Executable is the program's path.
	OS         string
	Go         string
	Libraries  []Library
	Executable string
	// User is who asks, Superuser whether that is root; Groups are the groups of this login.
	User      string
	Superuser bool
	Groups    []string
	Getenv    func(string) string

	// Access tells whether the user may read, and write if asked for, what is at a path; FileGroup names its group.
	Access    func(path string, write bool) error
	FileGroup func(path string) string
	// TryWrite makes and removes a file in a folder; FreeBytes is the room there.
	TryWrite  func(folder string) error
	FreeBytes func(folder string) (uint64, error)
	// These functions get paths with Root before them. Bind opens and closes a UDP socket on an address such as ":123".
	Bind func(address string) error
	// LineUser tells who has a GPIO line, empty if nobody; chip may be empty where the line's name says enough.
	LineUser func(chip, line string) (user string, err error)
}

// Library is a module in the program.
type Library struct{ Path, Version string }

// This gives the machine the program runs on; the caller adds the configuration, the data folder, the leap table's
// expiry, the date and whether there is a display.
func This() *Machine {
	m := &Machine{
		OS: runtime.GOOS, Go: runtime.Version(), Getenv: os.Getenv,
		Superuser: os.Geteuid() == 0,
		Access:    access, FileGroup: fileGroup, TryWrite: tryWrite, FreeBytes: freeBytes, Bind: bind, LineUser: lineUser,
	}
	m.Executable, _ = os.Executable() // only for a message
	if u, err := user.Current(); err == nil {
		m.User = u.Username
	}
	gids, _ := os.Getgroups() // not on Windows
	for _, gid := range append(gids, os.Getegid()) {
		if g, err := user.LookupGroupId(strconv.Itoa(gid)); err == nil && !slices.Contains(m.Groups, g.Name) {
			m.Groups = append(m.Groups, g.Name)
		}
	}
	if info, there := debug.ReadBuildInfo(); there {
		for _, d := range info.Deps {
			m.Libraries = append(m.Libraries, Library{d.Path, d.Version})
		}
	}
	return m
}

func tryWrite(folder string) error {
	f, err := os.CreateTemp(folder, ".doctor-*")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}

func bind(address string) error {
	socket, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	return socket.Close()
}

// path is where a path of the machine is really found.
func (m *Machine) path(p string) string {
	if m.Root == "" {
		return p
	}
	return filepath.Join(m.Root, p)
}

func (m *Machine) exists(p string) bool {
	_, err := os.Stat(m.path(p))
	return err == nil
}

// read gives a small file's content, empty if it cannot be read: a check must work for users who may not see everything.
func (m *Machine) read(p string) string {
	text, _ := os.ReadFile(m.path(p))
	return string(text)
}

// glob lists the machine's paths that match.
func (m *Machine) glob(pattern string) []string {
	found, _ := filepath.Glob(m.path(pattern)) // the patterns are constants
	for i := range found {
		found[i] = filepath.ToSlash(strings.TrimPrefix(found[i], m.Root))
	}
	return found
}

// device follows symbolic links, as from /dev/serial0 to /dev/ttyAMA0; a path that leads nowhere is given back.
func (m *Machine) device(p string) string {
	real, err := filepath.EvalSymlinks(m.path(p))
	if err != nil {
		return p
	}
	root := m.Root
	if root != "" {
		if root, err = filepath.EvalSymlinks(root); err != nil {
			return p
		}
	}
	return strings.TrimPrefix(real, root)
}

// raspberryPi tells whether the device tree says so.
func (m *Machine) raspberryPi() bool {
	return strings.Contains(m.read("/proc/device-tree/model"), "Raspberry Pi")
}

// process is one that runs.
type process struct {
	pid, name string
	arguments []string
	// unit is the systemd service it belongs to, such as chrony.service, or empty.
	unit string
}

// processes lists what runs; names are cut after 15 letters by the kernel.
func (m *Machine) processes() []process {
	var all []process
	for _, p := range m.glob("/proc/[0-9]*/comm") {
		folder := filepath.Dir(p)
		all = append(all, process{
			pid:       filepath.Base(folder),
			name:      strings.TrimSpace(m.read(p)),
			arguments: strings.Split(strings.TrimRight(m.read(folder+"/cmdline"), "\x00"), "\x00"),
			unit:      unit(m.read(folder + "/cgroup")),
		})
	}
	return all
}

// unit takes the service out of a line such as 0::/system.slice/chrony.service.
func unit(cgroup string) string {
	for part := range strings.FieldsFuncSeq(cgroup, func(r rune) bool { return r == '/' || r == '\n' }) {
		if strings.HasSuffix(part, ".service") && !strings.HasPrefix(part, "user@") {
			return part
		}
	}
	return ""
}

// memberOf tells whether the user is in a group by /etc/group, whatever this login knows of it.
func (m *Machine) memberOf(group string) bool {
	for line := range strings.Lines(m.read("/etc/group")) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) == 4 && fields[0] == group {
			return slices.Contains(strings.Split(fields[3], ","), m.User)
		}
	}
	return false
}
