package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

// decode fills the targets, pointers to structs that hold their defaults, from one table of the file; each key belongs
// to one of them. where goes before the key in errors, as in "clock.".
func decode(table map[string]any, where string, sections []section, targets ...any) error {
	rest := map[string]any{}
	for k, v := range table {
		rest[k] = v
	}
	var names []string
	for _, target := range targets {
		if target == nil {
			continue
		}
		own := map[string]any{}
		for _, k := range keysOf(target) {
			names = append(names, k.name)
			if v, ok := rest[k.name]; ok {
				own[k.name] = v
				delete(rest, k.name)
			}
		}
		if err := decodeStruct(own, where, target); err != nil {
			return err
		}
	}
	if unknown := sortedKeys(rest); len(unknown) > 0 {
		hint := elsewhere(unknown[0], sections)
		if hint == "" {
			hint = suggest(unknown[0], names)
		}
		return fmt.Errorf("%s%s: unknown key%s", where, bare(unknown[0]), hint)
	}
	return nil
}

func decodeStruct(table map[string]any, where string, target any) error {
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result:               target,
		DecodeHook:           strictTypes,
		ErrorUnused:          true, // of tables within the section; the section's own keys were sorted out before
		IgnoreUntaggedFields: true,
		ZeroFields:           true, // a list in the file replaces the default list, it does not overwrite its beginning
	})
	if err != nil {
		return err
	}
	if err := decoder.Decode(table); err != nil {
		return decodeError(err, where)
	}
	return nil
}

// decodeError brings mapstructure's errors to one line: the first by key.
func decodeError(err error, where string) error {
	var all []*mapstructure.DecodeError
	var collect func(error)
	collect = func(err error) {
		if one, ok := err.(*mapstructure.DecodeError); ok {
			all = append(all, one)
			return
		}
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range joined.Unwrap() {
				collect(e)
			}
		} else if inner := errors.Unwrap(err); inner != nil {
			collect(inner)
		}
	}
	collect(err)
	if len(all) == 0 {
		return fmt.Errorf("%s%w", where, err)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name() < all[j].Name() })
	var reason typeError
	if errors.As(all[0], &reason) {
		return fmt.Errorf("%s%s: %w", where, all[0].Name(), reason)
	}
	return fmt.Errorf("%s%s: %w", where, all[0].Name(), all[0].Unwrap())
}

// typeError says that a value is not what its key takes.
type typeError string

func (e typeError) Error() string { return string(e) }

// strictTypes is a hook that refuses what mapstructure would bend to fit without a word: 9600.5 for a whole number, 300
// for a byte. It also refuses the numbers that TOML knows and no key can mean: nan and inf.
func strictTypes(from, to reflect.Value) (any, error) {
	if from.Kind() == reflect.Interface {
		from = from.Elem()
	}
	wrong := func() (any, error) {
		return nil, typeError(fmt.Sprintf("must be %s, is %s%s", kindWords(to.Type()), valueWords(from), mend(from, to)))
	}
	switch to.Kind() {
	case reflect.Bool, reflect.String:
		if from.Kind() != to.Kind() {
			return wrong()
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if !from.CanInt() {
			return wrong()
		}
		if to.OverflowInt(from.Int()) {
			return nil, typeError(fmt.Sprintf("%d is too large", from.Int()))
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		switch {
		case !from.CanInt():
			return wrong()
		case from.Int() < 0:
			return nil, typeError(fmt.Sprintf("%d is negative", from.Int()))
		case to.OverflowUint(uint64(from.Int())):
			return nil, typeError(fmt.Sprintf("%d is too large", from.Int()))
		}
	case reflect.Float32, reflect.Float64:
		if from.CanFloat() && (math.IsNaN(from.Float()) || math.IsInf(from.Float(), 0)) {
			return nil, typeError(fmt.Sprintf("%g is not a number to reckon with", from.Float()))
		}
		if !from.CanFloat() && !from.CanInt() {
			return wrong()
		}
	case reflect.Slice:
		if from.Kind() != reflect.Slice {
			return wrong()
		}
	case reflect.Struct, reflect.Map:
		if from.Kind() != reflect.Map {
			return wrong()
		}
	}
	return from.Interface(), nil
}

// kindWords says what a key takes, for messages and the reference.
func kindWords(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return kindWords(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		switch t.Elem().Kind() {
		case reflect.String:
			return "a list of texts"
		case reflect.Float32, reflect.Float64:
			return "a list of numbers"
		}
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a section"
	}
	return "a whole number"
}

func valueWords(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		return fmt.Sprintf("%t", v.Bool())
	case reflect.String:
		return fmt.Sprintf("the text %q", v.String())
	case reflect.Slice:
		return "a list"
	case reflect.Map:
		return "a section"
	case reflect.Int64, reflect.Float64:
		return fmt.Sprintf("the number %v", v)
	}
	return fmt.Sprintf("the date or time %v", v)
}

func mend(from, to reflect.Value) string {
	switch {
	case to.Kind() == reflect.Slice:
		return "; put brackets around it"
	case to.Kind() == reflect.String && from.Kind() != reflect.Slice && from.Kind() != reflect.Map:
		return "; put quotes around it"
	case from.Kind() == reflect.String && parses(from.String(), to.Type()):
		return "; write it without quotes"
	}
	return ""
}

func parses(text string, t reflect.Type) bool {
	_, err := parseScalar(text, t)
	return err == nil
}

// EnvironmentPrefix begins the names of the variables that override the file.
const EnvironmentPrefix = "TIMESTATION_"

// variable is the name of the one that overrides a key: TIMESTATION_CLOCK_DISCIPLINE.
func variable(section, key string) string {
	return EnvironmentPrefix + strings.ToUpper(section+"_"+key)
}

// override merges the environment into what was read from the file, and tells which variable set which key. An empty
// variable is as good as none. A variable that looks like one of ours and is not is refused: it would be believed to act.
func override(tree *viper.Viper, sections []section, environ []string) (map[string]string, error) {
	changed := map[string]string{}
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, EnvironmentPrefix) || text == "" {
			continue
		}
		for _, s := range sections {
			if !strings.HasPrefix(name, variable(s.name, "")) {
				continue
			}
			k, value, err := s.parseVariable(name, text)
			if err != nil {
				return nil, fmt.Errorf("environment %s: %w", name, err)
			}
			changed[s.name+"."+k] = name
			if err := tree.MergeConfigMap(map[string]any{s.name: map[string]any{k: value}}); err != nil {
				return nil, fmt.Errorf("environment %s: %w", name, err)
			}
		}
	}
	return changed, nil
}

func (s section) parseVariable(name, text string) (string, any, error) {
	if s.repeated {
		return "", nil, fmt.Errorf("[[%s]] is a list, which only the file can hold; unset the variable", s.name)
	}
	var names []string
	for _, k := range keysOf(s.target) {
		if variable(s.name, k.name) == name {
			if !k.scalar() {
				return "", nil, fmt.Errorf("%s.%s is %s, which only the file can hold; unset the variable",
					s.name, k.name, kindWords(k.value.Type()))
			}
			value, err := parseScalar(text, k.value.Type())
			if err != nil {
				return "", nil, fmt.Errorf("%s.%s: must be %s, is %q", s.name, k.name, kindWords(k.value.Type()), text)
			}
			return k.name, value, nil
		}
		names = append(names, variable(s.name, k.name))
	}
	return "", nil, fmt.Errorf("there is no such key in [%s]%s", s.name, suggest(name, names))
}

// parseScalar reads a value from text as the TOML decoder would have given it.
func parseScalar(text string, t reflect.Type) (any, error) {
	switch t.Kind() {
	case reflect.Pointer:
		return parseScalar(text, t.Elem())
	case reflect.Bool:
		return strconv.ParseBool(text)
	case reflect.String:
		return text, nil
	case reflect.Float32, reflect.Float64:
		return strconv.ParseFloat(text, 64)
	}
	return strconv.ParseInt(text, 10, 64)
}
