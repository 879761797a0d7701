package notify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

const (
	// sendWithin bounds one attempt; a sink that does not come back even so is left alone until it does.
	sendWithin = 30 * time.Second
	// firstRetry and lastRetry are how long to wait after a first failure, and after many; each is twice the one before.
	firstRetry = 5 * time.Second
	lastRetry  = 10 * time.Minute
	// patience is how long a place may take nothing before an alert says so.
	patience = 2 * time.Minute
	// mostQueued bounds what waits for a place; mostParts what one summary lists.
	mostQueued = 500
	mostParts  = 50
	// refusals is how often a far side may refuse a notice before it is dropped.
	refusals = 5
)

// outbox is one place with what waits for it.
type outbox struct {
	dispatcher *Dispatcher
	config     Config
	sink       Sink   // nil if the place hears of no alerts
	tester     Tester // nil if it has no Test of its own
	budget     budget
	purse      purse
	wake       chan struct{}
	tests      chan testOrder

	// queue and dropped are guarded by the dispatcher's lock.
	queue   []Notice
	dropped int

	// All below belongs to run.
	failing time.Time // since when
	wait    time.Duration
	next    time.Time // when to try again
	refused int       // how often what comes first was refused
	alerted bool
	hung    chan Result // an attempt that was given up; it says something when it comes back
}

// testOrder is a test that somebody waits for.
type testOrder struct {
	ctx    context.Context
	notice Notice
	answer chan<- Result
}

func newOutbox(d *Dispatcher, c Config, people bool) *outbox {
	o := &outbox{dispatcher: d, config: c, budget: perProgram, wake: make(chan struct{}, 1), tests: make(chan testOrder)}
	if people {
		o.budget = perPeople
	}
	o.purse.Left = o.budget.most
	return o
}

// put queues a notice. The dispatcher's lock is held.
func (o *outbox) put(n Notice) {
	o.queue = append(o.queue, n)
	if excess := len(o.queue) - mostQueued; excess > 0 {
		o.queue = slices.Delete(o.queue, 0, excess)
		o.dropped += excess
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// date gives what waits its true time as soon as the station knows it. The dispatcher's lock is held.
func (o *outbox) date(now refclock.UTC) {
	for i := range o.queue {
		o.queue[i].date(now)
	}
}

// run delivers until ctx ends.
func (o *outbox) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		n, wait := o.head()
		if n.ID != "" {
			o.deliver(ctx, n)
			if ctx.Err() != nil {
				return
			}
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-o.wake:
		case t := <-o.tests:
			answer, err := o.send(t.ctx, t.notice)
			if err == nil {
				o.goesOn()
			}
			t.answer <- Result{Answer: answer, Err: err}
		}
	}
}

// head gives what is to be sent now, or says how long there is nothing.
func (o *outbox) head() (Notice, time.Duration) {
	now := time.Now()
	o.purse.refill(o.budget, now)
	d := o.dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	const idle = time.Hour // put wakes it
	switch {
	case len(o.queue) == 0:
		return Notice{}, idle
	case now.Before(o.next):
		return Notice{}, o.next.Sub(now)
	case o.purse.whole() == 0:
		return Notice{}, o.purse.wait(o.budget)
	case len(o.queue) <= o.purse.whole() && o.dropped == 0:
		return o.queue[0], 0
	}
	// Its number is that of the last in it, so that it is the same if it has to be sent again as it is.
	last := o.queue[len(o.queue)-1]
	return Notice{
		ID: last.ID + "-summary", Kind: Summary, Station: last.Station, Demonstration: last.Demonstration, At: last.At,
		Parts: slices.Clone(o.queue), Dropped: o.dropped,
	}, 0
}

// deliver makes one attempt.
func (o *outbox) deliver(ctx context.Context, n Notice) {
	answer, err := o.send(ctx, n)
	if ctx.Err() != nil && err != nil {
		return
	}
	if err != nil {
		o.fail(n, err)
		return
	}
	d := o.dispatcher
	d.options.Log.Info("alert told", "notify", o.config.Name, "id", n.ID, "what", n.Kind, "answer", answer)
	o.purse.spend()
	o.done(n)
	o.goesOn()
}

// done takes what was delivered, or given up, off the queue, on disk as well.
func (o *outbox) done(n Notice) {
	d := o.dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	gone := map[string]bool{n.ID: true}
	for _, p := range n.Parts {
		gone[p.ID] = true
	}
	o.queue = slices.DeleteFunc(o.queue, func(q Notice) bool { return gone[q.ID] })
	o.dropped -= n.Dropped
	d.dirty = true
	d.save()
}

func (o *outbox) goesOn() {
	if !o.failing.IsZero() {
		o.dispatcher.options.Log.Info("alerts reach it again", "notify", o.config.Name, "after", time.Since(o.failing).Round(time.Second))
	}
	o.failing, o.wait, o.next, o.refused = time.Time{}, 0, time.Time{}, 0
	if o.alerted {
		o.alerted = false
		o.dispatcher.options.Alerts.Clear(AlertFailing, o.config.Name)
	}
}

// fail notes that an attempt failed, and when the next is due.
func (o *outbox) fail(n Notice, err error) {
	d := o.dispatcher
	if o.failing.IsZero() {
		o.failing = time.Now()
		d.options.Log.Warn("an alert could not be told; it waits", "notify", o.config.Name, "reason", err)
	}
	o.wait = min(max(2*o.wait, firstRetry), lastRetry)
	// A part of it is left to chance, so that a fleet does not fall upon a far side that comes back.
	o.next = time.Now().Add(o.wait - rand.N(o.wait/4))
	final := false
	if errors.Is(err, ErrRefused) {
		o.refused++
		if final = o.refused >= refusals; final {
			d.options.Log.Warn("an alert is refused for good, and dropped", "notify", o.config.Name, "id", n.ID, "reason", err)
			o.done(n)
			o.refused = 0
		}
	}
	if final || time.Since(o.failing) >= patience {
		o.alerted = true
		d.options.Alerts.Raise(status.Alert{
			Code: AlertFailing, Source: o.config.Name, Severity: status.Warning,
			Text: fmt.Sprintf("Alerts do not reach %s: %v.", o.config.Name, err),
			Mend: "mend that; then try with: timestation alerts test " + o.config.Name,
		})
	}
}

// send makes one bounded attempt, whatever the sink does.
func (o *outbox) send(ctx context.Context, n Notice) (string, error) {
	if o.hung != nil {
		select {
		case <-o.hung:
			o.hung = nil
		default:
			return "", errors.New("it still hangs in an earlier attempt")
		}
	}
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	back := make(chan Result, 1)
	go func() {
		var r Result
		defer func() {
			if p := recover(); p != nil {
				r.Err = fmt.Errorf("it crashed (%v); please report this", p)
			}
			back <- r
		}()
		r.Answer, r.Err = o.sink.Send(ctx, n)
	}()
	select {
	case r := <-back:
		return r.Answer, r.Err
	case <-ctx.Done():
	}
	const grace = time.Second
	select {
	case r := <-back:
		return r.Answer, r.Err
	case <-time.After(grace):
		o.hung = back
		return "", errors.New("it hangs")
	}
}

// test has a test sent by run, and waits for the answer.
func (o *outbox) test(ctx context.Context, n Notice) (string, error) {
	answer := make(chan Result, 1)
	select {
	case o.tests <- testOrder{ctx, n, answer}:
	case <-ctx.Done():
		return "", errors.New("it is busy with an earlier message that nobody answers")
	}
	select {
	case r := <-answer:
		return r.Answer, r.Err
	case <-ctx.Done():
		return "", errors.New("it does not answer")
	}
}
