package guard

import (
	"sync"
	"testing"

	"timestation/engine/status"
	"timestation/refclock"
)

func TestAlertsStandUntilCleared(t *testing.T) {
	now := refclock.Date(2026, 11, 22, 12, 0, 0, 0)
	a := NewAlerts(func() refclock.UTC { return now })
	a.Raise(status.Alert{Code: "source-lost", Source: "gps0", Severity: status.Warning, Text: "first"})
	began := now
	now.Seconds += 60
	a.Raise(status.Alert{Code: "unsynchronised", Severity: status.Critical})
	a.Raise(status.Alert{Code: "source-lost", Source: "gps0", Severity: status.Warning, Text: "second"})
	a.Raise(status.Alert{Code: "source-lost", Source: "gps1", Severity: status.Warning})

	list := a.List()
	if len(list) != 3 || list[0].Code != "unsynchronised" || list[1].Source != "gps0" || list[2].Source != "gps1" {
		t.Fatalf("the most severe comes first, then the oldest: %+v", list)
	}
	if list[1].Text != "second" || list[1].Since != began {
		t.Errorf("a renewed alert keeps its beginning and takes the new text: %+v", list[1])
	}
	a.Clear("source-lost", "gps0")
	a.Clear("source-lost", "never-raised")
	if left := a.List(); len(left) != 2 || left[1].Source != "gps1" {
		t.Errorf("after clearing: %+v", left)
	}
	if list[1].Source != "gps0" {
		t.Error("clearing changed a list that was handed out")
	}
}

func TestAlertsFromManyRooms(t *testing.T) {
	a := NewAlerts(func() refclock.UTC { return refclock.UTC{} })
	var wait sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		wait.Go(func() {
			for range 200 {
				a.Raise(status.Alert{Code: "x", Source: name})
				a.List()
				a.Clear("x", name)
			}
		})
	}
	wait.Wait()
	if left := a.List(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}
