package web

import "context"

// testAlerts sends a marked test to the place that hears of alerts by the name of source, or to all.
func (s Station) testAlerts(ctx context.Context, q Request, from string) (string, error) {
	return s.Actions.TestAlerts(ctx, q.Source, q.Who, from)
}
