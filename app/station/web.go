package station

import (
	"log/slog"
	"time"

	"timestation/app/otlp"
	"timestation/app/web"
	"timestation/logbook"
)

// note keeps who has logged in at the page or failed to, and from where.
func (s *Station) note(text, who, from string) {
	s.book.EventBy(logbook.EventOperator, "web", text, who, from)
}

// telemetry lets an OpenTelemetry collector have each line of the log from now on, where one is configured.
func (s *Station) telemetry() {
	if s.Config.OTLP.URL == "" {
		return
	}
	s.otlp = otlp.New(s.Config.OTLP, otlp.Options{
		Station: s.Config.Station.Name, Version: s.options.Version, Token: web.ReadToken, Log: s.options.Log,
		Now: func() time.Time {
			if s.engine == nil { // it is being built
				return time.Time{}
			}
			return s.utc()
		},
	})
	s.options.Log = slog.New(s.otlp.Handler(s.options.Log.Handler()))
}
