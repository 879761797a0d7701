package automation

import "timestation/refclock/edge"

// OpenOutput takes a line, such as Options gives, and drives it inactive.
func OpenOutput(o edge.Options) (Output, error) { return openOutput(o) }
