package web

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"timestation/app/web/access"
	"timestation/display"
)

// openAPI describes what works the wall, for whoever writes an automation.
//
//go:embed openapi.json
var openAPI []byte

// PageOrder calls up a page on the wall; an empty name goes back to the display's own rotation.
type PageOrder struct {
	Page string `json:"page"`
}

// serveOrders adds what works the wall: POST /api/display/….
func (s Station) serveOrders(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(openAPI) // the client went away
	})
	if s.Studio == nil {
		return
	}
	mux.HandleFunc("POST /api/display/light", order(s, s.Studio.Light))
	mux.HandleFunc("POST /api/display/message", order(s, s.Studio.Message))
	mux.HandleFunc("POST /api/display/text", order(s, s.Studio.Text))
	mux.HandleFunc("POST /api/display/timer", order(s, s.Studio.Timer))
	mux.HandleFunc("POST /api/display/page", order(s, func(o PageOrder) (string, error) {
		if o.Page != "" && !slices.Contains(display.Pages, o.Page) {
			return "", fmt.Errorf("page: %q is none of %s", o.Page, strings.Join(display.Pages, ", "))
		}
		return s.Studio.ShowPage(o.Page)
	}))
}

// order answers a POST of who may operate the station: what the order did, or 400 with the reason why it changed nothing.
func order[T any](s Station, do func(T) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := sameOrigin.Check(r); err != nil {
			refuse(w, err)
			return
		}
		token, err := s.guard.may(r, access.Operate)
		if err != nil {
			refuse(w, err)
			return
		}
		var o T
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBody))
		d.DisallowUnknownFields()
		err = d.Decode(&o)
		if err == nil && d.More() {
			err = errors.New("there is more behind it")
		}
		if err != nil {
			writeJSON(w, http.StatusBadRequest, Answer{Error: "the body is not the JSON object that /api/openapi.json describes: " + err.Error()})
			return
		}
		done, err := do(o)
		if err != nil {
			writeJSON(w, http.StatusBadRequest, Answer{Error: err.Error()})
			return
		}
		if s.Worked != nil {
			s.Worked(done, named(token, ""), from(r))
		}
		writeJSON(w, http.StatusOK, Answer{Done: done})
	}
}
