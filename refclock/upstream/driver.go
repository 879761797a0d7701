package upstream

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"timestation/engine/ntp"
	"timestation/engine/nts"
	"timestation/refclock"
)

const (
	// lookupTime and establishTime bound the questions that come before the first request.
	lookupTime    = 10 * time.Second
	establishTime = 10 * time.Second
	// pairGap is between the two requests of a poll in interleaved mode.
	pairGap = time.Second
	// firstPause and longestPause are between attempts to establish keys.
	firstPause   = 10 * time.Second
	longestPause = time.Hour
	// turnAfter is after how many polls without an answer another address of the name is tried, and firstTurnAfter where
	// this one has never answered.
	turnAfter      = 8
	firstTurnAfter = 3
	// lookAgain is how often the name of a server that sent us away is looked up, for another address.
	lookAgain = time.Hour
)

// driver asks one server. What it has learned of manners outlives Run.
type driver struct {
	config  Config
	env     refclock.Environment
	network network
	key     *ntp.Key
	roots   *x509.CertPool

	// floor is what the kiss code RATE has led to; sentAway are addresses that answered DENY or RSTR.
	floor    time.Duration
	sentAway []netip.Addr
	turn     int  // which address of the name is used
	silent   bool // none has answered for a while
	// pause is the next between attempts to establish keys.
	pause time.Duration
}

func newDriver(config Config, env refclock.Environment, network network) (refclock.Driver, error) {
	d := &driver{config: config, env: env, network: network, pause: firstPause}
	if config.Key != 0 {
		key, err := findKey(config.Keys, config.Key)
		if err != nil {
			return nil, err
		}
		d.key = &key
	}
	if config.CA != "" {
		text, err := os.ReadFile(config.CA)
		if err != nil {
			return nil, fmt.Errorf("ca: %w; name a PEM file", err)
		}
		d.roots = x509.NewCertPool()
		if !d.roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("ca: %s holds no certificate in PEM", config.CA)
		}
	}
	return d, nil
}

// What ends an association without ending Run.
var (
	errSentAway = errors.New("sent away") // the kiss code DENY or RSTR
	errTurn     = errors.New("silent")    // try another address of the name
	errRenew    = errors.New("new keys")  // NTS has to begin anew
)

// Run implements [refclock.Driver].
func (d *driver) Run(ctx context.Context, out refclock.Sink) error {
	for ctx.Err() == nil {
		a, err := d.associate(ctx)
		if err == nil {
			err = a.run(ctx, out)
			a.exchanger.close()
			d.floor = a.pacer.floor
			if a.heard {
				d.pause, d.silent = firstPause, false
			}
		}
		var denied *establishError
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, errSentAway):
			if a != nil {
				d.sentAway = append(d.sentAway, a.server.Addr())
			}
			d.await(ctx, out, err)
		case errors.Is(err, errTurn):
			d.turn++
			d.silent = true
		case errors.As(err, &denied):
			d.env.Log.Warn("no keys", "reason", err, "retry_in", d.pause)
			out.Signal(refclock.Signal{State: refclock.Lost, Text: err.Error()})
			d.turn++
			d.backOff(ctx)
		case errors.Is(err, errRenew):
			d.env.Log.Info("new keys are needed", "reason", err)
			d.backOff(ctx)
		default:
			return err
		}
	}
	return nil
}

// backOff waits, each time twice as long, so that neither side is worn out.
func (d *driver) backOff(ctx context.Context) {
	sleep(ctx, d.pause)
	d.pause = min(2*d.pause, longestPause)
}

// await sleeps until the server's name leads elsewhere: who was sent away does not come back (RFC 5905, section 7.4).
func (d *driver) await(ctx context.Context, out refclock.Sink, why error) {
	out.Signal(refclock.Signal{State: refclock.Lost, Text: why.Error()})
	d.env.Log.Warn("sent away", "reason", why)
	for ctx.Err() == nil {
		sleep(ctx, lookAgain)
		if all, err := d.addresses(ctx); err == nil && len(all) > 0 {
			return
		}
	}
}

// addresses are those of the server's name that have not sent us away.
func (d *driver) addresses(ctx context.Context) ([]netip.Addr, error) {
	host, _, err := d.config.hostPort()
	if err != nil {
		return nil, err
	}
	return d.resolve(ctx, host)
}

func (d *driver) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return d.welcome([]netip.Addr{a}), nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	all, err := d.network.lookup(ctx, host)
	if err != nil || len(all) == 0 {
		return nil, fmt.Errorf("%s: the name is not found (%v); check it, and this machine's name server", host, err)
	}
	return d.welcome(all), nil
}

func (d *driver) welcome(all []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(all, func(a netip.Addr) bool { return slices.Contains(d.sentAway, a) })
}

// associate finds the server, and establishes keys where NTS is wanted.
func (d *driver) associate(ctx context.Context) (*association, error) {
	host, port, err := d.config.hostPort()
	if err != nil {
		return nil, err
	}
	a := &association{driver: d, protection: unprotected{}}
	if d.key != nil {
		mac, err := ntp.NewAuthenticator(*d.key)
		if err != nil {
			return nil, err
		}
		a.protection = signed{*d.key, mac}
	}
	if d.config.NTS {
		e, err := d.establish(ctx, host)
		if err != nil {
			return nil, err
		}
		client, err := nts.NewClient(e)
		if err != nil {
			return nil, err
		}
		a.protection, a.valid = &underNTS{client: client}, e
		if host, port = e.Asked, e.Port; e.Server != "" {
			host = e.Server
		}
	}
	all, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: every address of %s does not want to be asked by this station (DENY or RSTR); name another server",
			errSentAway, host)
	}
	a.server = netip.AddrPortFrom(all[d.turn%len(all)], port)
	a.pacer = newPacer(time.Duration(d.config.PollMin)*time.Second, time.Duration(d.config.PollMax)*time.Second, d.floor)
	a.pacer.silent = d.silent
	a.exchanger = d.exchangerFor(a)
	return a, nil
}

// establishError is why a server gave no keys.
type establishError struct{ error }

// Unwrap gives the cause.
func (e *establishError) Unwrap() error { return e.error }

// establish asks for keys.
func (d *driver) establish(ctx context.Context, host string) (*nts.Establishment, error) {
	ctx, cancel := context.WithTimeout(ctx, establishTime)
	defer cancel()
	e, err := nts.Establish{
		Name: host, Port: uint16(d.config.NTSPort), Roots: d.roots, Today: d.today, Dial: d.network.dial,
	}.Do(ctx)
	if err != nil {
		return nil, &establishError{err}
	}
	return e, nil
}

// today is what is known of the date, for certificates.
func (d *driver) today() nts.Today {
	if utc, known := d.env.UTC(); known {
		return nts.Today{Time: utc.Time(), Known: true}
	}
	return nts.Today{Time: d.env.NotBefore}
}

// exchangerFor chooses who makes the exchanges.
func (d *driver) exchangerFor(a *association) exchanger {
	if !kernelStamps && !d.config.NTS && !d.config.Interleaved && libraryKnows(d.key) {
		return &library{server: a.server, key: d.key}
	}
	return &wire{network: d.network, to: a.server, protection: a.protection, interleave: d.config.Interleaved}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
