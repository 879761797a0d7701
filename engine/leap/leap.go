// Package leap is the table of leap seconds: the IERS list as embedded at build time or read from a file, checked
// against its own hash and expiry.
package leap

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	_ "embed"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"timestation/refclock"
)

//go:embed leap-seconds.list
var embedded []byte

// ntpEpoch is seconds from 1900 to 1970, the zero of leap-seconds.list.
const ntpEpoch = 2208988800

// Table knows TAI−UTC from 1972 on.
type Table struct {
	entries []entry
	// Expires is until when the list speaks, POSIX seconds; Updated is when it was last changed.
	Expires, Updated int64
}

type entry struct {
	from        int64 // POSIX seconds of the first second with this offset
	taiMinusUTC int32
	learned     bool // decided by vote, not listed
}

// Embedded is the table the program was built with.
func Embedded() *Table {
	t, err := Parse(bytes.NewReader(embedded))
	if err != nil {
		panic("leap: the embedded leap-seconds.list is broken: " + err.Error())
	}
	return t
}

// Parse reads a leap-seconds.list as IERS and tzdata publish it: `#$` last update, `#@` expiry, `#h` the SHA-1 over the
// digits of those two and of the data lines. A file whose hash is absent or wrong is refused.
func Parse(r io.Reader) (*Table, error) {
	var t Table
	var updated, expires string
	var digits strings.Builder
	var want []byte
	scan := bufio.NewScanner(r)
	for line := 1; scan.Scan(); line++ {
		text := scan.Text()
		var err error
		switch {
		case strings.HasPrefix(text, "#$"):
			updated = strings.TrimSpace(text[2:])
			t.Updated, err = ntpSeconds(updated)
		case strings.HasPrefix(text, "#@"):
			expires = strings.TrimSpace(text[2:])
			t.Expires, err = ntpSeconds(expires)
		case strings.HasPrefix(text, "#h"):
			want, err = parseHash(text[2:])
		case strings.HasPrefix(text, "#"), strings.TrimSpace(text) == "":
		default:
			fields := strings.Fields(text)
			if len(fields) < 2 {
				return nil, fmt.Errorf("line %d: %q is not «seconds offset»", line, text)
			}
			var e entry
			if e.from, err = ntpSeconds(fields[0]); err == nil {
				var n int64
				n, err = strconv.ParseInt(fields[1], 10, 16)
				e.taiMinusUTC = int32(n)
			}
			if n := len(t.entries); err == nil && n > 0 && t.entries[n-1].from >= e.from {
				err = fmt.Errorf("out of order")
			}
			t.entries = append(t.entries, e)
			digits.WriteString(fields[0] + fields[1])
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %q: %w", line, text, err)
		}
	}
	if err := scan.Err(); err != nil {
		return nil, err
	}
	if len(t.entries) == 0 || expires == "" || updated == "" {
		return nil, fmt.Errorf("it has no entries, no #$ or no #@ line; it is not a leap-seconds.list")
	}
	got := sha1.Sum([]byte(updated + expires + digits.String()))
	if !bytes.Equal(got[:], want) {
		return nil, fmt.Errorf("its #h line does not match its content; fetch the file again")
	}
	return &t, nil
}

func ntpSeconds(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n - ntpEpoch, err
}

// parseHash reads five 32-bit words in hex, whose leading zeros the list leaves out.
func parseHash(s string) ([]byte, error) {
	words := strings.Fields(s)
	if len(words) != 5 {
		return nil, fmt.Errorf("the hash has %d words, not 5", len(words))
	}
	var sum []byte
	for _, w := range words {
		n, err := strconv.ParseUint(w, 16, 32)
		if err != nil {
			return nil, err
		}
		sum = binary.BigEndian.AppendUint32(sum, uint32(n))
	}
	return sum, nil
}

// TAIMinusUTC is the offset in seconds in force at u. Before 1972 it is the first entry's, 10.
func (t *Table) TAIMinusUTC(u refclock.UTC) int32 {
	offset := t.entries[0].taiMinusUTC
	for _, e := range t.entries {
		if u.Seconds < e.from {
			break
		}
		offset = e.taiMinusUTC
	}
	return offset
}

// Instant gives u as TAI.
func (t *Table) Instant(u refclock.UTC) refclock.Instant { return u.Instant(t.TAIMinusUTC(u)) }

// FromTAI completes a count of TAI nanoseconds since 1970 with the TAI−UTC in force then.
func (t *Table) FromTAI(tai int64) refclock.Instant {
	i := refclock.Instant{TAI: tai, TAIMinusUTC: t.entries[0].taiMinusUTC}
	for n, e := range t.entries[1:] {
		c := t.change(n, e)
		switch {
		case tai < c.TAI:
			return i
		case e.taiMinusUTC > c.TAIMinusUTC && tai < c.TAI+int64(time.Second):
			return refclock.Instant{TAI: tai, TAIMinusUTC: c.TAIMinusUTC, InLeap: true}
		}
		i.TAIMinusUTC = e.taiMinusUTC
	}
	return i
}

// AnnouncedFor is how long before it happens a leap second is announced: RFC 8633, section 3.7, allows the last day of
// the month only.
const AnnouncedFor = 24 * time.Hour

// Next says whether a leap second ends the present UTC day, and the instant at which it begins. Past the list's expiry
// the answer is LeapUnknown.
func (t *Table) Next(now refclock.Instant) (refclock.LeapNotice, refclock.Instant) {
	for n, e := range t.entries[1:] {
		at, notice := t.change(n, e), refclock.LeapInsert
		ends := at.TAI + int64(time.Second)
		if e.taiMinusUTC < at.TAIMinusUTC {
			notice, ends = refclock.LeapDelete, at.TAI
		}
		if now.TAI < ends && at.Sub(now) <= AnnouncedFor {
			return notice, at
		}
	}
	if now.UTC().Seconds >= t.Expires {
		return refclock.LeapUnknown, refclock.Instant{}
	}
	return refclock.LeapNone, refclock.Instant{}
}

// Last gives the last leap second that is over at now, as Next would have; LeapUnknown where there was none.
func (t *Table) Last(now refclock.Instant) (notice refclock.LeapNotice, at refclock.Instant) {
	for n, e := range t.entries[1:] {
		c, kind := t.change(n, e), refclock.LeapInsert
		ends := c.TAI + int64(time.Second)
		if e.taiMinusUTC < c.TAIMinusUTC {
			kind, ends = refclock.LeapDelete, c.TAI
		}
		if now.TAI >= ends {
			notice, at = kind, c
		}
	}
	return notice, at
}

// change is the first instant that differs because of entry e, whose predecessor is number n: the start of 23:59:60, or
// of the 00:00:00 that comes in place of 23:59:59. It is said under the old offset.
func (t *Table) change(n int, e entry) refclock.Instant {
	before := t.entries[n].taiMinusUTC
	at := refclock.Instant{TAI: (e.from + int64(before)) * 1e9, TAIMinusUTC: before}
	if e.taiMinusUTC < before {
		at.TAI -= int64(time.Second)
	}
	return at
}

// WarnBefore is how long before the list expires a person should hear of it: IERS publishes the next one half a year
// before, and a distribution takes weeks to pass it on.
const WarnBefore = 60 * 24 * time.Hour

// DaysLeft is how many whole days the list still speaks at now; negative once it has expired.
func (t *Table) DaysLeft(now refclock.UTC) int {
	const day = 86400
	left := t.Expires - now.Seconds
	if left < 0 {
		left -= day - 1
	}
	return int(left / day)
}

// Expired reports whether the list has nothing to say of now.
func (t *Table) Expired(now refclock.UTC) bool { return now.Seconds >= t.Expires }
