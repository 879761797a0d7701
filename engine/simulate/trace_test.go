package simulate

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTraceSurvivesItsFiles(t *testing.T) {
	for _, name := range []string{"d1", "g", "c2-temperature"} {
		s, _ := FindScenario(name)
		made := s.Make(3, 0.1)
		made.Offset0 = 0.25
		dir := filepath.Join(t.TempDir(), name)
		if err := made.Write(dir); err != nil {
			t.Fatal(err)
		}
		read, err := ReadTrace(dir)
		if err != nil {
			t.Fatal(err)
		}
		same := func(a, b []float64) bool {
			return slices.EqualFunc(a, b, func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) })
		}
		if !same(made.Frequency, read.Frequency) || !same(made.Pulse, read.Pulse) || !same(made.Temperature, read.Temperature) ||
			!same(made.Up, read.Up) || !same(made.Down, read.Down) || made.Offset0 != read.Offset0 {
			t.Errorf("%s: what was read is not what was written", name)
		}
		if again := s.Make(3, 0.1); !same(again.Frequency, made.Frequency) || !same(again.Pulse, made.Pulse) {
			t.Errorf("%s: the same seed made another trace", name)
		}
	}
}

func TestTraceErrorsNameFileAndLine(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"freq.txt":                 {},
		"it is empty":              {"freq.txt": "", "ref.txt": "0\n"},
		"neither ref.txt nor":      {"freq.txt": "1e-6\n"},
		"freq.txt, line 2":         {"freq.txt": "1e-6\nx\n", "ref.txt": "0\n"},
		"is not possible":          {"freq.txt": "2\n", "ref.txt": "0\n"},
		"net.txt, line 1: 1 numbe": {"freq.txt": "1e-6\n", "net.txt": "1e-4\n"},
		"meta.json":                {"freq.txt": "1e-6\n", "ref.txt": "0\n", "meta.json": "{"},
	} {
		dir := t.TempDir()
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := ReadTrace(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestTraceTakesWhatOthersWrite(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"freq.txt":  "1e-6\r\n# a comment\n\n2e-6\n3e-6 # another\n4e-6\n",
		"ref.txt":   "1e-6\n1.4e9\n1400000000.0\n", // shorter than freq.txt
		"meta.json": `{"offset0": 0.5, "seed": 7, "scenario": "x"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	trace, err := ReadTrace(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(trace.Frequency) != 4 || len(trace.Pulse) != 3 || !math.IsNaN(trace.Pulse[1]) || !math.IsNaN(trace.Pulse[2]) || trace.Offset0 != 0.5 {
		t.Errorf("%+v", trace)
	}
	f, err := Run(trace, Options{})
	if err != nil || f.Seconds != 4 || f.SecondsTo10us != -1 {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestSigns: an oscillator that runs fast, and a clock that is ahead, are what the figures say.
func TestSigns(t *testing.T) {
	trace := &Trace{Offset0: 0.125}
	for range 2000 {
		trace.Frequency = append(trace.Frequency, 20e-6)
		trace.Pulse = append(trace.Pulse, 0)
	}
	trace.Pulse[0] = math.NaN()
	var first Second
	f, err := Run(trace, Options{Each: func(s Second) {
		if s.Second == 1 {
			first = s
		}
	}, Skip: 100})
	if err != nil {
		t.Fatal(err)
	}
	if first.Known || first.Heard || math.Abs(first.ErrorSeconds-0.12502) > 1e-9 {
		t.Errorf("before the first pulse the clock is as wrong as it was set: %+v", first)
	}
	if f.RMSSeconds > 50e-9 || f.FrequencyRMS > 1e-9 || f.InsideBound < 0.99 || f.SecondsTo1ms != 1 {
		t.Errorf("%+v", f)
	}
}
