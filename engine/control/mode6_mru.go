package control

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/status"
	"timestation/refclock"
)

const (
	// nonceValid is for how long a nonce is taken: ntpq uses one for 16 s (ntpsec, NONCE_TIMEOUT), and a bit for the way.
	nonceValid = 20 * time.Second
	nonceLen   = 16
	// mruRows is the most clients in one answer.
	mruRows = 256
	// mruEnd is room for what follows the last client of all.
	mruEnd = 80
)

// nonce proves that whoever shows it has received what was sent to an address at a moment, counted from when the
// Responder was made: the moment and a code over it and the address, in hexadecimal.
func (r *Responder) nonce(to netip.Addr, at time.Duration) string {
	seconds := uint32(at / time.Second)
	mac := hmac.New(sha256.New, r.secret[:])
	mac.Write([]byte(to.Unmap().String()))
	mac.Write(binary.BigEndian.AppendUint32(nil, seconds))
	return fmt.Sprintf("%08x%x", seconds, mac.Sum(nil)[:nonceLen])
}

func (r *Responder) goodNonce(nonce string, from netip.Addr) bool {
	if len(nonce) != 8+2*nonceLen {
		return false
	}
	b, err := hex.DecodeString(nonce[:8])
	if err != nil {
		return false
	}
	at := time.Duration(binary.BigEndian.Uint32(b)) * time.Second
	age := r.watch.elapsed() - at
	return age >= 0 && age <= nonceValid && hmac.Equal([]byte(nonce), []byte(r.nonce(from, at)))
}

// mruRequest is what ntpq asks of the list of clients.
type mruRequest struct {
	nonce string
	// frags and limit are how many datagrams and clients the answer may have.
	frags, limit int
	// mincount leaves out clients with fewer requests, maxlstint those last seen longer ago, in seconds, and recent all
	// but that many. none: a restriction is asked for that no client is under, as there are none.
	mincount  uint64
	maxlstint int64
	recent    int
	none      bool
	// seen are the newest clients of the answer before, newest first: this one goes on after the first that is still so.
	seen [16]struct {
		address netip.Addr
		last    ntp.Timestamp
	}
	goesOn bool
}

func parseMRU(data string) (q mruRequest, ok bool) {
	q.maxlstint = -1
	for _, item := range strings.Split(data, ",") {
		name, value, _ := strings.Cut(strings.Trim(item, " \t\r\n\x00"), "=")
		n, err := strconv.ParseInt(value, 0, 32)
		switch name {
		case "frags":
			q.frags, ok = int(n), err == nil
		case "limit":
			q.limit, ok = int(n), err == nil
		case "recent":
			q.recent, ok = int(n), err == nil && n >= 0
		case "mincount":
			q.mincount, ok = uint64(n), err == nil && n >= 0
		case "maxlstint":
			q.maxlstint, ok = n, err == nil && n >= 0
		case "resall", "resany":
			q.none, ok = q.none || n != 0, err == nil
		case "nonce":
			q.nonce, ok = value, true
		default:
			ok = q.parseSeen(name, value)
		}
		if !ok {
			return q, false
		}
	}
	return q, true
}

// parseSeen reads addr.3=192.0.2.1:123 and last.3=0xeead630c.eed547c5; what else there is does not matter.
func (q *mruRequest) parseSeen(name, value string) bool {
	kind, index, _ := strings.Cut(name, ".")
	if kind != "addr" && kind != "last" {
		return true
	}
	i, err := strconv.Atoi(index)
	if err != nil || i < 0 {
		return false
	}
	q.goesOn = true
	if i >= len(q.seen) {
		return true
	}
	if kind == "addr" {
		a, err := netip.ParseAddrPort(value)
		q.seen[i].address = a.Addr()
		return err == nil
	}
	seconds, fraction, _ := strings.Cut(strings.TrimPrefix(value, "0x"), ".")
	high, err := strconv.ParseUint(seconds, 16, 32)
	if err != nil {
		return false
	}
	low, err := strconv.ParseUint(fraction, 16, 32)
	q.seen[i].last = ntp.Timestamp(high<<32 | low)
	return err == nil
}

// readMRU lists clients, oldest first. Their times are the system clock's own, so that they are the same in the next
// answer whatever the model says then.
func (r *Responder) readMRU(data string, from netip.Addr) ([]byte, fault) {
	q, ok := parseMRU(data)
	switch {
	case !r.goodNonce(q.nonce, from):
		return nil, noAnswer
	case !ok || q.frags <= 0 && q.limit <= 0:
		return nil, faultValue
	}
	now := r.station.Now()
	r.refreshClients()
	begin, ok := q.begin(r.clients)
	if !ok {
		return nil, faultUnknownVariable // ntpq begins anew
	}
	room, rows := mode6Fragments*mode6DataLen-mruEnd, mruRows
	if q.frags > 0 {
		room = min(q.frags, mode6Fragments)*mode6DataLen - mruEnd
	}
	if q.limit > 0 {
		rows = min(q.limit, mruRows)
	}
	var out []byte
	n := 0
	for _, c := range r.clients[begin:] {
		if q.none || c.Requests < q.mincount ||
			q.maxlstint >= 0 && now.Sub(c.LastSeen) > time.Duration(q.maxlstint)*time.Second {
			continue
		}
		row := mruRow(n, c)
		if n == rows || len(out)+len(row) > room {
			return out, 0
		}
		out = append(out, row...)
		n++
	}
	newest := ntp.Timestamp(0)
	if len(r.clients) > 0 {
		newest = localTimestamp(r.clients[len(r.clients)-1].LastSeen)
	}
	return fmt.Appendf(out, "now=%s, last.newest=%s\r\n", stamp(localTimestamp(now)), stamp(newest)), 0
}

// begin is the index of the first client that ntpq has not seen yet.
func (q *mruRequest) begin(clients []status.Client) (int, bool) {
	if !q.goesOn {
		if q.recent > 0 {
			return max(0, len(clients)-q.recent), true
		}
		return 0, true
	}
	for _, seen := range q.seen {
		if !seen.address.IsValid() {
			continue
		}
		for i, c := range clients {
			if c.Address == seen.address && localTimestamp(c.LastSeen) == seen.last {
				return i + 1, true
			}
		}
	}
	return 0, false
}

// mruRow is one client. Neither its port nor its version of NTP is remembered: both are 0. Mode 3 is a client's.
func mruRow(i int, c status.Client) []byte {
	last := stamp(localTimestamp(c.LastSeen))
	return fmt.Appendf(nil, "addr.%d=%s, last.%d=%s, first.%d=%s, ct.%d=%d, mv.%d=3, rs.%d=0x0, dr.%d=%d, ",
		i, netip.AddrPortFrom(c.Address, 0), i, last, i, stamp(localTimestamp(c.FirstSeen)), i, c.Requests, i, i, i, c.Refused)
}

// refreshClients takes the list of clients anew unless it is fresh.
func (r *Responder) refreshClients() {
	now := r.watch.elapsed()
	if r.clients != nil && now-r.taken < clientsFresh {
		return
	}
	r.clients, r.taken = r.station.Clients(), now
	slices.SortFunc(r.clients, func(a, b status.Client) int {
		if a.LastSeen != b.LastSeen {
			return int(min(1, max(-1, a.LastSeen.Sub(b.LastSeen))))
		}
		return a.Address.Compare(b.Address)
	})
}

// localTimestamp writes a stamp of the system clock.
func localTimestamp(s refclock.Stamp) ntp.Timestamp {
	seconds, nanos := int64(s)/1e9, int64(s)%1e9
	if nanos < 0 {
		seconds, nanos = seconds-1, nanos+1e9
	}
	return ntp.FromUnix(seconds, int32(nanos))
}
