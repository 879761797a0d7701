package web

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// described are the names that /metrics has.
func described() map[string]bool {
	names := map[string]bool{}
	for _, d := range all {
		names[regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(d.String())[1]] = true
	}
	return names
}

var ownName = regexp.MustCompile(`timestation_[a-z0-9_]+`)

// The alerting rules ask for nothing that /metrics does not have.
func TestAlertingRules(t *testing.T) {
	text, err := os.ReadFile("../../assets/dashboards/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	names := described()
	for _, named := range ownName.FindAllString(string(text), -1) {
		if !names[named] {
			t.Errorf("/metrics has no %s", named)
		}
	}
}

// The dashboard that is delivered asks for nothing that /metrics does not have, and shows what a person looks for.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("../../assets/dashboards/timestation.json")
	if err != nil {
		t.Fatal(err)
	}
	type place struct{ X, Y, W, H int }
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			GridPos place
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	names := described()
	for _, named := range ownName.FindAllString(string(text), -1) {
		if !names[named] {
			t.Errorf("/metrics has no %s", named)
		}
	}
	asked, titles, ids, taken := map[string]bool{}, "", map[int]bool{}, map[[2]int]string{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] || len(p.Targets) == 0 {
			t.Errorf("panel %d %q: its number stands twice, or it asks nothing", p.ID, p.Title)
		}
		ids[p.ID] = true
		titles += strings.ToLower(p.Title) + "\n"
		for _, target := range p.Targets {
			for _, named := range ownName.FindAllString(target.Expr, -1) {
				asked[named] = true
			}
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%q lies on %q, or beyond the grid", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
	for _, want := range []string{"synchronised", "holdover", "max_error_seconds", "source_offset_seconds", "satellites",
		"oscillator_frequency_ppm", "ntp_requests_total", "ntp_dropped_total", "temperature_celsius"} {
		if !asked["timestation_"+want] {
			t.Errorf("no panel shows timestation_%s; there are:\n%s", want, titles)
		}
	}
}
