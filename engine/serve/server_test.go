package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
)

// newBoard carries a good status.
func newBoard() *status.Board {
	board := new(status.Board)
	board.Publish(good())
	return board
}

// start runs a server with the test keys and a good status.
func start(t *testing.T, config Config) *Server {
	t.Helper()
	s, err := New(config, newBoard(), discard())
	if err != nil {
		if config.Address == "[::1]:0" {
			t.Skip("no IPv6 here:", err)
		}
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		began := time.Now()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v to stop", took)
		}
	})
	return s
}

func listener(t *testing.T, address string) Config {
	config := DefaultConfig()
	config.Address, config.Keys = address, writeKeys(t, keyFile)
	return config
}

// exchange is a client: it sends from a socket of its own and gives the answer, nil where there is none.
func exchange(t *testing.T, to string, in []byte, patience time.Duration) []byte {
	t.Helper()
	conn := send(t, to, in)
	defer conn.Close()
	return receive(t, conn, patience)
}

func send(t *testing.T, to string, in []byte) net.Conn {
	t.Helper()
	conn, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(in); err != nil {
		t.Fatal(err)
	}
	return conn
}

func receive(t *testing.T, conn net.Conn, patience time.Duration) []byte {
	t.Helper()
	out := make([]byte, 1000)
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	n, err := conn.Read(out)
	if err != nil {
		return nil
	}
	return out[:n]
}

// counted gives the counters once they have taken in that many requests: an answer may be here before it is counted.
func counted(t *testing.T, s *Server, requests uint64) Counters {
	t.Helper()
	for end := time.Now().Add(patience); s.Counters().Requests < requests && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	return s.Counters()
}

const (
	patience = 3 * time.Second
	silence  = 50 * time.Millisecond
)

func TestServesBothFamiliesAndEveryKey(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			s := start(t, listener(t, address))
			to := s.Address().String()
			plain := request(4, ntp.Client)
			asked := map[string][]byte{"plain": plain}
			for _, k := range s.keyring.Load().keys {
				asked[k.String()+" cut"] = signed(t, plain, k.ID, ntp.TruncatedLen)
				asked[k.String()] = signed(t, request(3, ntp.Client), k.ID, 0)
			}
			for name, in := range asked {
				out := exchange(t, to, in, patience)
				answer, err := ntp.Parse(out)
				if err != nil || len(out) != len(in) || answer.Stratum != 1 || answer.Origin != 0x0123456789abcdef {
					t.Errorf("%s: %d octets, %v, %+v", name, len(out), err, answer)
					continue
				}
				if d := moment(answer.Transmit).Sub(noon2026.UTC().Time()); d < 0 || d > 2*time.Second {
					t.Errorf("%s: %v from the station's time", name, d)
				}
				if answer.Digest != nil && !authenticator(t, answer.KeyID).Check(answer.Signed, answer.Digest) {
					t.Errorf("%s: the answer's code is wrong", name)
				}
			}
			wrong := signed(t, plain, 2, 0)
			wrong[50] ^= 1 // another key number
			forged := signed(t, plain, 2, 0)
			forged[60] ^= 1
			for _, in := range [][]byte{wrong, forged, []byte("junk"), bytes.Repeat([]byte{0x23}, longestRequest+100)} {
				if out := exchange(t, to, in, silence); out != nil {
					t.Errorf("%x was answered", in)
				}
			}
			c := counted(t, s, uint64(len(asked))+4)
			if c.Requests != uint64(len(asked))+4 || c.Plain != 1 || c.Authenticated != uint64(len(asked))-1 ||
				c.Dropped[UnknownKey] != 1 || c.Dropped[BadMAC] != 1 || c.Dropped[Version]+c.Dropped[Malformed] != 2 {
				t.Errorf("%+v", c)
			}
		})
	}
}

func TestAllAddressesMeansBothFamilies(t *testing.T) {
	s := start(t, listener(t, ":0"))
	_, port, err := net.SplitHostPort(s.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "::1"} {
		probe, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Log("not here:", err)
			continue
		}
		probe.Close()
		if out := exchange(t, net.JoinHostPort(host, port), request(4, ntp.Client), patience); len(out) != ntp.HeaderLen {
			t.Errorf("%s: %d octets", host, len(out))
		}
	}
}

func TestReloadKeys(t *testing.T) {
	config := listener(t, "127.0.0.1:0")
	s := start(t, config)
	to := s.Address().String()
	in := signed(t, request(4, ntp.Client), 6, 0)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(config.Keys, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if exchange(t, to, in, patience) == nil {
		t.Error("no answer")
	}
	write("6 AES nonsense\n")
	if err := s.ReloadKeys(); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Error(err)
	}
	if exchange(t, to, in, patience) == nil {
		t.Error("the old keys are gone after an error")
	}
	write("1 MD5 another\n")
	if err := s.ReloadKeys(); err != nil {
		t.Error(err)
	}
	if exchange(t, to, in, silence) != nil {
		t.Error("a key that was removed still works")
	}
	write(keyFile)
	if err := s.ReloadKeys(); err != nil || exchange(t, to, in, patience) == nil {
		t.Error("the key does not work again:", err)
	}
}

func TestPortTaken(t *testing.T) {
	s := start(t, listener(t, "127.0.0.1:0"))
	to := s.Address().String()
	_, err := New(listener(t, to), new(status.Board), discard())
	want := "address: cannot listen on " + to + ": another program has this port; " +
		"stop it (chronyd, ntpd or another station; see: sudo ss -ulpn) or choose another port"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = New(listener(t, "192.0.2.77:0"), new(status.Board), discard())
	if err == nil || !strings.Contains(err.Error(), "this machine does not have this address") {
		t.Error(err)
	}
}

func TestRunEndsWithTheContextOrClose(t *testing.T) {
	s, err := New(listener(t, "127.0.0.1:0"), new(status.Board), discard())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
	if s, err = New(listener(t, s.Address().String()), new(status.Board), discard()); err != nil {
		t.Fatal("the address was not freed:", err)
	}
	time.AfterFunc(silence, func() { s.Close() })
	if err := s.Run(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestCountersAsJSON(t *testing.T) {
	var c tally
	c.plain.Add(2)
	c.dropped[BadMAC].Add(1)
	b, err := json.Marshal(c.counters())
	const want = `{"requests":3,"answered_plain":2,"answered_authenticated":0,"answered_nts":0,"answered_control":0,` +
		`"answered_in_kernel":0,"answered_interleaved":0,"kisses":0,"broadcasts":0,"receive_stamps":"","transmit_stamps":"",` +
		`"dropped":{"bad-mac":1,"clock-stepped":0,"denied":0,"extension":0,"key-address":0,"late":0,"malformed":0,"mode":0,` +
		`"ms-sntp":0,"no-room":0,"nts-malformed":0,"nts-nak":0,"rate-limited":0,"send-failed":0,"unknown-key":0,"version":0}}`
	if err != nil || string(b) != want {
		t.Errorf("%s %v", b, err)
	}
}
