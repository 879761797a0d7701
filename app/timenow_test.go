package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A Raspberry Pi has no clock of its own: until something sets it, the system clock says 1970, or when it was last shut
// down. So only two rooms may take it for a time of day, and turn it into a Stamp that the model then corrects.
var systemClockRooms = []string{"engine/clock", "engine/serve"}

// monotonicUses are the other calls of time.Now, each with the reason why it is no time of day.
var monotonicUses = map[string]string{
	"engine/status/status.go":                "Published keeps the monotonic reading, from which ValidUntil and a step of the clock are told",
	"refclock/driver.go":                     "how long a driver ran before it fell over",
	"app/demo/player.go":                     "how much of a burst is due by now",
	"refclock/gps/listen.go":                 "how long a port has been listened to",
	"refclock/pps/driver.go":                 "how long no pulse came, and whether the local clock was set meanwhile",
	"refclock/gpsd/driver.go":                "how long to wait for a line, and how long nothing came",
	"refclock/gpsd/sock.go":                  "how long to wait for a sample, and how long none came",
	"refclock/replay/driver.go":              "how much of a recording is due by now",
	"engine/feed/sock.go":                    "how long to wait for a program that hangs",
	"refclock/longwave/receiver/listener.go": "how long no edge came, and whether the local clock was set meanwhile",
	"refclock/longwave/radiotest/drive.go":   "how long a test waits",
	"app/automation/onair.go":                "how many commands came within a second",
	"app/board/receivers.go":                 "how long to wait",
	"app/cmd_display.go":                     "how long to wait for the first answer",
	"app/screen/screen.go":                   "how long a screen's process ran",
	"display/remote/remote.go":               "the scale on which the station's answers are stamped",
	"display/window/shell.go":                "how long a page has been shown, and since when nobody has touched the screen",
	"app/web/access/stopwatch.go":            "how long a session has lasted, and how long ago somebody guessed",
	"app/otlp/otlp.go":                       "how long ago the program was started",
	"app/web/events.go":                      "how old the report is that all live pages share, and how long one may take to take it",
	"engine/guard/alerts.go":                 "how long an alert has stood or been away",
	"engine/control/stopwatch.go":            "how long ago something was, and how fine the clock steps",
	"app/notify/dispatcher.go":               "when something happened, to say later how long ago, and what has been earned since",
	"app/notify/history.go":                  "whether it is time for a point",
	"app/notify/mqtt.go":                     "how long ago the state was sent",
	"app/notify/outbox.go":                   "when to try again, and for how long a place has failed",
	"app/notify/pool.go":                     "for how long the time has been good, and when to try again",
	"app/notify/snmp/agent.go":               "how long ago the agent was started, and how many answers have been earned since",
	"app/notify/snmptrap.go":                 "how long ago the last heartbeat was, and what has been earned since",
	"app/notify/syslog.go":                   "how long to wait for a stream's end",
	"logbook/book.go":                        "how long tidying up took, and when it was done last",
	"display/window/screen_gui.go":           "how long a frame took to paint and swap",
}

// wallClock are the methods of time.Time that tell the time of day. The rest (Sub, Add, After …) go by the monotonic
// reading where both sides have one.
var wallClock = []string{"AppendFormat", "Clock", "Date", "Day", "Equal", "Format", "GoString", "Hour", "ISOWeek", "In",
	"Local", "Location", "MarshalJSON", "MarshalText", "Minute", "Month", "Nanosecond", "Round", "Second", "String",
	"Truncate", "UTC", "Unix", "UnixMicro", "UnixMilli", "UnixNano", "Weekday", "Year", "YearDay", "Zone"}

func TestNobodyElseAsksTheSystemClock(t *testing.T) {
	used := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator)))
		switch {
		case entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && path != ".."):
			return fs.SkipDir
		case entry.IsDir() && slices.Contains(systemClockRooms, name):
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		// A selector on the call, time.Now().X, is met before the call itself.
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if call, ok := n.X.(*ast.CallExpr); ok && isTimeNow(call.Fun) && slices.Contains(wallClock, n.Sel.Name) {
					t.Errorf("%s: time.Now().%s is the time of day of a clock that may say 1970; ask the Status, or take a refclock.Stamp from engine/clock",
						set.Position(n.Pos()), n.Sel.Name)
				}
				if isTimeNow(n) {
					used[name] = true
					if monotonicUses[name] == "" {
						t.Errorf("%s: time.Now outside of %v; if it is monotonic, name the file and the reason in timenow_test.go",
							set.Position(n.Pos()), systemClockRooms)
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range monotonicUses {
		if !used[name] {
			t.Errorf("%s has no time.Now any more: take its line out of monotonicUses", name)
		}
	}
}

func isTimeNow(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "Now" {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == "time"
}
