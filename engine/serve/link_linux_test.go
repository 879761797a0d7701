package serve

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/serve/namespace"
	"timestation/engine/status"
)

// cable is a server with a client at the other end of a cable.
func cable(t *testing.T) (station, client *namespace.Namespace, server *Server) {
	t.Helper()
	station, client = namespace.New(t), namespace.New(t)
	namespace.Join(t, station, "ts0", client, "ts1")
	station.Run(t, "ip addr add 10.0.0.1/24 dev ts0")
	client.Run(t, "ip addr add 10.0.0.2/24 dev ts1")
	config, board, model := listener(t, ":123"), new(status.Board), good()
	t.Cleanup(keep(func() { republish(board, model, status.Synchronised) }))
	return station, client, serveIn(t, station, config, board)
}

func dialIn(t *testing.T, n *namespace.Namespace, to string) (conn net.Conn) {
	t.Helper()
	var err error
	n.Do(func() { conn, err = net.Dial("udp", to) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// TestLinkLocal: a link-local address is answered over the interface it is of, and the table has it with that.
func TestLinkLocal(t *testing.T) {
	station, client, server := cable(t)
	var shown []string // number, interface, family, address, …
	for end := time.Now().Add(patience); len(shown) < 4 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		shown = strings.Fields(station.Run(t, "ip -o -6 addr show dev ts0 scope link"))
	}
	if len(shown) < 4 {
		t.Fatal("the interface gets no link-local address")
	}
	conn := dialIn(t, client, net.JoinHostPort(netip.MustParsePrefix(shown[3]).Addr().String()+"%ts1", "123"))
	if _, err := conn.Write(request(4, ntp.Client)); err != nil {
		t.Fatal(err)
	}
	if answer := receive(t, conn, patience); len(answer) != ntp.HeaderLen {
		t.Errorf("%x; %+v", answer, server.Counters())
	}
	counted(t, server, 1)
	if all := server.Clients(); len(all) != 1 || !all[0].Address.IsLinkLocalUnicast() || all[0].Address.Zone() == "" {
		t.Errorf("%+v", all)
	}
}

// TestSendFails: an answer that the kernel does not take is counted, and the transmit stamps of those after it are still
// theirs.
func TestSendFails(t *testing.T) {
	needFilter(t)
	station, client, server := cable(t)
	station.Run(t, `nft add table inet test
		nft add chain inet test out { type filter hook output priority 0 ; }`)
	conn := dialIn(t, client, "10.0.0.1:123")
	// exchange asks with the transmit timestamp n; who interleaves gets the receive timestamp of the answer before back.
	exchange := func(in []byte, limit time.Duration) (answer ntp.Packet, answered bool) {
		t.Helper()
		if _, err := conn.Write(in); err != nil {
			t.Fatal(err)
		}
		out := receive(t, conn, limit)
		if out == nil {
			return answer, false
		}
		answer, err := ntp.Parse(out)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond) // until the kernel has said when it left
		return answer, true
	}
	before, answered := exchange(request(4, ntp.Client), patience)
	if !answered {
		t.Fatal("no answer")
	}
	n := ntp.Timestamp(1)
	ask := func(limit time.Duration) (answer ntp.Packet, answered, inInterleaved bool) {
		n += 2
		answer, answered = exchange(interleaved(before.Header, n, n+1), limit)
		return answer, answered, answered && answer.Origin == n
	}
	for round := range 3 {
		for i := range 4 {
			answer, answered, inInterleaved := ask(patience)
			// The first says when the answer before it left, of which no stamp was asked for; after a failure that is known.
			if !answered || inInterleaved == (round == 0 && i == 0) {
				t.Fatalf("round %d, answer %d: %v, interleaved %v; %+v", round, i, answered, inInterleaved, server.Counters())
			}
			if late := moment(answer.Transmit).Sub(moment(before.Transmit)); inInterleaved && i > 1 &&
				(late <= 0 || moment(answer.Transmit).After(moment(answer.Receive))) {
				t.Errorf("round %d, answer %d says that the one before left %v after the one before that", round, i, late)
			}
			before = answer
		}
		station.Run(t, "nft add rule inet test out udp sport 123 drop")
		for range round + 1 {
			if _, answered, _ := ask(100 * time.Millisecond); answered {
				t.Error("an answer that was not sent")
			}
		}
		station.Run(t, "nft flush chain inet test out")
	}
	if c := counted(t, server, 1+3*4+6); c.Dropped[SendFailed] != 6 {
		t.Errorf("%+v", c)
	}
}
