package scenario

import (
	"strings"
	"testing"

	"timestation/assets"
)

// Every built-in scenario plays as it says, and the station's bound holds in all of them whenever it claims to know.
func TestBuiltIn(t *testing.T) {
	entries, err := assets.Scenarios.ReadDir("scenarios")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Run(strings.TrimSuffix(e.Name(), ".toml"), func(t *testing.T) {
			t.Parallel()
			text, err := assets.Scenarios.ReadFile("scenarios/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			s, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			var timeline strings.Builder
			summary, err := s.Run(t.Context(), func(l Line) { l.Print(&timeline) })
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%+v", summary)
			if summary.Failed > 0 || summary.InsideBound < 1 || testing.Verbose() {
				t.Logf("%s", timeline.String())
			}
			if summary.Failed > 0 {
				t.Errorf("%d expectations were not met", summary.Failed)
			}
			if summary.InsideBound < 1 {
				t.Errorf("inside the bound: %.6f", summary.InsideBound)
			}
		})
	}
}
