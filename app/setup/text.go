package setup

import (
	"crypto/rand"
	"fmt"
	"io"
	"runtime"
	"strings"

	"timestation/app/config"
)

// lines is said of GPIO chips.
const lines = `its lines can carry a pulse (driver = "pps") or a long-wave receiver (driver = "dcf77")`

// sources gives the ports in the order of the file: those that were heard, then the others. The first is always
// switched on, heard or not: a station without any source does not start, and one that waits for its receiver says so
// on every surface.
func (f findings) sources() []port {
	var heard, silent []port
	for _, p := range f.ports {
		if p.baud > 0 {
			heard = append(heard, p)
		} else {
			silent = append(silent, p)
		}
	}
	all := append(heard, silent...)
	if len(all) == 0 {
		device := "/dev/serial0" // a Raspberry Pi's pins 8 and 10
		if runtime.GOOS == "windows" {
			device = "COM3"
		}
		all = []port{{device: device, text: "no serial port was found"}}
	}
	return all
}

// entries is the configuration.
func (f findings) entries(hostname, keyPath, tokenPath string) []config.Entry {
	name := map[string]any{}
	if hostname != "" {
		name["name"] = hostname
	}
	entries := []config.Entry{{
		Section: "station",
		Comment: "Timestation's configuration, written by: timestation init\n" +
			"A line that begins with # and a blank explains; take the # away from any other to make it count.",
		Set: name,
	}}
	for i, p := range f.sources() {
		set := map[string]any{"driver": "gps", "name": "gps", "device": p.device}
		if i > 0 {
			set["name"] = fmt.Sprintf("gps%d", i+1)
		}
		if p.baud > 0 {
			set["baud"] = p.baud
		}
		remark := p.device + ": " + p.text
		if i == 0 {
			remark = f.chipRemarks() + remark
		}
		entries = append(entries, config.Entry{
			Section: "refclock", Comment: remark, Set: set, Off: i > 0 && p.baud == 0, Brief: i > 0,
		})
	}
	heard := 0
	for _, p := range f.ports {
		if p.baud > 0 {
			heard++
		}
	}
	for i, device := range f.pulses {
		set := map[string]any{"driver": "pps", "name": "pps", "device": device, "with": "gps"}
		if i > 0 {
			set["name"] = fmt.Sprintf("pps%d", i+1)
		}
		entries = append(entries, config.Entry{
			Section: "refclock", Comment: device + ": the pulse that tells precisely when the second begins that the receiver names", Set: set,
			Off: heard != 1 || len(f.pulses) != 1, Brief: i > 0, // whose pulse it is, is plain only then
		})
	}
	return append(entries,
		config.Entry{Section: "clock"},
		config.Entry{Section: "listener", Set: map[string]any{"address": ":123", "keys": keyPath}},
		config.Entry{Section: "display"},
		config.Entry{Section: "logbook"},
		config.Entry{Section: "web", Set: map[string]any{"token_file": tokenPath}},
	)
}

func (f findings) chipRemarks() string {
	var out strings.Builder
	for _, c := range f.chips {
		fmt.Fprintf(&out, "%s was found: %s.\n", c, lines)
	}
	return out.String()
}

// freshToken is what a person shows who accepts a time jump or acknowledges an alert.
func freshToken() []byte { return []byte(rand.Text() + "\n") }

// freshKeys makes two keys in chrony's syntax: a digest that Debian's chrony and ntpsec both know, and a CMAC, which is
// the cheapest to reckon and keeps within the 20 octets of NTPv4 (RFC 5905, section 7.3).
func freshKeys() []byte {
	var digest, cmac [32]byte
	rand.Read(digest[:]) // never fails
	rand.Read(cmac[:16])
	return fmt.Appendf(nil, "# Keys of the NTP server, made by: timestation init. A client needs one line, word for word.\n"+
		"1 SHA256 HEX:%X\n2 AES128 HEX:%X\n", digest, cmac[:16])
}

func printNext(out io.Writer, configPath, keyPath, tokenPath string, probes Probes) {
	names := probes.Addresses
	if probes.Hostname != "" {
		names = append(names[:len(names):len(names)], probes.Hostname)
	}
	address := "ADDRESS"
	if len(names) > 0 {
		address = names[0]
	}
	fmt.Fprintf(out, `Written:
  %s
  %s (two keys; whoever has it can pose as this server)
  %s (whoever has it can accept a time jump: timestation accept-jump --token-file …)
Next:
  timestation doctor --config %[4]s
  timestation run --config %[4]s
A client with chrony takes this line in /etc/chrony/chrony.conf:
  server %[5]s iburst key 1
and in its /etc/chrony/chrony.keys the line of the key file that begins with 1. Without "key 1" it works unauthenticated.
`, configPath, keyPath, tokenPath, quote(configPath), address)
	if len(names) > 1 {
		fmt.Fprintf(out, "This machine is also reached as %s.\n", strings.Join(names[1:], ", "))
	}
}

// quote makes a path one word of a shell.
func quote(path string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@", r)
	}
	if strings.ContainsFunc(path, func(r rune) bool { return !safe(r) }) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
