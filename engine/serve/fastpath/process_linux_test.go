package fastpath

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// childEnv makes the test's binary a station that answers by the fast path alone; it is the address.
const childEnv = "TIMESTATION_TEST_FASTPATH"

// childValid is how long a model of the child's is valid, so that the test need not wait for two seconds.
const childValid = 600 * time.Millisecond

func TestMain(m *testing.M) {
	if address := os.Getenv(childEnv); address != "" {
		if err := child(address); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func child(address string) error {
	p, err := Attach(Options{Address: netip.MustParseAddrPort(address), Allow: everyone()})
	for said := false; err == nil; time.Sleep(childValid / 6) {
		m := model()
		m.Valid = childValid
		if err = p.Publish(m); err == nil && !said {
			_, err = fmt.Println("answering")
			said = true
		}
	}
	return err
}

// TestProcess: a station that hangs falls silent when its model is over, and one that is killed at once.
func TestProcess(t *testing.T) {
	needRoot(t)
	server, client := station(t)
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childEnv+"=192.0.2.1:123")
	out, err := c.StdoutPipe()
	if err == nil {
		err = server.Start(c)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	if n, err := out.Read(make([]byte, 100)); err != nil || n != len("answering\n") {
		t.Fatalf("the child says %d octets, %v", n, err)
	}
	expect := func(what string, want bool, within time.Duration) {
		t.Helper()
		began := time.Now()
		for {
			// So many questions, that the kernel soon does not even say that nobody listens.
			if _, answered := askFor(t, client, "192.0.2.1:123", asked(), childValid/6); answered == want {
				return
			}
			if time.Since(began) > within {
				t.Fatalf("%s: after %v it is not so that answered is %v", what, time.Since(began), want)
			}
		}
	}
	const moment = 2 * time.Second // for a busy machine
	expect("running", true, moment)
	if err := c.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	expect("stopped", false, childValid+moment)
	if err := c.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	expect("continued", true, moment)
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	killed := time.Now()
	expect("killed", false, childValid/2)
	t.Logf("silent %v after it was killed", time.Since(killed))
}
