// Package namespace gives tests a network of their own: its interfaces, addresses, sockets and packet filter are nobody
// else's, and go when the test ends (network_namespaces(7)). It needs root and the program ip.
package namespace

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Namespace is a network with a thread of ours in it. It lasts as long as the test, or a process started in it.
type Namespace struct {
	thread int
	do     chan func()
}

// New makes a network that has the loopback interface alone, and it up. Where that cannot be, it skips the test and says
// why.
func New(t testing.TB) *Namespace {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skipf("a network namespace needs the program ip (iproute2): %v", err)
	}
	n := &Namespace{do: make(chan func())}
	made := make(chan error)
	go func() {
		// The thread is never unlocked, so that it ends with the goroutine and nothing else ever runs in the namespace.
		runtime.LockOSThread()
		n.thread = unix.Gettid()
		err := unix.Unshare(unix.CLONE_NEWNET)
		made <- err
		if err != nil {
			return
		}
		for f := range n.do {
			f()
		}
	}()
	if err := <-made; err != nil {
		t.Skipf("no network namespace of its own here, which needs root: %v", err)
	}
	t.Cleanup(func() { close(n.do) })
	n.Run(t, "ip link set lo up")
	return n
}

// Do calls f on the thread that is in the namespace: sockets that it opens and processes that it starts belong there. f
// must not start goroutines that do either, nor end the test.
func (n *Namespace) Do(f func()) {
	done := make(chan struct{})
	n.do <- func() {
		defer close(done)
		f()
	}
	<-done
}

// Start starts a command in the namespace.
func (n *Namespace) Start(c *exec.Cmd) (err error) {
	n.Do(func() { err = c.Start() })
	return err
}

// Run runs commands, one a line, whose words are separated by spaces, and gives what the last said; a failure ends the
// test.
func (n *Namespace) Run(t testing.TB, commands string) string {
	t.Helper()
	var last string
	for line := range strings.Lines(commands) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		var said []byte
		var err error
		n.Do(func() { said, err = exec.Command(words[0], words[1:]...).CombinedOutput() })
		if err != nil {
			t.Fatalf("%s: %v: %s", strings.TrimSpace(line), err, said)
		}
		last = string(said)
	}
	return last
}

// Set sets a variable below /proc/sys/net.
func (n *Namespace) Set(t testing.TB, name, value string) {
	t.Helper()
	var err error
	n.Do(func() { err = os.WriteFile("/proc/sys/net/"+name, []byte(value), 0) })
	if err != nil {
		t.Fatal(err)
	}
}

// Join lays a cable from one namespace to another, with an interface of that name at each end, up and without addresses
// but for the link-local one.
func Join(t testing.TB, a *Namespace, atA string, b *Namespace, atB string) {
	t.Helper()
	a.Run(t, fmt.Sprintf("ip link add %s type veth peer name %s netns /proc/%d/task/%d/ns/net", atA, atB, unix.Getpid(), b.thread))
	type end struct {
		*Namespace
		name string
	}
	ends := []end{{a, atA}, {b, atB}}
	for _, e := range ends {
		// Without duplicate address detection an IPv6 address is good at once.
		e.Set(t, "ipv6/conf/"+e.name+"/accept_dad", "0")
		e.Run(t, "ip link set "+e.name+" up")
	}
	// The kernel may take a second to notice that there is a cable; until then it drops what is sent.
	for _, e := range ends {
		for deadline := time.Now().Add(5 * time.Second); !strings.Contains(e.Run(t, "ip -o link show "+e.name), "state UP"); {
			if time.Now().After(deadline) {
				t.Fatalf("the interface %s does not come up", e.name)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}
