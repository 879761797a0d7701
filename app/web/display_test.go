package web

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"timestation/app/web/access"
	"timestation/display"
	"timestation/display/studio"
	"timestation/refclock"
)

// wallRig serves a real board, and holds every request and answer against the OpenAPI document.
type wallRig struct {
	*testing.T
	handler  http.Handler
	router   routers.Router
	operator string
	log      []string
}

func newWallRig(t *testing.T) *wallRig {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := &wallRig{T: t}
	if r.router, err = gorillamux.NewRouter(doc); err != nil {
		t.Fatal(err)
	}
	now := refclock.Date(2026, 11, 22, 12, 0, 0, 0).Instant(37)
	board := studio.NewBoard(studio.DefaultLights(), func() (refclock.Instant, bool) { return now, true }, time.UTC)
	path := filepath.Join(t.TempDir(), "token")
	r.operator = strings.Repeat("k", 48)
	if err := os.WriteFile(path, []byte(r.operator), 0o600); err != nil {
		t.Fatal(err)
	}
	st := Station{
		Name: "Studio 2", Location: time.UTC, Wall: fakeWall{board}, Studio: board,
		Worked: func(what, who, from string) { r.log = append(r.log, who+" at "+from+": "+what) },
	}
	if st.guard, err = newGuard(Config{TokenFile: path}); err != nil {
		t.Fatal(err)
	}
	r.handler = Handler(st)
	return r
}

// send sends a request that the document must allow unless it must be refused, and checks the answer against it.
func (r *wallRig) send(method, path, body, token string, wantCode int) string {
	r.Helper()
	request := func() *http.Request {
		q := httptest.NewRequest(method, path, strings.NewReader(body))
		q.Header.Set("Content-Type", "application/json")
		if token != "" {
			q.Header.Set("Authorization", "Bearer "+token)
		}
		return q
	}
	route, parameters, err := r.router.FindRoute(request())
	if err != nil {
		r.Fatalf("%s %s is not in the document: %v", method, path, err)
	}
	input := &openapi3filter.RequestValidationInput{
		Request: request(), PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true},
	}
	allowed := openapi3filter.ValidateRequest(r.Context(), input)
	if allowed != nil && wantCode == http.StatusOK {
		r.Errorf("%s %s: the document does not allow %s: %v", method, path, body, allowed)
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, request())
	if w.Code != wantCode {
		r.Errorf("%s %s %s: %d %s, want %d", method, path, body, w.Code, w.Body, wantCode)
	}
	answer := w.Body.String()
	if err := openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewBufferString(answer)), Options: input.Options,
	}); err != nil {
		r.Errorf("%s %s %s: the answer is not what the document says: %v", method, path, body, err)
	}
	return answer
}

// TestOrders: each example of the document is carried out, as are the others here; what is refused changes nothing.
func TestOrders(t *testing.T) {
	r := newWallRig(t)
	var doc struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct{ Example json.RawMessage }
			}
		}
	}
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	examples := 0
	for path, methods := range doc.Paths {
		if post, ok := methods["post"]; ok {
			examples++
			r.send("POST", path, string(post.RequestBody.Content["application/json"].Example), r.operator, http.StatusOK)
		}
	}
	if examples != 5 || len(r.log) != 5 {
		t.Errorf("%d examples, %d entries in the log", examples, len(r.log))
	}
	for _, body := range []string{`{"light":2,"toggle":true,"name":"GÄSTE","colour":"#00ff88","blink":true,"timed":true,"seconds":5}`} {
		r.send("POST", "/api/display/light", body, r.operator, http.StatusOK)
	}
	var state studio.State
	if err := json.Unmarshal([]byte(r.send("GET", "/api/studio", "", "", http.StatusOK)), &state); err != nil {
		t.Fatal(err)
	}
	if !state.Lights[0].On || state.Lights[1].Name != "GÄSTE" || state.Page != "trust" || len(state.Timers) != 1 || len(state.Messages) != 1 || state.Now == "" {
		t.Errorf("%+v", state)
	}
	for _, wrong := range []struct{ path, body string }{
		{"light", `{"light":5,"on":true}`}, {"light", `{"light":1,"on":true,"toggle":true}`}, {"light", `{"light":1,"colour":"red"}`},
		{"light", `{"light":1,"lit":true}`}, {"light", `{"light":1}{}`}, {"light", ``}, {"message", `{"text":""}`},
		{"message", `{"text":"x","priority":"shout"}`}, {"text", `{}`}, {"timer", `{"timer":1,"at":"25:00"}`}, {"timer", `{"timer":1,"do":"explode"}`},
		{"page", `{"page":"weather"}`},
	} {
		r.send("POST", "/api/display/"+wrong.path, wrong.body, r.operator, http.StatusBadRequest)
	}
	r.send("POST", "/api/display/light", `{"light":1,"on":true}`, "", http.StatusUnauthorized)
	var after studio.State
	if err := json.Unmarshal([]byte(r.send("GET", "/api/studio", "", "", http.StatusOK)), &after); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(state, after) {
		t.Errorf("what was refused changed %+v into %+v", state, after)
	}
}

// TestDocumentIsComplete: the document's fields are those that the handlers read, and its pages those there are.
func TestDocumentIsComplete(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	for path, order := range map[string]any{
		"light": studio.LightOrder{}, "message": studio.MessageOrder{}, "text": studio.TextOrder{}, "timer": studio.TimerOrder{}, "page": PageOrder{},
	} {
		schema := doc.Paths.Value("/api/display/" + path).Post.RequestBody.Value.Content["application/json"].Schema.Value
		var want []string
		for i := range reflect.TypeOf(order).NumField() {
			name, _, _ := strings.Cut(reflect.TypeOf(order).Field(i).Tag.Get("json"), ",")
			want = append(want, name)
		}
		var got []string
		for name := range schema.Properties {
			got = append(got, name)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the document has %q, the handler reads %q", path, got, want)
		}
		if path == "page" {
			var pages []string
			for _, p := range schema.Properties["page"].Value.Enum {
				pages = append(pages, p.(string))
			}
			if !slices.Equal(pages, append([]string{""}, display.Pages...)) {
				t.Errorf("pages of the document: %q", pages)
			}
		}
	}
}

// TestScreenSocket: the station's own screen may do everything without a token, and others cannot open its socket.
func TestScreenSocket(t *testing.T) {
	r := httptest.NewRequest("POST", "/api/accept-jump", nil)
	var g *guard
	if _, err := g.may(r, access.View); err == nil {
		t.Error("anybody may do anything")
	}
	path := filepath.Join(t.TempDir(), "screen.sock")
	if err := os.WriteFile(path, nil, 0o644); err != nil { // what an earlier run left
		t.Fatal(err)
	}
	server, err := ListenScreen(path, Station{Location: time.UTC}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	r = r.WithContext(server.server.ConnContext(t.Context(), nil))
	if token, err := g.may(r, access.Admin); err != nil || token.Name != "the screen" {
		t.Errorf("%+v, %v", token, err)
	}
}
