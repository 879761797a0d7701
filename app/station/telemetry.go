package station

import (
	"log/slog"
	"time"

	"timestation/app/otlp"
	"timestation/app/web"
)

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
