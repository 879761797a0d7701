package station

import (
	"context"
	"fmt"
	"sync"
	"time"

	"timestation/display"
	"timestation/display/studio"
	"timestation/logbook"
)

// Wall is the station as a display in the same process sees it.
func (s *Station) Wall() display.Station { return wall{s} }

type wall struct{ *Station }

// Studio is what stands on the wall beside the time.
func (s *Station) Studio() studio.State { return s.studio.State() }

// History reads the log as it was written so far: the newest rows are missing for up to logbook.Config.BatchSeconds.
// Long spans are read as aggregates of minutes or hours, so that every answer is quick; the extremes of the offset and of
// the bound are those of the rows.
func (w wall) History(ctx context.Context, span display.Span) (display.History, error) {
	reader, err := logbook.OpenReader(w.options.DataDir)
	if err != nil {
		return display.History{}, err
	}
	defer reader.Close()
	return readHistory(ctx, reader, span, time.Duration(w.Config.Logbook.IntervalSeconds*float64(time.Second)))
}

// Clients lists who asks the NTP servers: no more than somebody would scroll through.
func (w wall) Clients(context.Context) (display.Clients, error) {
	const most = 300
	all := w.Station.Clients()
	return display.Clients{RequestsPerSecond: w.pace.perSecond(), Refused: w.Served().Dropped,
		Clients: all[:min(len(all), most)], Known: len(all)}, nil
}

// Act does what a person at the screen asks for; the log says that it was somebody there.
func (w wall) Act(ctx context.Context, a display.Action) (string, error) {
	const who, from = "the screen", "local"
	switch a.Kind {
	case display.ActionAcceptJump:
		return w.acceptJump(ctx, a.Source, who, from)
	case display.ActionAcknowledge:
		if err := w.acknowledge(ctx, a.Code, a.Source, who, from); err != nil {
			return "", err
		}
		return "acknowledged " + a.Code, nil
	}
	return "", fmt.Errorf("%q is not something a display can ask for; it can ask for %s or %s", a.Kind,
		display.ActionAcceptJump, display.ActionAcknowledge)
}

// pace is how many requests come: a count now and then, and how many there were a minute ago.
type pace struct {
	mu     sync.Mutex
	counts []counted // the newest last
}

type counted struct {
	at       time.Time // monotonic
	requests uint64
}

const (
	paceSpan = time.Minute
	paceStep = 5 * time.Second
)

// run counts until ctx ends.
func (p *pace) run(ctx context.Context, requests func() uint64) {
	ticker := time.NewTicker(paceStep)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			p.add(counted{now, requests()})
		}
	}
}

func (p *pace) add(c counted) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts = append(p.counts, c)
	if over := len(p.counts) - int(paceSpan/paceStep) - 1; over > 0 {
		p.counts = append(p.counts[:0], p.counts[over:]...)
	}
}

// perSecond is the mean of the last minute, or of what there is of it; 0 before there are two counts.
func (p *pace) perSecond() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.counts) < 2 {
		return 0
	}
	first, last := p.counts[0], p.counts[len(p.counts)-1]
	return float64(last.requests-first.requests) / last.at.Sub(first.at).Seconds()
}
