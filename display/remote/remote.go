// Package remote is a station as a display in another process, or in another room, sees it: over HTTP. The time it shows
// is the station's, carried over by what many questions and answers tell of the way between, and its bound is the station's
// plus half of the measured round trip. When the station is not heard the display has no time to show, and says so.
package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"timestation/display"
	"timestation/display/studio"
	"timestation/engine/status"
	"timestation/refclock"
)

const (
	// interval is how often the station is asked; status.Validity bears three answers missed.
	interval = 500 * time.Millisecond
	// patience is how long one answer may take.
	patience = 1500 * time.Millisecond
	// longestAnswer bounds what is read of one answer.
	longestAnswer = 16 << 20
)

// Station is a station elsewhere. Its methods may be called from any goroutine.
type Station struct {
	// local is this machine's own clock, which is only compared.
	local  func() refclock.Stamp
	base   string
	token  string
	client *http.Client
	began  time.Time

	mu     sync.Mutex
	status *status.Status
	studio studio.State
	who    Identity
	past   exchanges
	failed error
	report func() (median, p99 time.Duration, frames int)
}

// Identity is who the station says it is.
type Identity struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Timezone string `json:"timezone"`
	// Position is latitude and longitude of the station's antenna in degrees; empty where nobody has said.
	Position []float64 `json:"position,omitempty"`
}

// Where is the position, or nil.
func (i Identity) Where() *refclock.Position {
	if len(i.Position) != 2 {
		return nil
	}
	return &refclock.Position{Latitude: i.Position[0], Longitude: i.Position[1]}
}

// New makes a station that has yet to be asked; local reads this machine's own clock, which is only compared. address is as "http://studio.local:8123", or "unix:/run/x.sock" for a
// station on this machine; token, which may be empty, is what lets a person at this display act.
func New(address, token string, local func() refclock.Stamp) (*Station, error) {
	s := &Station{local: local, token: token, began: time.Now(), failed: errors.New("it has not answered yet")}
	transport := &http.Transport{MaxIdleConnsPerHost: 4, ForceAttemptHTTP2: true}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
		address = "http://station"
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not the address of a station; write for instance http://studio.local:8123", address)
	}
	s.base = strings.TrimSuffix(u.String(), "/")
	s.client = &http.Client{Transport: transport}
	return s, nil
}

// ReportLateness has every question tell the station how late this display's frames are.
func (s *Station) ReportLateness(figures func() (median, p99 time.Duration, frames int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report = figures
}

// Now implements display.Clock: a scale of this machine's own that nobody sets.
func (s *Station) Now() refclock.Stamp {
	return refclock.Stamp(time.Since(s.began))
}

// Run asks the station until ctx ends.
func (s *Station) Run(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		err := s.ask(ctx)
		s.mu.Lock()
		s.failed = err
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			s.client.CloseIdleConnections()
			return
		case <-ticker.C:
		}
	}
}

// ask fetches the newest status and what stands on the wall.
func (s *Station) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var answer struct {
		Identity
		status.Snapshot
	}
	sent := s.Now()
	received, err := s.get(ctx, "/api/status", s.figures(), &answer)
	if err != nil {
		return err
	}
	var wall studio.State
	if _, err := s.get(ctx, "/api/studio", nil, &wall); err != nil {
		return err
	}
	trip := received.Sub(sent)
	e := exchange{middle: sent.Add(trip / 2), trip: trip}
	if answer.UTC != nil && answer.TAIMinusUTCSeconds != nil {
		e.instant = answer.UTC.Instant(*answer.TAIMinusUTCSeconds)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.past = s.past.add(e)
	made := model(answer.Snapshot, s.past, received)
	made.Sources = append(append([]status.Source{}, made.Sources...), s.itself(made, received))
	s.status, s.studio, s.who = made, wall, answer.Identity
	return nil
}

// itself tells of the way to the station among the sources, and of this machine's own clock, which is not used.
func (s *Station) itself(made *status.Status, now refclock.Stamp) status.Source {
	source := status.Source{
		Name: "this screen", Driver: "http", State: status.Compared,
		Signal: refclock.Signal{Source: "this screen", State: refclock.Timing, Server: &refclock.Server{Address: s.base, Stratum: made.Stratum}},
	}
	source.Explanation = "this screen reads the station at " + s.base
	if len(s.past) == 0 {
		return source
	}
	best := s.past.best(now)
	here := int64(s.local())
	r := made.At(now)
	source.OffsetSeconds = float64(here-(r.Instant.TAI-int64(r.Instant.TAIMinusUTC)*1e9)) / 1e9
	source.MaxErrorSeconds = best.error(now).Seconds()
	source.Signal.Server.DelaySeconds = best.trip.Seconds()
	source.Explanation += fmt.Sprintf("; the way there and back takes %v, half of it is in the bound. The offset is that of this machine's own clock, which is not used",
		best.trip.Round(10*time.Microsecond))
	return source
}

// figures are the lateness of this display's frames, for the station's own status.
func (s *Station) figures() url.Values {
	s.mu.Lock()
	report := s.report
	s.mu.Unlock()
	if report == nil {
		return nil
	}
	median, p99, frames := report()
	if frames == 0 {
		return nil
	}
	return url.Values{
		"late_ms_median": {strconv.FormatFloat(median.Seconds()*1e3, 'f', 3, 64)},
		"late_ms_p99":    {strconv.FormatFloat(p99.Seconds()*1e3, 'f', 3, 64)},
		"frames":         {strconv.Itoa(frames)},
	}
}

// Status implements display.Clock. Without contact it knows no time, and says why.
func (s *Station) Status() *status.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inContact() {
		return s.status
	}
	lost := &status.Status{State: status.Unsynchronised, Stratum: status.Stratum16, Epoch: s.Now()}
	lost.Reason = "no contact with the station at " + s.base
	if s.failed != nil {
		lost.Reason += ": " + s.failed.Error()
	}
	return lost
}

// inContact tells whether what the station said last still counts; the lock is held.
func (s *Station) inContact() bool {
	return s.status != nil && s.Now().Sub(s.status.Epoch) <= status.Validity
}

// Identity is who the station said it is; empty before the first answer.
func (s *Station) Identity() Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.who
}

// Studio implements display.Station. Without contact nothing stands on the wall: nobody knows whether a light that was on
// still is.
func (s *Station) Studio() studio.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.inContact() {
		return studio.State{}
	}
	return s.studio
}

// History implements display.Station.
func (s *Station) History(ctx context.Context, span display.Span) (h display.History, err error) {
	_, err = s.get(ctx, "/api/history", url.Values{
		"from": {span.From.UTC().Format(time.RFC3339Nano)}, "to": {span.To.UTC().Format(time.RFC3339Nano)}, "points": {strconv.Itoa(span.Points)},
	}, &h)
	return h, err
}

// Clients implements display.Station.
func (s *Station) Clients(ctx context.Context) (c display.Clients, err error) {
	_, err = s.get(ctx, "/api/clients", nil, &c)
	return c, err
}

// Act implements display.Station; it needs a token.
func (s *Station) Act(ctx context.Context, a display.Action) (string, error) {
	paths := map[string]string{display.ActionAcceptJump: "/api/accept-jump", display.ActionAcknowledge: "/api/alerts/ack"}
	path, known := paths[a.Kind]
	if !known {
		return "", fmt.Errorf("%q is not something a display can ask for", a.Kind)
	}
	body, err := json.Marshal(map[string]string{"source": a.Source, "code": a.Code, "who": "the screen"})
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	var answer struct{ Done, Error string }
	if _, err := s.do(request, &answer); err != nil {
		return "", err
	}
	return answer.Done, nil
}

// get reads one answer and gives when its first byte came.
func (s *Station) get(ctx context.Context, path string, query url.Values, into any) (refclock.Stamp, error) {
	address := s.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	return s.do(request, into)
}

func (s *Station) do(request *http.Request, into any) (refclock.Stamp, error) {
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	answer, err := s.client.Do(request)
	received := s.Now()
	if err != nil {
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err
		}
		return 0, err
	}
	defer answer.Body.Close()
	body := io.LimitReader(answer.Body, longestAnswer)
	if answer.StatusCode != http.StatusOK {
		var refused struct{ Error string }
		if json.NewDecoder(body).Decode(&refused) == nil && refused.Error != "" {
			return 0, errors.New(refused.Error)
		}
		return 0, fmt.Errorf("%s answered %s; is that a Timestation of this version?", request.URL.Path, answer.Status)
	}
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return 0, fmt.Errorf("%s: %w", request.URL.Path, err)
	}
	return received, nil
}
