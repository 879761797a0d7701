//go:build peers

package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"timestation/engine/ntp"
)

// hostPort splits one of the demonstration's addresses.
func hostPort(t *testing.T, address string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// writeKeys writes a key file, as chrony or ntpsec wants it.
func writeKeys(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func chronyLine(k ntp.Key) string { return fmt.Sprintf("%d %s HEX:%x", k.ID, k.Algorithm, k.Secret) }

// forged is a key of the same type and number with another secret.
func forged(k ntp.Key) ntp.Key {
	k.Secret = slices.Clone(k.Secret)
	k.Secret[0] ^= 1
	return k
}

var chronydMeasured = regexp.MustCompile(`System clock wrong by (-?[0-9.]+) seconds`)

// chronyd lets chronyd ask once; with a key if there is one. It gives what it printed.
func chronyd(t *testing.T, peers, address string, key *ntp.Key, limit time.Duration) string {
	t.Helper()
	host, port := hostPort(t, address)
	dir := t.TempDir()
	conf := fmt.Sprintf("pidfile %[1]s/pid\ncmdport 0\nbindcmdaddress /\nport 0\nserver %[2]s port %[3]s iburst", dir, host, port)
	if key != nil {
		conf += fmt.Sprintf(" key %d\nkeyfile %s", key.ID, writeKeys(t, chronyLine(*key)))
	}
	path := filepath.Join(dir, "chrony.conf")
	if err := os.WriteFile(path, []byte(conf+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	// -x: the clock of this machine is never touched. -U and -u: as whoever runs the test.
	c := commandFor(t, limit+10*time.Second, filepath.Join(peers, "usr/sbin/chronyd"),
		"-x", "-Q", "-t", strconv.Itoa(int(limit.Seconds())), "-U", "-u", me.Username, "-f", path)
	r := finish(t, c, c.Run)
	return r.stdout + r.stderr
}

// chronydJudges asks plainly and with every type of key, over both families.
func chronydJudges(t *testing.T, peers string, keys []ntp.Key) {
	for _, address := range demoAddresses {
		ask := func(name string, key *ntp.Key) {
			t.Run(name+" "+address, func(t *testing.T) {
				t.Parallel() // chronyd takes 4 s over each
				printed := chronyd(t, peers, address, key, time.Minute)
				m := chronydMeasured.FindStringSubmatch(printed)
				if m == nil {
					t.Fatalf("chronyd did not measure:\n%s", printed)
				}
				offset, err := strconv.ParseFloat(m[1], 64)
				if err != nil {
					t.Fatal(err)
				}
				within(t, offset)
			})
		}
		ask("plain", nil)
		for _, key := range keys {
			ask(key.Algorithm.String(), &key)
		}
	}
}

// ntpdigToPort runs ntpdig, which knows no port but 123, with every address it looks up led to another.
const ntpdigToPort = `
import runpy, socket, sys
look, port = socket.getaddrinfo, int(sys.argv[1])
socket.getaddrinfo = lambda host, _, *rest: look(host, port, *rest)
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
`

// ntpdig asks once, with a key if there is one. It gives what it printed on both outputs.
func ntpdig(t *testing.T, peers, address string, key *ntp.Key) result {
	t.Helper()
	host, port := hostPort(t, address)
	args := []string{"-c", ntpdigToPort, port, filepath.Join(peers, "usr/bin/ntpdig"), "-j", "-t", "2"}
	if key != nil {
		kind := key.Algorithm.String()
		if key.Algorithm == ntp.AES128 {
			kind = "AES-128"
		}
		// More than 20 characters, so it is read as hexadecimal.
		args = append(args, "-a", strconv.Itoa(int(key.ID)), "-k",
			writeKeys(t, fmt.Sprintf("%d %s %s", key.ID, kind, hex.EncodeToString(key.Secret))))
	}
	c := commandFor(t, time.Minute, "python3", append(args, host)...)
	libraries, _ := filepath.Glob(filepath.Join(peers, "usr/lib/*/ntp"))
	c.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(peers, "usr/lib/python3/dist-packages"))
	if len(libraries) > 0 {
		// Its C part, which it looks for in the system's folders or beside its modules.
		linkBeside(t, filepath.Join(libraries[0], "libntpc.so"), filepath.Join(peers, "usr/lib/python3/dist-packages/ntp"))
	}
	return finish(t, c, c.Run)
}

func linkBeside(t *testing.T, library, dir string) {
	t.Helper()
	err := os.Symlink(library, filepath.Join(dir, filepath.Base(library)))
	if err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
}

// ntpdigJudges asks plainly and with the types of key that ntpdig knows, over both families.
func ntpdigJudges(t *testing.T, peers string, keys []ntp.Key) {
	for _, address := range demoAddresses {
		ask := func(name string, key *ntp.Key) {
			t.Run(name+" "+address, func(t *testing.T) {
				r := ntpdig(t, peers, address, key)
				var answer struct {
					Offset  float64 `json:"offset"`
					Stratum int     `json:"stratum"`
					Leap    string  `json:"leap"`
				}
				if err := json.Unmarshal([]byte(r.stdout), &answer); err != nil {
					t.Fatalf("ntpdig: exit code %d, %v\n%s%s", r.code, err, r.stdout, r.stderr)
				}
				if answer.Stratum != 1 || answer.Leap != "no-leap" {
					t.Errorf("ntpdig sees stratum %d and leap %q; should be 1 and no-leap", answer.Stratum, answer.Leap)
				}
				within(t, answer.Offset)
			})
		}
		ask("plain", nil)
		for _, key := range keys {
			if slices.Contains([]ntp.Algorithm{ntp.MD5, ntp.SHA1, ntp.AES128}, key.Algorithm) {
				ask(key.Algorithm.String(), &key)
			}
		}
	}
}

// dropped is how many requests the listener has left unanswered for a reason.
func dropped(t *testing.T, address, reason string) uint64 {
	t.Helper()
	for _, l := range report(t).Listeners {
		if l.Address == address {
			return l.Dropped[reason]
		}
	}
	t.Fatalf("/api/status has no listener %s", address)
	return 0
}

// silence asks with keys that the station must not honour: there is no answer, and it is counted why.
func silence(t *testing.T, peers string, keys []ntp.Key) {
	for _, address := range demoAddresses {
		unknown := ntp.Key{ID: 4711, Algorithm: ntp.SHA1, Secret: []byte("nobody told the station")}
		cases := []struct {
			name, reason string
			key          ntp.Key
		}{{"unknown key", "unknown-key", unknown}}
		for _, k := range keys {
			cases = append(cases, struct {
				name, reason string
				key          ntp.Key
			}{"wrong " + k.Algorithm.String() + " key", "bad-mac", forged(k)})
		}
		t.Run(address, func(t *testing.T) {
			before := map[string]uint64{"unknown-key": dropped(t, address, "unknown-key"), "bad-mac": dropped(t, address, "bad-mac")}
			t.Run("asked", func(t *testing.T) {
				for _, c := range cases {
					t.Run("chronyd "+c.name, func(t *testing.T) {
						t.Parallel()
						if printed := chronyd(t, peers, address, &c.key, 5*time.Second); !strings.Contains(printed, "Timeout reached") {
							t.Errorf("chronyd should have run into its time limit:\n%s", printed)
						}
					})
				}
				t.Run("ntpdig unknown key", func(t *testing.T) {
					if r := ntpdig(t, peers, address, &unknown); r.code == 0 || r.stdout != "" {
						t.Errorf("ntpdig should have had no answer: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
					}
				})
			})
			for _, c := range cases {
				if dropped(t, address, c.reason) == before[c.reason] {
					t.Errorf("nothing was counted under %s", c.reason)
				}
			}
		})
	}
}
