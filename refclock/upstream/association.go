package upstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/nts"
	"timestation/refclock"
)

// association is the traffic with one address of a server.
type association struct {
	driver     *driver
	server     netip.AddrPort
	protection protection
	valid      *nts.Establishment // nil without NTS
	exchanger  exchanger
	pacer      pacer

	heard  bool // it has answered
	missed int  // polls without an answer since it did last
	// dropped counts by reason what was not used since the last answer that was.
	dropped map[reason]int
	state   refclock.SourceState
	text    string
	info    refclock.Server
}

// run polls until ctx ends; its error is one of those that Run knows.
func (a *association) run(ctx context.Context, out refclock.Sink) error {
	a.dropped = map[reason]int{}
	a.state = refclock.Waiting
	a.driver.env.Log.Info("asking", "server", a.server, "protection", a.protection.name())
	for {
		if a.outdated() {
			return fmt.Errorf("%w: by the station's time, which was not known then, the certificate is not valid", errRenew)
		}
		before := a.text
		err := a.poll(ctx, out)
		if ctx.Err() != nil {
			return nil
		}
		a.signal(out)
		if a.text != before && a.text != "" {
			a.driver.env.Log.Warn("of no use", "reason", a.text)
		}
		if err != nil {
			return err
		}
		sleep(ctx, a.pacer.next())
		if ctx.Err() != nil {
			return nil
		}
	}
}

// outdated tells whether the certificate, which was judged when the date was not known, would not pass now.
func (a *association) outdated() bool {
	utc, known := a.driver.env.UTC()
	return a.valid != nil && known && (utc.Time().Before(a.valid.ValidFrom) || utc.Time().After(a.valid.ValidUntil))
}

// poll asks once, or twice where that brings the transmit stamp of the first answer before it is too old.
func (a *association) poll(ctx context.Context, out refclock.Sink) error {
	again := a.driver.config.Interleaved && a.pacer.burst == 0 && max(a.pacer.interval, a.pacer.floor) > oldestStamp/2
	if err := a.ask(ctx, out); err != nil || ctx.Err() != nil {
		return err
	}
	if again && a.missed == 0 && a.state == refclock.Timing {
		if sleep(ctx, pairGap); ctx.Err() != nil {
			return nil
		}
		if err := a.ask(ctx, out); err != nil {
			return err
		}
	}
	a.use(a.exchanger.flush(), out)
	return nil
}

func (a *association) ask(ctx context.Context, out refclock.Sink) error {
	newest, replies, err := a.exchanger.exchange(ctx, func(why reason) {
		a.dropped[why]++
		a.driver.env.Log.Debug("dropped", "server", a.server, "reason", string(why))
	})
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.Is(err, nts.ErrNoCookies):
		return fmt.Errorf("%w: all cookies are used up", errRenew)
	case err != nil:
		return a.silence(err)
	}
	a.heard, a.missed = true, 0
	a.pacer.answered()
	a.info.Stratum, a.info.ReferenceID = newest.Stratum, referenceText(newest.ReferenceID, newest.Stratum)
	a.info.RootDelay = newest.RootDelay.Duration().Seconds()
	a.info.RootDispersion = newest.RootDispersion.Duration().Seconds()
	a.info.Kiss = ""
	switch why := usable(&newest); why {
	case used:
	case kissed:
		return a.kissed(newest)
	default:
		a.useless(why)
		return nil
	}
	if way := a.driver.loop(a.server, &newest); way != "" {
		a.useless(looped)
		a.text = fmt.Sprintf("%v: %s: following it would be a loop; name another server", a.server, way)
		a.pacer.rest()
		return nil
	}
	a.state, a.text = refclock.Timing, ""
	a.use(replies, out)
	return nil
}

// silence is a poll without an answer.
func (a *association) silence(err error) error {
	a.pacer.missed()
	a.missed++
	why := "no answer"
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		why = "no NTP server listens there"
	case !errors.Is(err, errNoAnswer):
		why = err.Error()
	}
	if len(a.dropped) > 0 {
		var parts []string
		for _, r := range slices.Sorted(maps.Keys(a.dropped)) {
			parts = append(parts, fmt.Sprintf("%s %d", r, a.dropped[r]))
		}
		why += " (dropped: " + strings.Join(parts, ", ") + ")"
	}
	mend := "check the address, and that UDP port %d is let through"
	if a.protection.authenticated() && a.valid == nil {
		mend = "check the address, that UDP port %d is let through, and that the server has the same key"
	}
	a.text = fmt.Sprintf("%v: %s; "+mend, a.server, why, a.server.Port())
	if !a.heard || a.pacer.reach == 0 {
		a.state = refclock.Lost
	}
	if u, ok := a.protection.(*underNTS); ok && u.refused {
		return fmt.Errorf("%w: %v cannot open our cookies any more (NTSN)", errRenew, a.server)
	}
	if a.missed >= turnAfter || !a.heard && a.missed >= firstTurnAfter {
		return errTurn
	}
	return nil
}

// kissed obeys a kiss code (RFC 5905, section 7.4).
func (a *association) kissed(h ntp.Header) error {
	a.useless(kissed)
	code := string(h.ReferenceID[:])
	a.info.Kiss = code
	switch code {
	case "RATE":
		a.pacer.rated()
		a.text = fmt.Sprintf("%v: it wants to be asked less often (RATE): from now on every %.0f s; set poll_min", a.server,
			a.pacer.floor.Seconds())
	case "DENY", "RSTR":
		return fmt.Errorf("%w: %v does not want to be asked by this station (%s), and is not any more; ask its operator, or name another server",
			errSentAway, a.server, code)
	default:
		a.text = fmt.Sprintf("%v: answers with the kiss code %s instead of the time; wait, or name another server", a.server, code)
	}
	return nil
}

// useless is an answer that gives no time.
func (a *association) useless(why reason) {
	a.dropped[why]++
	a.state = refclock.Receiving
	a.text = fmt.Sprintf("%v: %s", a.server, wordsFor[why])
}

// wordsFor says each reason and its mend in words.
var wordsFor = map[reason]string{
	unsynchronised:  "it does not know the time itself; wait until it does, or name another server",
	transmitMissing: "its timestamps are empty; name another server",
	smeared:         "it smears a leap second and is off by up to a second until that is over; name a server that does not",
	backwards:       "it says that it answered before it was asked; its clock may have been set: wait, or name another server",
	negativeDelay:   "its answer took less than no time; one of the clocks was set meanwhile",
	longDelay:       "its answers take longer than max_delay_seconds; look for what loads the line, or name a nearer server",
	farAway:         "it says that it may be off by more than max_distance_seconds; wait, or name a better server",
	beforeBuild:     "its date is before the date this program was built; name another server",
	duringLeap:      "a leap second is near, when NTP cannot say the time; this passes by itself",
}

// use makes samples of replies.
func (a *association) use(replies []reply, out refclock.Sink) {
	for i := range replies {
		r := &replies[i]
		sample, why := a.driver.judge(r, a.protection.authenticated())
		if why != used {
			a.useless(why)
			continue
		}
		a.state, a.text = refclock.Timing, ""
		clear(a.dropped)
		x := sample.Exchange
		delay := x.T4.Sub(x.T1) - x.T3.Sub(x.T2)
		a.info.DelaySeconds = delay.Seconds()
		a.info.Interleaved, a.info.KernelStamps = r.Interleaved, r.Kernel
		middle := float64(x.T1)/2 + float64(x.T4)/2
		a.pacer.measured(middle/1e9, offset(x).Seconds(), delay.Seconds())
		out.Sample(sample)
	}
}

// offset is the server's clock less the local one, up to a constant: TAI and the local clock have no common zero.
func offset(x *refclock.ExchangeData) time.Duration {
	return (time.Duration(x.T2.TAI-int64(x.T1)) + time.Duration(x.T3.TAI-int64(x.T4))) / 2
}

func (a *association) signal(out refclock.Sink) {
	info := a.info
	info.Address = a.server.String()
	info.Protection, info.Authenticated = a.protection.name(), a.protection.authenticated()
	info.PollSeconds = max(a.pacer.interval, a.pacer.floor).Seconds()
	info.Reach = a.pacer.reach
	out.Signal(refclock.Signal{State: a.state, Text: a.text, Server: &info})
}
