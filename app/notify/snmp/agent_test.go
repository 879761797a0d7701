package snmp

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"
)

var engine = []byte{0x80, 0, 0x7e, 0xd9, 5, 1, 2, 3, 4, 5, 6, 7, 8}

func objects() []Object {
	all := []Object{
		String([]uint32{1, 3, 6, 1, 2, 1, 1, 1, 0}, "Timestation"),
		Identifier([]uint32{1, 3, 6, 1, 2, 1, 1, 2, 0}, []uint32{0, 0}),
		Ticks([]uint32{1, 3, 6, 1, 2, 1, 1, 3, 0}, 4294967295),
		Integer([]uint32{1, 3, 6, 1, 2, 1, 197, 1, 1, 6, 0}, -20),
		Gauge([]uint32{1, 3, 6, 1, 2, 1, 197, 1, 2, 2, 0}, 16),
		Counter([]uint32{1, 3, 6, 1, 2, 1, 197, 1, 2, 12, 0}, 1<<32+7),
	}
	for i := range 100 {
		all = append(all, String([]uint32{1, 3, 6, 1, 2, 1, 197, 1, 3, 1, 1, 2, uint32(200 * (i + 1))}, strings.Repeat("x", 40)))
	}
	Sort(all)
	return all
}

func users() []User {
	return []User{
		{Name: "anna", Auth: "sha256", Password: "authpassword", PrivacyPassword: "privpassword"},
		{Name: "ben", Auth: "sha", Password: "authpassword"},
	}
}

func startAgent(t *testing.T) (host string, port uint16) {
	t.Helper()
	a, err := New(Config{Address: "127.0.0.1:0", Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Community: "secret",
		Users: users(), Engine: engine, Boots: 3, Objects: objects})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	u := a.Address().(*net.UDPAddr)
	return "127.0.0.1", uint16(u.Port)
}

// manager is gosnmp, which is not ours.
func manager(t *testing.T, change func(*gosnmp.GoSNMP)) *gosnmp.GoSNMP {
	t.Helper()
	host, port := startAgent(t)
	g := &gosnmp.GoSNMP{Target: host, Port: port, Transport: "udp", Version: gosnmp.Version2c, Community: "secret",
		Timeout: 2 * time.Second, MaxOids: gosnmp.MaxOids, MaxRepetitions: 20}
	change(g)
	if err := g.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

func v3(user string, protocol gosnmp.SnmpV3AuthProtocol, private bool) func(*gosnmp.GoSNMP) {
	return func(g *gosnmp.GoSNMP) {
		g.Version, g.SecurityModel, g.MsgFlags = gosnmp.Version3, gosnmp.UserSecurityModel, gosnmp.AuthNoPriv
		p := &gosnmp.UsmSecurityParameters{UserName: user, AuthenticationProtocol: protocol, AuthenticationPassphrase: "authpassword",
			PrivacyProtocol: gosnmp.NoPriv}
		if private {
			g.MsgFlags, p.PrivacyProtocol, p.PrivacyPassphrase = gosnmp.AuthPriv, gosnmp.AES, "privpassword"
		}
		g.SecurityParameters = p
	}
}

func TestAgent(t *testing.T) {
	for name, change := range map[string]func(*gosnmp.GoSNMP){
		"2c": func(*gosnmp.GoSNMP) {}, "3 signed": v3("ben", gosnmp.SHA, false), "3 sealed": v3("anna", gosnmp.SHA256, true),
	} {
		t.Run(name, func(t *testing.T) {
			g := manager(t, change)
			want := len(objects())
			for how, walk := range map[string]func(string) ([]gosnmp.SnmpPDU, error){"next": g.WalkAll, "bulk": g.BulkWalkAll} {
				all, err := walk("1.3.6.1.2.1")
				if err != nil || len(all) != want {
					t.Fatalf("%s: %d of %d objects, %v", how, len(all), want, err)
				}
				got := map[string]any{}
				for _, v := range all {
					got[v.Name] = v.Value
				}
				for id, value := range map[string]any{
					".1.3.6.1.2.1.1.1.0": []byte("Timestation"), ".1.3.6.1.2.1.1.3.0": uint32(4294967295),
					".1.3.6.1.2.1.197.1.1.6.0": -20, ".1.3.6.1.2.1.197.1.2.2.0": uint(16), ".1.3.6.1.2.1.197.1.2.12.0": uint(7),
				} {
					if !reflect.DeepEqual(got[id], value) {
						t.Errorf("%s: %s is %v (%[3]T), want %v", how, id, got[id], value)
					}
				}
			}
			one, err := g.Get([]string{"1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.1.7", "1.3.6.1.2.1.99.1.0"})
			if err != nil || len(one.Variables) != 3 || one.Variables[1].Type != gosnmp.NoSuchInstance || one.Variables[2].Type != gosnmp.NoSuchObject {
				t.Errorf("get: %+v, %v", one, err)
			}
			set, err := g.Set([]gosnmp.SnmpPDU{{Name: "1.3.6.1.2.1.1.1.0", Type: gosnmp.OctetString, Value: "mine"}})
			if err != nil || set.Error != gosnmp.NotWritable {
				t.Errorf("set: %+v, %v", set, err)
			}
		})
	}
}

func TestAgentRefuses(t *testing.T) {
	quick := func(change func(*gosnmp.GoSNMP)) func(*gosnmp.GoSNMP) {
		return func(g *gosnmp.GoSNMP) {
			change(g)
			g.Timeout = 100 * time.Millisecond
		}
	}
	wrong := v3("anna", gosnmp.SHA256, true)
	for name, change := range map[string]func(*gosnmp.GoSNMP){
		"wrong community": func(g *gosnmp.GoSNMP) { g.Community = "public" },
		"unknown user":    v3("carl", gosnmp.SHA256, true),
		"wrong password": func(g *gosnmp.GoSNMP) {
			wrong(g)
			g.SecurityParameters.(*gosnmp.UsmSecurityParameters).AuthenticationPassphrase = "another password"
		},
		"not sealed": v3("anna", gosnmp.SHA256, false),
		"not signed": func(g *gosnmp.GoSNMP) {
			v3("anna", gosnmp.NoAuth, false)(g)
			g.MsgFlags = gosnmp.NoAuthNoPriv
		},
	} {
		g := manager(t, quick(change))
		if answer, err := g.Get([]string{"1.3.6.1.2.1.1.1.0"}); err == nil {
			t.Errorf("%s: %+v", name, answer.Variables)
		}
	}
}

// request writes a request of version 2c.
func request(tag byte, first, second int64, names ...[]uint32) []byte {
	var list []byte
	for _, name := range names {
		list = append(list, binding(name, element(tagNull))...)
	}
	return element(tagSequence, number(tagInteger, 1), element(tagString, []byte("secret")),
		element(tag, number(tagInteger, 77), number(tagInteger, first), number(tagInteger, second), element(tagSequence, list)))
}

func testAgent() *Agent {
	a := &Agent{config: Config{Community: "secret", Boots: 3}, engine: engine, accounts: map[string]account{}, objects: objects, began: time.Now()}
	for _, u := range users() {
		a.accounts[u.Name] = u.account(engine)
	}
	return a
}

// Whatever is asked, the answer fits a datagram.
func TestAnswersAreBounded(t *testing.T) {
	a := testAgent()
	long := make([]uint32, 100)
	long[0] = 1
	var many [][]uint32
	for range mostBindings {
		many = append(many, []uint32{1, 3})
	}
	for name, in := range map[string][]byte{
		"bulk of all":     request(tagGetBulk, 0, 1<<30, []uint32{1, 3}),
		"bulk of many":    request(tagGetBulk, 10, 1000, many...),
		"bulk, negative":  request(tagGetBulk, -5, -7, []uint32{1, 3}),
		"many next":       request(tagGetNext, 0, 0, many...),
		"a long name":     request(tagGet, 0, 0, long),
		"after the last":  request(tagGetBulk, 0, 60, []uint32{2, 3}),
		"many long names": request(tagGet, 0, 0, long, long, long, long, long, long, long, long, long, long, long, long, long),
	} {
		if answer := a.Answer(in); len(answer) == 0 || len(answer) > mostAnswer {
			t.Errorf("%s: %d octets", name, len(answer))
		}
	}
	if answer := a.Answer(request(tagGet, 0, 0, append(many, []uint32{1, 3})...)); answer != nil {
		t.Errorf("%d names were answered", mostBindings+1)
	}
}

// A password becomes the key that RFC 3414, appendix A.3.2, gives.
func TestLocalisedKey(t *testing.T) {
	u := User{Name: "x", Auth: "sha", Password: "maplesyrup"}
	id := []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}
	if got := fmt.Sprintf("%x", u.account(id).key); got != "6695febc9288e36282235fc7151f128497b38f3f" {
		t.Errorf("%s", got)
	}
}

// A message that is played again after the time window, or from another start, is told the time instead.
func TestTimeWindow(t *testing.T) {
	a := testAgent()
	ben := a.accounts["ben"]
	ask := func(boots, seconds int64) []byte {
		m := element(tagSequence, number(tagInteger, 3),
			element(tagSequence, number(tagInteger, 1), number(tagInteger, 65507), element(tagString, []byte{flagAuth | flagReportable}), number(tagInteger, 3)),
			element(tagString, element(tagSequence, element(tagString, engine), number(tagInteger, boots), number(tagInteger, seconds),
				element(tagString, []byte("ben")), element(tagString, make([]byte, 12)), element(tagString))),
			element(tagSequence, element(tagString, engine), element(tagString),
				element(tagGet, number(tagInteger, 1), number(tagInteger, 0), number(tagInteger, 0), element(tagSequence, binding([]uint32{1, 3, 6, 1, 2, 1, 1, 1, 0}, element(tagNull))))))
		body, _, _ := takeTag(m, tagSequence)
		_, body, _ = takeInteger(body)
		parsed, ok := parse3(body)
		if !ok {
			t.Fatal("the test's message is wrong")
		}
		copy(parsed.signature, ben.sign(m))
		return a.Answer(m)
	}
	window := identifier([]uint32{1, 3, 6, 1, 6, 3, 15, 1, 1, uint32(notInTimeWindows), 0})
	for _, c := range []struct {
		boots, seconds int64
		good           bool
	}{{3, 0, true}, {3, 149, true}, {3, 200, false}, {2, 0, false}, {4, 0, false}} {
		answer := ask(c.boots, c.seconds)
		if good := bytes.Contains(answer, []byte("Timestation")); good != c.good || good == bytes.Contains(answer, window) {
			t.Errorf("boots %d, %d s: % x", c.boots, c.seconds, answer)
		}
	}
}

// No datagram stops the agent, or gets an answer that is too large.
func FuzzAnswer(f *testing.F) {
	f.Add(request(tagGetBulk, 1, 10, []uint32{1, 3}, []uint32{1, 3, 6, 1}))
	f.Add(request(tagGet, 0, 0, []uint32{1, 3, 6, 1, 2, 1, 1, 1, 0}))
	f.Add(element(tagSequence, number(tagInteger, 3),
		element(tagSequence, number(tagInteger, 1), number(tagInteger, 65507), element(tagString, []byte{flagReportable}), number(tagInteger, 3)),
		element(tagString, element(tagSequence, element(tagString), number(tagInteger, 0), number(tagInteger, 0), element(tagString), element(tagString), element(tagString))),
		element(tagSequence, element(tagString), element(tagString), element(tagGet, number(tagInteger, 1), number(tagInteger, 0), number(tagInteger, 0), element(tagSequence)))))
	a := testAgent()
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > mostRequest {
			return
		}
		if answer := a.Answer(bytes.Clone(in)); len(answer) > mostAnswer {
			t.Errorf("%d octets", len(answer))
		}
	})
}
