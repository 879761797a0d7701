package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"timestation/app/config"
	"timestation/engine/serve"
	"timestation/refclock"
)

type receiver struct {
	Device string `mapstructure:"device"`
}

// onLine is a source on a GPIO line.
type onLine struct {
	Line string `mapstructure:"line"`
	Chip string `mapstructure:"chip"`
}

func (onLine) Validate() error { return nil }

// add configures one source more.
func (p *pi) add(name string, c refclock.Config) {
	p.Config.Refclocks = append(p.Config.Refclocks, config.Refclock{Name: name, Driver: "pps", Config: c})
}

func (receiver) Validate() error { return nil }

// pi is a Raspberry Pi in a folder on which nothing stands in the way; tests spoil it.
type pi struct {
	*Machine
	denied []string
	groups map[string]string
	bind   error
	full   uint64
	write  error
	lines  map[string]string // who has them
}

func newPi(t *testing.T) *pi {
	t.Helper()
	p := &pi{groups: map[string]string{}, full: 8 << 30, lines: map[string]string{
		"GPIO4": "", "GPIO5": "spi0 CS0", "GPIO6": "timestation pps", "GPIO18": "pps@12",
	}}
	root := t.TempDir()
	cut := func(path string) string { return filepath.ToSlash(strings.TrimPrefix(path, root)) }
	listener := serve.DefaultConfig()
	listener.Keys = "/etc/timestation/keys"
	p.Machine = &Machine{
		Root: root, OS: "linux", Go: "go1.26.8", User: "pi", Groups: []string{"pi", "dialout"}, Windowed: true,
		Executable: "/usr/bin/timestation", ConfigPath: "/etc/timestation/timestation.toml", DataFolder: "/var/lib/timestation",
		Config: &config.Config{
			Refclocks: []config.Refclock{{Name: "gps", Driver: "gps", Config: &receiver{"/dev/serial0"}}},
			Listeners: []serve.Config{listener},
		},
		LeapExpiry: time.Date(2027, 6, 28, 0, 0, 0, 0, time.UTC), Today: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
		Getenv: func(name string) string { return map[string]string{"WAYLAND_DISPLAY": "wayland-0"}[name] },
		Access: func(path string, write bool) error {
			if slices.Contains(p.denied, cut(path)) {
				return os.ErrPermission
			}
			return nil
		},
		FileGroup: func(path string) string { return p.groups[cut(path)] },
		TryWrite: func(folder string) error {
			if cut(folder) != "/var/lib" {
				t.Errorf("wrote to %s, which is not the nearest folder that exists", folder)
			}
			return p.write
		},
		FreeBytes: func(string) (uint64, error) { return p.full, nil },
		Bind:      func(string) error { return p.bind },
		LineUser: func(_, line string) (string, error) {
			user, there := p.lines[line]
			if !there {
				return "", errors.New("no GPIO chip that may be opened has a line of that name")
			}
			return user, nil
		},
	}
	p.file(t, "/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\x00")
	p.file(t, "/proc/cmdline", "console=tty1 root=PARTUUID=1-02 rootwait\n")
	p.file(t, "/etc/group", "root:x:0:\ndialout:x:20:pi\ngpio:x:997:\n")
	p.file(t, "/etc/timestation/keys", "1 SHA256 HEX:00112233445566778899AABBCCDDEEFF\n")
	p.file(t, "/var/lib/dpkg", "")
	p.file(t, "/dev/ttyAMA0", "")
	p.link(t, "/dev/serial0", "ttyAMA0")
	p.process(t, "1", "systemd", "0::/init.scope", "/sbin/init")
	return p
}

func (p *pi) file(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(p.path(path)), 0o755), os.WriteFile(p.path(path), []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func (p *pi) link(t *testing.T, path, target string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(p.path(path)), 0o755), os.Symlink(target, p.path(path))); err != nil {
		t.Fatal(err)
	}
}

func (p *pi) process(t *testing.T, pid, name, cgroup string, arguments ...string) {
	t.Helper()
	p.file(t, "/proc/"+pid+"/comm", name+"\n")
	p.file(t, "/proc/"+pid+"/cgroup", cgroup+"\n")
	p.file(t, "/proc/"+pid+"/cmdline", strings.Join(arguments, "\x00")+"\x00")
}

func (p *pi) without(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(p.path(path)); err != nil {
		t.Fatal(err)
	}
}

// udp6 is a line of /proc/net/udp6 as Linux 6.18 writes it: a socket on every address, port 123.
const udp6 = "   sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n" +
	" 1234: 00000000000000000000000000000000:007B 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000   103        0 23816 2 0000000000000000 0\n"

func TestAPiThatIsReady(t *testing.T) {
	var out strings.Builder
	if problems := Run(newPi(t).Machine, &out); problems != 0 || strings.Contains(out.String(), "!") {
		t.Errorf("%d problems:\n%s", problems, out.String())
	}
	if !strings.HasSuffix(out.String(), "\nNothing stands in the way.\n") {
		t.Errorf("ends with:\n%s", out.String())
	}
}

// Each case spoils one thing; exactly that is reported, at the right level and with the mend that cures it.
func TestWhatStandsInTheWay(t *testing.T) {
	tests := map[string]struct {
		spoil      func(*testing.T, *pi)
		problems   int
		text, mend string
	}{
		"configuration refused": {func(t *testing.T, p *pi) {
			p.Config, p.ConfigError = nil, errors.New("/etc/timestation/timestation.toml: clock.x: unknown key")
		}, 1, "✗ /etc/timestation/timestation.toml: clock.x: unknown key", ""},
		"no configuration": {func(t *testing.T, p *pi) { p.Config = nil }, 0,
			"! there is no configuration", "timestation init writes one; timestation demo needs none"},
		"uart off": {func(t *testing.T, p *pi) { p.without(t, "/dev/ttyAMA0") }, 1,
			"✗ /dev/serial0: there is no such device", raspiConfig},
		"unplugged": {func(t *testing.T, p *pi) { p.Config.Refclocks[0].Config = &receiver{"/dev/ttyACM0"} }, 1,
			"✗ /dev/ttyACM0: there is no such device", "plug the receiver in; timestation init lists the ports and what talks on them"},
		"not in dialout": {func(t *testing.T, p *pi) {
			p.denied, p.groups["/dev/serial0"], p.Groups = []string{"/dev/serial0"}, "dialout", nil
			p.file(t, "/etc/group", "dialout:x:20:\n")
		}, 1, "✗ /dev/serial0: pi may not use it", "sudo adduser pi dialout, then log out and in again"},
		"in dialout, but not in this login": {func(t *testing.T, p *pi) {
			p.denied, p.groups["/dev/serial0"], p.Groups = []string{"/dev/serial0"}, "dialout", nil
		}, 1, "✗ /dev/serial0: pi may not use it", "log out and in again: pi is in the group dialout, but this login does not know it yet"},
		"no configuration and no right to listen": {func(t *testing.T, p *pi) {
			p.Config, p.denied, p.groups["/dev/ttyAMA0"], p.Groups = nil, []string{"/dev/ttyAMA0"}, "dialout", nil
			p.file(t, "/etc/group", "dialout:x:20:\n")
		}, 1, "✗ /dev/ttyAMA0: pi may not use it", "sudo adduser pi dialout, then log out and in again"},
		"kernel console": {func(t *testing.T, p *pi) { p.file(t, "/proc/cmdline", "console=ttyAMA0,115200 console=tty1\n") }, 1,
			"✗ /dev/serial0: the kernel writes its messages there (console=ttyAMA0)", raspiConfig},
		"kernel console by its other name": {func(t *testing.T, p *pi) {
			p.file(t, "/proc/cmdline", "console=serial0,115200\n")
			p.Config.Refclocks[0].Config = &receiver{"/dev/ttyAMA0"}
		}, 1, "✗ /dev/ttyAMA0: the kernel writes its messages there (console=serial0)", raspiConfig},
		"login prompt": {func(t *testing.T, p *pi) {
			p.process(t, "611", "agetty", `0::/system.slice/system-serial\x2dgetty.slice/serial-getty@ttyAMA0.service`,
				"/sbin/agetty", "-o", "-p -- \\u", "--keep-baud", "115200,57600,38400,9600", "-", "vt220")
		}, 1, "✗ /dev/serial0: a login prompt waits there (agetty, process 611)", "sudo systemctl disable --now serial-getty@ttyAMA0.service"},
		"login prompt elsewhere": {func(t *testing.T, p *pi) {
			p.process(t, "612", "agetty", "0::/system.slice/system-getty.slice/getty@tty1.service", "/sbin/agetty", "-", "linux")
		}, 0, "✓ no console is on the receiver's port", ""},
		"pps for root only": {func(t *testing.T, p *pi) {
			p.file(t, "/dev/pps0", "")
			p.denied, p.groups["/dev/pps0"] = []string{"/dev/pps0"}, "root"
		}, 0, "! /dev/pps0: found, may carry a pulse or a long-wave receiver; pi may not open it",
			`echo 'SUBSYSTEM=="pps", GROUP="dialout", MODE="0660"' | sudo tee /etc/udev/rules.d/60-timestation-pps.rules`},
		"gpio for its group only": {func(t *testing.T, p *pi) {
			p.file(t, "/dev/gpiochip0", "")
			p.file(t, "/dev/gpiochip4", "")
			p.denied, p.groups["/dev/gpiochip0"] = []string{"/dev/gpiochip0"}, "gpio"
		}, 0, "! /dev/gpiochip0, /dev/gpiochip4: found, may carry a pulse or a long-wave receiver; pi may not open it",
			"sudo adduser pi gpio, then log out and in again"},
		"no overlay": {func(_ *testing.T, p *pi) { p.add("pps", &receiver{"/dev/pps0"}) }, 2,
			"✗ pps wants /dev/pps0, and the boot configuration has no dtoverlay=pps-gpio", overlayMend},
		"overlay, not rebooted": {func(t *testing.T, p *pi) {
			p.add("pps", &receiver{"/dev/pps0"})
			p.file(t, "/boot/firmware/config.txt", "[all]\ndtoverlay=pps-gpio,gpiopin=4\n")
		}, 2, "✗ dtoverlay=pps-gpio is written down, and /dev/pps0 is not there yet", "sudo reboot"},
		"pulses": {func(t *testing.T, p *pi) {
			p.add("pps", &receiver{"/dev/pps0"})
			p.file(t, "/dev/pps0", "")
			p.file(t, "/sys/class/pps/pps0/assert", fmt.Sprintf("%d.000012345#678\n", p.Today.Unix()-1))
		}, 0, "✓ /dev/pps0: pulses arrive", ""},
		"pulses stopped": {func(t *testing.T, p *pi) {
			p.add("pps", &receiver{"/dev/pps0"})
			p.file(t, "/dev/pps0", "")
			p.file(t, "/sys/class/pps/pps0/assert", fmt.Sprintf("%d.000012345#678\n", p.Today.Unix()-60))
		}, 0, "! /dev/pps0: the last pulse came 1m0s ago", "check the wire"},
		"no pulse ever": {func(t *testing.T, p *pi) {
			p.add("pps", &receiver{"/dev/pps0"})
			p.file(t, "/dev/pps0", "")
			p.file(t, "/sys/class/pps/pps0/assert", "0.000000000#0\n")
		}, 0, "! /dev/pps0: no pulse has ever come", "check the wire"},
		"pps without its rule": {func(t *testing.T, p *pi) {
			p.add("pps", &receiver{"/dev/pps0"})
			p.file(t, "/dev/pps0", "")
			p.denied, p.groups["/dev/pps0"] = []string{"/dev/pps0"}, "root"
		}, 1, "✗ /dev/pps0: pi may not use it", `echo 'SUBSYSTEM=="pps", GROUP="dialout", MODE="0660"'`},
		"line free":    {func(_ *testing.T, p *pi) { p.add("pps", &onLine{Line: "GPIO4"}) }, 0, "✓ GPIO4: free", ""},
		"line taken":   {func(_ *testing.T, p *pi) { p.add("pps", &onLine{Line: "GPIO5"}) }, 1, "✗ GPIO5: it is used by spi0 CS0", "choose another line"},
		"line is ours": {func(_ *testing.T, p *pi) { p.add("pps", &onLine{Line: "GPIO6"}) }, 0, "✓ GPIO6: the station has it", ""},
		"no such line": {func(_ *testing.T, p *pi) { p.add("pps", &onLine{Line: "GPIO99"}) }, 1, "✗ GPIO99: no GPIO chip", "gpioinfo lists"},
		"line and overlay": {func(t *testing.T, p *pi) {
			p.add("pps", &onLine{Line: "GPIO18"})
			p.file(t, "/boot/config.txt", "dtoverlay=pps-gpio\n")
		}, 2, "✗ pps reads GPIO18, which dtoverlay=pps-gpio has", `write device = "/dev/pps0"`},
		"steering not permitted": {func(_ *testing.T, p *pi) { p.Config.Clock.Discipline = "system" }, 1,
			"✗ pi may not steer the system clock, and the service was not given CAP_SYS_TIME", "sudo install -D -m 644 /usr/share/timestation/drop-ins/steering.conf"},
		"steering permitted": {func(t *testing.T, p *pi) {
			p.Config.Clock.Discipline = "system"
			p.file(t, "/proc/self/status", "Name:\ttimestation\nCapEff:\t0000000002000400\n")
		}, 0, "✓ the system clock may be steered", ""},
		"steering shared": {func(t *testing.T, p *pi) {
			p.Config.Clock.Discipline = "system"
			p.file(t, steeringFile, "")
			p.process(t, "350", "systemd-timesyn", "0::/system.slice/systemd-timesyncd.service", "/lib/systemd/systemd-timesyncd")
		}, 1, "✗ systemd-timesyn steers the system clock too; only one program may", "sudo systemctl disable --now systemd-timesyncd"},
		"gpsd has the port": {func(t *testing.T, p *pi) {
			p.process(t, "700", "gpsd", "0::/system.slice/gpsd.service", "/usr/sbin/gpsd", "-n", "/dev/ttyAMA0")
		}, 1, "✗ gpsd has /dev/serial0", "sudo systemctl disable --now gpsd.socket gpsd"},
		"gpsd is idle": {func(t *testing.T, p *pi) {
			p.process(t, "700", "gpsd", "0::/system.slice/gpsd.service", "/usr/sbin/gpsd")
		}, 0, "! gpsd is running; it may take receivers on USB for itself", "sudo systemctl disable --now gpsd.socket gpsd"},
		"timesyncd": {func(t *testing.T, p *pi) {
			p.process(t, "350", "systemd-timesyn", "0::/system.slice/systemd-timesyncd.service", "/lib/systemd/systemd-timesyncd")
		}, 0, "✓ systemd-timesyncd is running and steers the system clock; the station keeps its own time", ""},
		"modem manager": {func(t *testing.T, p *pi) {
			p.file(t, "/dev/ttyACM0", "")
			p.Config.Refclocks[0].Config = &receiver{"/dev/ttyACM0"}
			p.process(t, "360", "ModemManager", "0::/system.slice/ModemManager.service", "/usr/sbin/ModemManager")
		}, 0, "! ModemManager is running: it sends modem commands to USB receivers when they are plugged in",
			"sudo systemctl disable --now ModemManager"},
		"port 123 taken": {func(t *testing.T, p *pi) {
			p.bind = &os.SyscallError{Syscall: "bind", Err: syscall.EADDRINUSE}
			p.file(t, "/proc/net/udp6", udp6)
			p.process(t, "512", "ntpd", "0::/system.slice/ntpsec.service", "/usr/sbin/ntpd", "-p", "/run/ntpd.pid")
			p.link(t, "/proc/512/fd/7", "socket:[23816]")
		}, 1, "✗ UDP :123 is taken by ntpd (process 512)", "sudo systemctl disable --now ntpsec"},
		"port 123 taken by the station": {func(t *testing.T, p *pi) {
			p.bind = syscall.EADDRINUSE
			p.file(t, "/proc/net/udp6", udp6)
			p.process(t, "513", "timestation", "0::/system.slice/timestation.service", "/usr/bin/timestation", "run")
			p.link(t, "/proc/513/fd/9", "socket:[23816]")
		}, 0, "✓ UDP :123: the station is running there (process 513)", ""},
		"port 123 taken, and only root may see by whom": {func(t *testing.T, p *pi) {
			p.bind = syscall.EADDRINUSE
			p.file(t, "/proc/net/udp6", udp6)
			p.process(t, "514", "chronyd", "0::/system.slice/chrony.service", "/usr/sbin/chronyd", "-F", "1")
		}, 1, "✗ UDP :123 is taken, probably by chronyd (process 514)", "sudo systemctl disable --now chrony"},
		"port 123 taken by a stranger": {func(t *testing.T, p *pi) { p.bind = syscall.EADDRINUSE }, 1,
			"✗ UDP :123 is taken by another program", "see by which: sudo ss -ulpn 'sport = :123'"},
		"port 123 not allowed": {func(t *testing.T, p *pi) { p.bind = &os.SyscallError{Syscall: "bind", Err: syscall.EACCES} }, 1,
			"✗ UDP :123: pi may not use a port below 1024", "sudo setcap cap_net_bind_service=+ep /usr/bin/timestation"},
		"address of another machine": {func(t *testing.T, p *pi) { p.bind = syscall.EADDRNOTAVAIL }, 1,
			"✗ UDP :123: this machine has no such address", `see "ip address" for those it has; ":123" is all of them`},
		"key file open": {func(t *testing.T, p *pi) {
			if err := os.Chmod(p.path("/etc/timestation/keys"), 0o640); err != nil {
				t.Fatal(err)
			}
		}, 1, "✗ /etc/timestation/keys: others may read or change the keys (mode 0640)", "chmod 600 /etc/timestation/keys"},
		"key file of another user": {func(t *testing.T, p *pi) { p.denied = []string{"/etc/timestation/keys"} }, 1,
			"✗ /etc/timestation/keys: pi may not read the keys", "sudo chown pi /etc/timestation/keys"},
		"key file missing": {func(t *testing.T, p *pi) { p.without(t, "/etc/timestation/keys") }, 1,
			"✗ /etc/timestation/keys: there is no such key file", "timestation init --output FOLDER/timestation.toml makes one; or take keys out of [[listener]]"},
		"key file with a mistake": {func(t *testing.T, p *pi) { p.file(t, "/etc/timestation/keys", "# mine\n1 SHA257 secret\n") }, 1,
			"✗ /etc/timestation/keys: line 2: ", ""},
		"log folder closed": {func(t *testing.T, p *pi) {
			p.write = &os.PathError{Op: "open", Path: "/var/lib/.doctor-1", Err: syscall.EROFS}
		}, 1, "✗ /var/lib/timestation: the log cannot be written there: read-only file system",
			"sudo install -d -o pi /var/lib/timestation, or another folder with --data"},
		"card full": {func(t *testing.T, p *pi) { p.full = 3 << 20 }, 1,
			"✗ /var/lib/timestation: only 3 MB are free, the log wants 64", "make room there, or choose another folder with --data"},
		"leap table ended": {func(t *testing.T, p *pi) { p.Today = p.LeapExpiry.AddDate(0, 0, 1) }, 0,
			"! the table of leap seconds ended on 2027-06-28: one that was announced since is not known", "install a newer timestation"},
		"leap table ends": {func(t *testing.T, p *pi) { p.Today = p.LeapExpiry.AddDate(0, -1, 0) }, 0,
			"! the table of leap seconds ends soon, on 2027-06-28", "install a newer timestation"},
		"clock without a battery": {func(t *testing.T, p *pi) { p.Today = time.Unix(100, 0).UTC() }, 0,
			"! the table of leap seconds runs to 2027-06-28; this machine's clock says 1970-01-01, so whether that is past cannot be said", ""},
		"no screen": {func(t *testing.T, p *pi) { p.Getenv = func(string) string { return "" } }, 0,
			"! this session has no screen: the station will run headless", "start it in the desktop's session, or set DISPLAY"},
		"root": {func(t *testing.T, p *pi) { p.Superuser = true }, 0,
			"! these are the findings for root, who may do everything",
			"run doctor as the user who will run the station, as in: sudo -u USER /usr/bin/timestation doctor"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPi(t)
			test.spoil(t, p)
			var out strings.Builder
			problems := Run(p.Machine, &out)
			if problems != test.problems || strings.Count(out.String(), "✗") != test.problems {
				t.Errorf("%d problems, want %d", problems, test.problems)
			}
			if want := "  " + test.text; !strings.Contains(out.String(), want) || test.mend != "" &&
				!strings.Contains(out.String(), "\n      "+test.mend) {
				t.Errorf("want %s\n  with mend %s", want, test.mend)
			}
			if t.Failed() {
				t.Log(out.String())
			}
		})
	}
}

// The same checks on the machine the test runs on: whatever it is, they end and say something.
func TestThisMachine(t *testing.T) {
	m := This()
	m.DataFolder = t.TempDir()
	var out strings.Builder
	Run(m, &out)
	for _, want := range []string{"built with go1.", m.DataFolder + ": may be written"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
}
