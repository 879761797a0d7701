package serve

import (
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/nts"
	"timestation/engine/serve/load"
)

// speedKeys are what both daemons are asked under.
const speedKeys = `1 MD5 HEX:933F62BE1D604E68A81B557F18CFA200483F5B70
2 SHA1 HEX:933F62BE1D604E68A81B557F18CFA200483F5B70
3 AES128 HEX:7EA62AE64D190114D46D5A082F948EC1
`

// BenchmarkSpeed asks this server, a bare echo in C and chronyd in turn, each alone on processor 0 and asked from
// processor 1, and gives the ratios of the same round: the median of all rounds, and their spread. All features are on:
// table of clients, access list, rate limit (never reached), kernel time stamps.
//
//	TIMESTATION_MEASURE=1 go test -tags headless -run '^$' -bench Speed -benchtime 1x -v ./engine/serve
//
// takes some four and a half minutes, and means something on a quiet machine alone. Without TIMESTATION_MEASURE it is a short look.
func BenchmarkSpeed(b *testing.B) {
	if runtime.NumCPU() < 2 {
		b.Skip("needs two processors")
	}
	rounds, each := 3, 300*time.Millisecond
	if os.Getenv("TIMESTATION_MEASURE") != "" {
		rounds, each = 11, time.Second
	}
	keyPath := writeKeys(b, speedKeys)
	certFile, certKey, roots := certificate(b)
	cfg := childConfig{Config: DefaultConfig(), Certificate: certFile, Key: certKey, Establish: freePort(b).String()}
	cfg.Address, cfg.Keys, cfg.NTS = freePort(b).String(), keyPath, true
	cfg.RateLimitPerSecond, cfg.RateLimitBurst = 1e8, 1e8
	ourPID := selfWith(b, cfg)
	our := netip.MustParseAddrPort(cfg.Address)
	echoAt, echoPID := echo(b)
	chronyNTS := freePort(b)
	chronyAt, chronyPID := chronyd(b, "keyfile "+keyPath, "clientloglimit 4194304", "ntsserverkey "+certKey,
		"ntsservercert "+certFile, "ntsport "+strconv.Itoa(int(chronyNTS.Port())))
	establishAt := map[netip.AddrPort]string{our: cfg.Establish, chronyAt: chronyNTS.String()}

	keys, err := parseKeyFile(keyPath)
	if err != nil {
		b.Fatal(err)
	}
	kinds := []struct {
		name string
		key  *ntp.Key
		nts  bool
		rate float64
	}{
		{"plain", nil, false, 0}, {"MD5", &keys.keys[0], false, 0}, {"SHA1", &keys.keys[1], false, 0},
		{"CMAC", &keys.keys[2], false, 0}, {"NTS", nil, true, 0}, {"1000-a-second", nil, false, 1000},
	}
	for _, k := range kinds {
		b.Run(k.name, func(b *testing.B) {
			for b.Loop() {
				ask := func(to netip.AddrPort, pid int, isEcho bool) speed {
					c := load.Config{
						Target: to, Ports: 8, Window: 16, Duration: each, Key: k.key, Echo: isEcho, PerSecond: k.rate,
					}
					if k.nts && !isEcho {
						c.Protect = protect(b, establish(b, establishAt[to], roots, nts.AESSIVCMAC256))
					}
					if k.rate > 0 {
						c.Window, c.Duration = 4, 3*each
					}
					before := processorTime(b, pid)
					r := runLoad(b, c)
					if r.Wrong > 0 || r.Answered == 0 || r.Lost*1000 > r.Sent {
						b.Logf("%v: %v", to, r)
						if pid == ourPID {
							b.Fail()
						}
					}
					used := processorTime(b, pid) - before
					return speed{r.PerSecond(), float64(used.Nanoseconds()) / float64(r.Answered)}
				}
				var table [3][]speed
				for range rounds {
					table[0] = append(table[0], ask(our, ourPID, false))
					table[1] = append(table[1], ask(echoAt, echoPID, true))
					table[2] = append(table[2], ask(chronyAt, chronyPID, false))
				}
				for i, name := range []string{"timestation", "C echo", "chronyd"} {
					b.Logf("%-13s %-11s %8.0f answers/s, %6.0f ns of processor each", k.name, name,
						median(table[i], speed.answers), median(table[i], speed.cost))
				}
				for i, name := range []string{"C-echo", "chronyd"} {
					if k.rate == 0 {
						report(b, "answers-of-"+name, table[0], table[i+1], speed.answers, false)
					}
					report(b, "economy-of-"+name, table[0], table[i+1], speed.cost, true)
				}
			}
		})
	}
}

// protect makes requests under NTS, with the same cookies over and over.
func protect(b *testing.B, e *nts.Establishment) func([]byte) ([]byte, error) {
	few := e.Cookies
	for len(e.Cookies) < 1<<14 {
		e.Cookies = append(e.Cookies, few...)
	}
	c, err := nts.NewClient(e)
	if err != nil {
		b.Fatal(err)
	}
	return c.AppendRequest
}

// speed is one round of one server: answers a second, and nanoseconds of its processor for each.
type speed struct{ perSecond, each float64 }

func (s speed) answers() float64 { return s.perSecond }
func (s speed) cost() float64    { return s.each }

func median(all []speed, of func(speed) float64) float64 {
	var v []float64
	for _, s := range all {
		v = append(v, of(s))
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// report gives the ratio of two servers, higher being better for the first.
func report(b *testing.B, name string, first, second []speed, of func(speed) float64, less bool) {
	var v []float64
	for i := range first {
		ratio := of(first[i]) / of(second[i])
		if less {
			ratio = 1 / ratio
		}
		v = append(v, ratio)
	}
	slices.Sort(v)
	b.ReportMetric(v[len(v)/2], name)
	b.Logf("%-22s %.3f (rounds from %.3f to %.3f)", name, v[len(v)/2], v[0], v[len(v)-1])
}
