package engine

import (
	"context"

	"timestation/engine/guard"
)

// AcceptJump takes the new time of a source that has jumped, on the word of by; an empty source is all that are held
// back. It fails when nothing is.
func (e *Engine) AcceptJump(ctx context.Context, source, by string) (done string, err error) {
	e.ask(ctx, &err, func() error {
		names := []string{source}
		if source == "" {
			names = nil
			for _, h := range e.latch.Held() {
				names = append(names, h.Source)
			}
			for _, s := range e.sources {
				if s.strayed != nil {
					names = append(names, s.Name)
				}
			}
			if len(names) == 0 {
				names = []string{guard.TheVote} // Accept says that there is none
			}
		}
		for _, name := range names {
			what := name + " had strayed from the oscillator's rate, and is followed again"
			if s := e.source(name); s == nil || s.strayed == nil {
				r, err := e.latch.Accept(name, by)
				if err != nil {
					return err
				}
				what = r.Explain()
			}
			e.options.Log.Warn("jump accepted", "source", name, "by", by)
			e.accept(name)
			if done != "" {
				done += "; "
			}
			done += what
		}
		e.renew()
		e.save()
		return nil
	})
	return done, err
}

// Acknowledge notes that by has seen an alert.
func (e *Engine) Acknowledge(ctx context.Context, code, source, by string) (err error) {
	e.ask(ctx, &err, func() error {
		err := e.alerts.Acknowledge(code, source, by)
		if err == nil {
			e.renew()
			e.save()
		}
		return err
	})
	return err
}

// ask lets the loop do something, and waits for its answer.
func (e *Engine) ask(ctx context.Context, err *error, do func() error) {
	answer := make(chan error, 1)
	select {
	case e.events <- event{do: func() { answer <- do() }}:
	case <-ctx.Done():
		*err = context.Cause(ctx)
		return
	}
	select {
	case *err = <-answer:
	case <-ctx.Done():
		*err = context.Cause(ctx)
	}
}
