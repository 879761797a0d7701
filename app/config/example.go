package config

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"timestation/app/notify"
	"timestation/refclock"
)

// Entry is one section of an example file.
type Entry struct {
	// Section is the section's name, such as refclock.
	Section string
	// Comment goes above the section; it may have several lines.
	Comment string
	// Set holds the values that are written as working lines; of a refclock, driver among them. Every other key follows
	// as a comment with its meaning and default.
	Set map[string]any
	// Off writes the whole section as comments, to be switched on by taking the # away.
	Off bool
	// Brief leaves out the keys that Set does not name.
	Brief bool
}

// Example writes a configuration file. In its text "# " begins an explanation, and "#" without a space something that
// works once the # is gone.
func Example(w io.Writer, entries ...Entry) error {
	var out strings.Builder
	cfg := Default()
	for _, e := range entries {
		var found *section
		for _, s := range cfg.sections() {
			if s.name == e.Section {
				found = &s
			}
		}
		if found == nil {
			return fmt.Errorf("there is no section %q", e.Section)
		}
		e.write(&out, *found)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (e Entry) write(out *strings.Builder, s section) {
	if out.Len() > 0 {
		out.WriteString("\n")
	}
	comment(out, e.Comment)
	mark := ""
	if e.Off {
		mark = "#"
	}
	fmt.Fprintf(out, "%s%s\n", mark, s.title())
	keys := keysOf(s.target)
	if name, ok := e.Set["driver"].(string); ok {
		if d, known := refclock.Lookup(name); known {
			keys = append(keys, keysOf(d.NewConfig())...)
		}
	}
	if name, ok := e.Set["kind"].(string); ok && s.name == "notify" {
		if k, known := notify.Lookup(name); known {
			keys = append(keys, keysOf(k.NewSettings())...)
		}
	}
	for _, k := range keys {
		if value, given := e.Set[k.name]; given {
			fmt.Fprintf(out, "%s%s = %s\n", mark, k.name, literal(reflect.ValueOf(value)))
		}
	}
	for _, k := range keys {
		if _, given := e.Set[k.name]; given || e.Brief {
			continue
		}
		out.WriteString("\n")
		comment(out, k.help)
		if k.set() && !k.empty() {
			fmt.Fprintf(out, "#%s = %s\n", k.name, literal(k.value))
		} else {
			fmt.Fprintf(out, "# %s = … (not set)\n", k.name)
		}
	}
}

// comment writes prose, broken at 100 columns.
func comment(out *strings.Builder, text string) {
	if text == "" {
		return
	}
	for line := range strings.Lines(text) {
		row := "#"
		for _, word := range strings.Fields(line) {
			if len(row)+1+len(word) > 100 {
				out.WriteString(row + "\n")
				row = "#"
			}
			row += " " + word
		}
		out.WriteString(row + "\n")
	}
}
