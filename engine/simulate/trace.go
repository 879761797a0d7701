// Package simulate makes oscillators, references and their faults, and runs the discipline the station runs over them in
// virtual time. What it does not do itself is estimate: that is engine/discipline's alone.
package simulate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// noPulse marks a second without a pulse in ref.txt.
const noPulse = 1.4e9

// Trace is what an oscillator did and what could be heard of true time, second by second. The slices other than
// Frequency may be shorter or nil.
type Trace struct {
	// Frequency is the oscillator's fractional frequency error over second k, local minus true.
	Frequency []float64
	// Pulse is the error in seconds of the reference's pulse at second k+1, late positive; NaN where there is none.
	Pulse []float64
	// Temperature is in °C.
	Temperature []float64
	// Up and Down are the delays, in seconds, of an NTP exchange begun at second k; NaN where there is none.
	Up, Down []float64
	// Offset0 is the local clock's error in seconds at the start.
	Offset0 float64
}

// ReadTrace reads a trace folder: freq.txt, ref.txt, temp.txt, net.txt with a line a second, and meta.json; only freq.txt
// and one of ref.txt and net.txt must be there.
func ReadTrace(dir string) (*Trace, error) {
	t := &Trace{}
	var err error
	if t.Frequency, err = readColumn(filepath.Join(dir, "freq.txt"), finite); err != nil {
		return nil, err
	}
	if len(t.Frequency) == 0 {
		return nil, fmt.Errorf("%s: it is empty; a line a second is wanted", filepath.Join(dir, "freq.txt"))
	}
	if t.Pulse, err = readColumn(filepath.Join(dir, "ref.txt"), pulse); missing(err) {
		return nil, err
	}
	if t.Temperature, err = readColumn(filepath.Join(dir, "temp.txt"), any); missing(err) {
		return nil, err
	}
	net := filepath.Join(dir, "net.txt")
	if err := readLines(net, func(fields []string) error {
		if len(fields) != 2 {
			return fmt.Errorf("%d numbers where the two delays, up and down, are wanted", len(fields))
		}
		up, err1 := strconv.ParseFloat(fields[0], 64)
		down, err2 := strconv.ParseFloat(fields[1], 64)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if !(up >= 0 && down >= 0 && up < 1e6 && down < 1e6) {
			up, down = math.NaN(), math.NaN()
		}
		t.Up, t.Down = append(t.Up, up), append(t.Down, down)
		return nil
	}); missing(err) {
		return nil, err
	}
	if t.Pulse == nil && t.Up == nil {
		return nil, fmt.Errorf("%s has neither ref.txt nor net.txt; one of them is wanted", dir)
	}
	meta, err := os.ReadFile(filepath.Join(dir, "meta.json"))
	if missing(err) {
		return nil, err
	}
	if err == nil {
		var m struct {
			Offset0 float64 `json:"offset0"`
		}
		if err := json.Unmarshal(meta, &m); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, "meta.json"), err)
		}
		t.Offset0 = m.Offset0
	}
	return t, nil
}

func missing(err error) bool { return err != nil && !errors.Is(err, fs.ErrNotExist) }

func any(v float64) (float64, error) { return v, nil }

func finite(v float64) (float64, error) {
	if !(math.Abs(v) < 0.1) {
		return 0, fmt.Errorf("a frequency error of %g is not possible", v)
	}
	return v, nil
}

func pulse(v float64) (float64, error) {
	if !(math.Abs(v) < noPulse/2) {
		return math.NaN(), nil
	}
	return v, nil
}

func readColumn(path string, check func(float64) (float64, error)) (column []float64, err error) {
	err = readLines(path, func(fields []string) error {
		v, err := strconv.ParseFloat(fields[0], 64)
		if err == nil {
			v, err = check(v)
		}
		column = append(column, v)
		return err
	})
	return column, err
}

// readLines calls take with the fields of each line; what follows # is a comment.
func readLines(path string, take func([]string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		line, _, _ := strings.Cut(s.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if err := take(fields); err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, err)
		}
	}
	return s.Err()
}

// Write writes a trace folder.
func (t *Trace) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files := []struct {
		name    string
		columns [][]float64
		none    float64
	}{
		{"freq.txt", [][]float64{t.Frequency}, 0},
		{"ref.txt", [][]float64{t.Pulse}, noPulse},
		{"temp.txt", [][]float64{t.Temperature}, 0},
		{"net.txt", [][]float64{t.Up, t.Down}, noPulse},
	}
	for _, f := range files {
		if len(f.columns[0]) == 0 {
			continue
		}
		var b []byte
		for k := range f.columns[0] {
			for i, c := range f.columns {
				if i > 0 {
					b = append(b, ' ')
				}
				v := c[k]
				if math.IsNaN(v) {
					v = f.none
				}
				b = strconv.AppendFloat(b, v, 'g', -1, 64)
			}
			b = append(b, '\n')
		}
		if err := os.WriteFile(filepath.Join(dir, f.name), b, 0o644); err != nil {
			return err
		}
	}
	meta, err := json.MarshalIndent(map[string]float64{"offset0": t.Offset0}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "meta.json"), append(meta, '\n'), 0o644)
}
