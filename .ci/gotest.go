// Command gotest runs `go test -json` and prints a line a package, what failed in full, and the counts. It fails on a
// skipped test too: everything a fresh Debian 12 cannot run by itself is installed before, so a skip is a gap.
//
//	go run .ci/gotest.go [-v] [-tally FILE] ARGUMENTS OF go test
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sort"
	"strings"
	"time"
)

// allowedSkips are tests that may be skipped, each with its reason: "package.Test".
var allowedSkips = map[string]string{}

// event is a line of go doc cmd/test2json.
type event struct {
	Action, Package, ImportPath, Test, Output, FailedBuild string
	Elapsed                                                float64
}

type test struct {
	output []string
	result string
}

type pkg struct {
	tests  map[string]*test
	output []string // outside of any test
}

// run is what became of all packages.
type run struct {
	verbose                 bool
	packages                map[string]*pkg
	builds                  map[string][]string
	passed, failed, skipped int
}

func main() {
	r := run{packages: map[string]*pkg{}, builds: map[string][]string{}}
	arguments, tally := os.Args[1:], ""
	for len(arguments) > 0 {
		if arguments[0] == "-v" {
			r.verbose, arguments = true, arguments[1:]
		} else if arguments[0] == "-tally" && len(arguments) > 1 {
			tally, arguments = arguments[1], arguments[2:]
		} else {
			break
		}
	}
	err := r.goTest(arguments)
	if err != nil && r.failed == 0 {
		fmt.Println("go test:", err)
		r.failed++ // before any test could say so
	}
	if r.passed+r.failed == 0 {
		fmt.Println("there was no test to run")
		r.failed++
	}
	fmt.Printf("   tests: %d well, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
	if tally != "" {
		if err := appendTo(tally, fmt.Sprintln(r.passed, r.failed)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	if r.failed > 0 {
		os.Exit(1)
	}
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Close()
}

func (r *run) goTest(arguments []string) error {
	command := exec.Command("go", append([]string{"test", "-json"}, arguments...)...)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text()) // not from the tests
			continue
		}
		r.take(e)
	}
	if err := lines.Err(); err != nil {
		fmt.Println("go test's output:", err)
	}
	return command.Wait()
}

func (r *run) take(e event) {
	if e.Action == "build-output" {
		r.builds[e.ImportPath] = append(r.builds[e.ImportPath], e.Output)
		return
	}
	if e.Package == "" {
		return
	}
	p := r.packages[e.Package]
	if p == nil {
		p = &pkg{tests: map[string]*test{}}
		r.packages[e.Package] = p
	}
	if e.Test == "" {
		switch e.Action {
		case "output":
			p.output = append(p.output, e.Output)
		case "pass", "fail":
			r.end(e, p)
		}
		return
	}
	t := p.tests[e.Test]
	if t == nil {
		t = &test{}
		p.tests[e.Test] = t
	}
	switch e.Action {
	case "output":
		// go test's own lines say nothing that is not said below.
		if line := strings.TrimSpace(e.Output); !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			t.output = append(t.output, e.Output)
		}
	case "pass", "fail", "skip":
		t.result = e.Action
		if r.verbose {
			fmt.Printf("   %s %s (%.2f s)\n", map[string]string{"pass": "ok  ", "fail": "FAIL", "skip": "SKIP"}[e.Action], e.Test, e.Elapsed)
			if e.Action == "pass" {
				fmt.Print(strings.Join(t.output, ""))
			}
		}
	}
}

// end sums a package up. A test with subtests is counted by them: it counts itself only if it alone failed.
func (r *run) end(e event, p *pkg) {
	var names []string
	for name := range p.tests {
		names = append(names, name)
	}
	sort.Strings(names)
	failedBefore, passed := r.failed, 0
	for i, name := range names {
		t := p.tests[name]
		parent, childFailed := false, false
		for _, other := range names[i+1:] {
			if strings.HasPrefix(other, name+"/") {
				parent = true
				childFailed = childFailed || p.tests[other].result != "pass"
			}
		}
		switch {
		case t.result == "pass" && !parent:
			passed++
		case t.result == "pass":
		case t.result == "skip" && allowedSkips[e.Package+"."+name] != "":
			r.skipped++
		case t.result == "skip":
			r.failed++
			fmt.Printf("SKIP %s %s: a skipped test counts as failed: install in .ci/setup what it needs\n%s", e.Package, name, strings.Join(t.output, ""))
		default:
			if !parent || !childFailed {
				r.failed++
			}
			what := "FAIL"
			if t.result == "" {
				what = "FAIL (it never ended)"
			}
			fmt.Printf("%s %s %s\n%s", what, e.Package, name, strings.Join(t.output, ""))
		}
	}
	r.passed += passed
	elapsed := time.Duration(e.Elapsed * float64(time.Second)).Round(time.Millisecond)
	if e.Action == "pass" {
		if len(names) > 0 {
			fmt.Printf("   ok   %-32s %4d tests %8s\n", e.Package, passed, elapsed)
		}
		return
	}
	fmt.Print(strings.Join(r.builds[e.FailedBuild], ""), strings.Join(p.output, ""))
	fmt.Printf("   FAIL %-32s %s\n", e.Package, elapsed)
	if r.failed == failedBefore {
		r.failed++ // it did not build, or fell over outside of its tests
	}
}
