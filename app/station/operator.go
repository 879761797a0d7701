package station

import (
	"context"

	"timestation/logbook"
)

// acceptJump and acknowledge are what a person does; the log keeps who and from where, and what came of it.
func (s *Station) acceptJump(ctx context.Context, source, who, from string) (string, error) {
	done, err := s.engine.AcceptJump(ctx, source, who)
	s.book.EventBy(logbook.EventOperator, source, outcome("accept-jump", done, err), who, from)
	return done, err
}

func (s *Station) acknowledge(ctx context.Context, code, source, who, from string) error {
	err := s.engine.Acknowledge(ctx, code, source, who)
	if err != nil {
		s.book.EventBy(logbook.EventOperator, source, outcome("acknowledge "+code, "", err), who, from)
		return err
	}
	s.book.EventBy(logbook.EventAlertAcknowledged, source, code, who, from)
	return nil
}

func outcome(what, done string, err error) string {
	if err != nil {
		return what + ": refused: " + err.Error()
	}
	return what + ": " + done
}

// worked is what somebody did to the wall; automated is worked of an automation or a contact.
func (s *Station) worked(what, who, from string) {
	s.book.EventBy(logbook.EventOperator, "wall", what, who, from)
}

func (s *Station) automated(what, from string) { s.worked(what, "automation", from) }

// note keeps who has logged in at the page or failed to, and from where.
func (s *Station) note(text, who, from string) {
	s.book.EventBy(logbook.EventOperator, "web", text, who, from)
}
