package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"timestation/app/notify"
	"timestation/refclock"
)

// key is one key of a section, as its struct declares it.
type key struct {
	name, help string
	// value is what the struct holds: the default, if it is fresh.
	value reflect.Value
}

// keysOf lists the keys of a pointer to a struct in their order; nil has none.
func keysOf(target any) []key {
	v := reflect.ValueOf(target)
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return nil
	}
	var keys []key
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		if name != "" && name != "-" {
			keys = append(keys, key{name, sentence(field.Tag.Get("help")), v.Field(i)})
		}
	}
	return keys
}

// scalar tells whether the key holds a single value, which the environment can set.
func (k key) scalar() bool {
	t := k.value.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Map, reflect.Struct:
		return false
	}
	return true
}

// set tells whether the key has a value at all.
func (k key) set() bool { return k.value.Kind() != reflect.Pointer || !k.value.IsNil() }

// empty tells whether the value is no text or no list at all.
func (k key) empty() bool {
	return (k.value.Kind() == reflect.String || k.value.Kind() == reflect.Slice) && k.value.Len() == 0
}

// literal writes a value as TOML.
func literal(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return literal(v.Elem())
	case reflect.String:
		text, _ := json.Marshal(v.String()) // JSON's escapes are also those of a TOML basic string
		return string(text)
	case reflect.Slice:
		var items []string
		for i := range v.Len() {
			items = append(items, literal(v.Index(i)))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return fmt.Sprint(v)
}

// title is the section as the file writes it.
func (s section) title() string {
	if s.repeated {
		return "[[" + s.name + "]]"
	}
	return "[" + s.name + "]"
}

// Reference is every section and key with type, default and meaning, as Markdown.
func Reference() string {
	var out strings.Builder
	fmt.Fprintf(&out, "A single value of a section that stands once can be overridden by the environment, such as `%s`.\n\n",
		variable("clock", "max_error_seconds"))
	cfg := Default()
	for _, s := range cfg.sections() {
		fmt.Fprintf(&out, "### `%s`\n\n%s\n\n", s.title(), s.help)
		writeKeys(&out, s.target)
		if s.name == "notify" {
			for _, k := range notify.Kinds() {
				fmt.Fprintf(&out, "#### `kind = %q`\n\n%s\n\n", k.Kind, k.Help)
				writeKeys(&out, k.NewSettings())
			}
		}
		if s.name != "refclock" {
			continue
		}
		for _, d := range refclock.Drivers() {
			fmt.Fprintf(&out, "#### `driver = %q`\n\n%s\n\n", d.Name, d.Help)
			writeKeys(&out, d.NewConfig())
		}
	}
	return out.String()
}

func writeKeys(out *strings.Builder, target any) {
	out.WriteString("| key | takes | default | meaning |\n|---|---|---|---|\n")
	for _, k := range keysOf(target) {
		value := "not set"
		if k.set() && !k.empty() {
			value = "`" + literal(k.value) + "`"
		}
		fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", k.name, kindWords(k.value.Type()), cell(value), cell(k.help))
	}
	out.WriteString("\n")
}

// cell makes text safe inside a Markdown table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// sentence gives a help text its capital and its full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
