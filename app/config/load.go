package config

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/viper"

	"timestation/display"
	"timestation/display/studio"
	"timestation/engine/feed"
	"timestation/engine/serve"
	"timestation/refclock"
)

// FileName is what a configuration file is called.
const FileName = "timestation.toml"

// Find looks for the configuration where a user would put it: the working folder, the user's configuration folder and
// /etc/timestation. It gives the first that exists; otherwise the error is fs.ErrNotExist and tried lists the places.
func Find() (path string, tried []string, err error) {
	tried = []string{FileName}
	if dir, err := os.UserConfigDir(); err == nil {
		tried = append(tried, filepath.Join(dir, "timestation", FileName))
	}
	tried = append(tried, filepath.Join("/etc/timestation", FileName))
	for _, p := range tried {
		if _, err := os.Stat(p); !errors.Is(err, fs.ErrNotExist) {
			return p, tried, nil
		}
	}
	return "", tried, fmt.Errorf("no configuration: %w in %s", fs.ErrNotExist, strings.Join(tried, ", "))
}

// Load reads a configuration, applies the environment's overrides and refuses what is unknown, of the wrong type or
// impossible: one line with the file (or the variable), the key, the reason and the mend.
func Load(path string) (*Config, error) {
	cfg := Default()
	sections := cfg.sections()
	tree, err := read(path, sections)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	changed, err := override(tree, sections, os.Environ())
	if err != nil {
		return nil, err
	}
	err = cfg.decode(tree, sections)
	if err == nil {
		err = cfg.Validate()
	}
	if err != nil {
		key, _, _ := strings.Cut(err.Error(), ":")
		if variable, ok := changed[key]; ok {
			return nil, fmt.Errorf("environment %s: %w", variable, err)
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	cfg.Origin, err = origin(path, changed)
	return &cfg, err
}

// LoadDisplay reads only the [display] section of a configuration, for a screen that is a process of its own; what stands in
// the other sections is the station's business.
func LoadDisplay(path string) (display.Config, error) {
	cfg := Default()
	sections := cfg.sections()
	tree, err := read(path, sections)
	if err != nil {
		return cfg.Display, fmt.Errorf("%s: %w", path, err)
	}
	if _, err := override(tree, sections, os.Environ()); err != nil {
		return cfg.Display, err
	}
	table, _ := tree.Get("display").(map[string]any)
	err = decode(table, "display.", sections, &cfg.Display)
	if err == nil {
		if err = cfg.Display.Validate(); err != nil {
			err = fmt.Errorf("display.%w", err)
		}
	}
	if err != nil {
		return cfg.Display, fmt.Errorf("%s: %w", path, err)
	}
	return cfg.Display, nil
}

// origin says where a configuration came from so that it can be told apart from any other, months later.
func origin(path string, changed map[string]string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("sha256 %x of %s", sha256.Sum256(data), path)
	for _, key := range slices.Sorted(maps.Keys(changed)) {
		text += fmt.Sprintf(", %s=%q", changed[key], os.Getenv(changed[key]))
	}
	return text, nil
}

// read gives the sections of a file; each is there and has the right shape: a table, or a list of tables.
func read(path string, sections []section) (*viper.Viper, error) {
	parser := &strictTOML{}
	v := viper.NewWithOptions(viper.WithDecoderRegistry(parser))
	v.SetConfigFile(path)
	v.SetConfigType("toml")
	if err := v.ReadInConfig(); err != nil {
		return nil, readError(err)
	}
	byName := map[string]section{}
	var names []string
	for _, s := range sections {
		byName[s.name] = s
		names = append(names, s.name)
	}
	for _, name := range sortedKeys(parser.tree) {
		s, ok := byName[name]
		if !ok {
			return nil, unknownSection(name, parser.tree[name], sections, names)
		}
		if err := s.shape(parser.tree[name]); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func readError(err error) error {
	var parse viper.ConfigParseError
	var path *fs.PathError
	switch {
	case errors.As(err, &parse):
		return parse.Unwrap()
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file; make one with: timestation init")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("permission denied; let this user read it, or run the station as the user it belongs to")
	case errors.As(err, &path):
		return fmt.Errorf("cannot be read: %w", path.Err)
	}
	return err
}

func unknownSection(name string, value any, sections []section, names []string) error {
	if _, table := value.(map[string]any); !table {
		if _, list := value.([]any); !list {
			return fmt.Errorf("%s: stands outside of any section%s", bare(name), elsewhere(name, sections))
		}
	}
	return fmt.Errorf("%s: unknown section%s", bare(name), suggest(name, names))
}

// shape tells whether the file wrote the section as what it is.
func (s section) shape(value any) error {
	_, table := value.(map[string]any)
	list, isList := value.([]any)
	switch {
	case !s.repeated && !table:
		return fmt.Errorf("%s: must be one section; write [%[1]s] on a line of its own", s.name)
	case s.repeated && !isList:
		return fmt.Errorf("%s: may stand more than once; write [[%[1]s]] with two brackets", s.name)
	}
	for _, item := range list {
		if _, ok := item.(map[string]any); !ok {
			return fmt.Errorf("%s: must be sections; write [[%[1]s]] on a line of its own", s.name)
		}
	}
	return nil
}

// decode fills the configuration from the sections.
func (c *Config) decode(tree *viper.Viper, sections []section) error {
	for _, s := range sections {
		if s.repeated {
			continue
		}
		table, _ := tree.Get(s.name).(map[string]any)
		if err := decode(table, s.name+".", sections, s.target); err != nil {
			return err
		}
	}
	clocks, _ := tree.Get("refclock").([]any)
	for i, item := range clocks {
		r, err := decodeRefclock(item.(map[string]any), i+1, sections)
		if err != nil {
			return err
		}
		c.Refclocks = append(c.Refclocks, r)
	}
	listeners, _ := tree.Get("listener").([]any)
	for i, item := range listeners {
		l := serve.DefaultConfig()
		if err := decode(item.(map[string]any), fmt.Sprintf("listener[%d].", i+1), sections, &l); err != nil {
			return err
		}
		c.Listeners = append(c.Listeners, l)
	}
	feeds, _ := tree.Get("feed").([]any)
	for i, item := range feeds {
		f := feed.DefaultConfig()
		if err := decode(item.(map[string]any), fmt.Sprintf("feed[%d].", i+1), sections, &f); err != nil {
			return err
		}
		c.Feeds = append(c.Feeds, f)
	}
	places, _ := tree.Get("notify").([]any)
	for i, item := range places {
		p, err := decodePlace(item.(map[string]any), i+1, sections)
		if err != nil {
			return err
		}
		c.Notify = append(c.Notify, p)
	}
	if lights, _ := tree.Get("light").([]any); len(lights) > 0 {
		c.Lights = nil
		for i, item := range lights {
			l := studio.DefaultLight()
			if err := decode(item.(map[string]any), fmt.Sprintf("light[%d].", i+1), sections, &l); err != nil {
				return err
			}
			c.Lights = append(c.Lights, l)
		}
	}
	return nil
}

// decodeRefclock fills one source; number counts from 1.
func decodeRefclock(table map[string]any, number int, sections []section) (Refclock, error) {
	where := fmt.Sprintf("refclock[%d].", number)
	if name, ok := table["name"].(string); ok {
		where = fmt.Sprintf("refclock %q: ", name)
	}
	var r Refclock
	name, ok := table["driver"]
	if !ok {
		return r, fmt.Errorf("%sdriver: is missing; write one of %s", where, driverList())
	}
	if name, ok := name.(string); ok {
		registration, known := refclock.Lookup(name)
		if !known {
			return r, fmt.Errorf("%sdriver: %q is not known; write one of %s", where, name, driverList())
		}
		r.Config = registration.NewConfig()
	}
	if err := decode(table, where, sections, &r, r.Config); err != nil {
		return r, err
	}
	if _, given := table["name"]; !given {
		r.Name = r.Driver
	}
	if _, given := table["receiver"]; !given {
		r.Receiver = r.Name
	}
	return r, nil
}

// strictTOML is viper's decoder. It keeps what viper would lose without a word: viper lower-cases keys, so that of Name
// and name one would vanish, and forgets empty sections.
type strictTOML struct{ tree map[string]any }

// Decoder makes it viper's registry of decoders as well: there is no other format.
func (t *strictTOML) Decoder(string) (viper.Decoder, error) { return t, nil }

func (t *strictTOML) Decode(text []byte, into map[string]any) error {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // editors on Windows begin a file with this mark
	if err := toml.Unmarshal(text, &into); err != nil {
		var at *toml.DecodeError
		reason := strings.TrimPrefix(err.Error(), "toml: ")
		if errors.As(err, &at) {
			row, column := at.Position()
			return fmt.Errorf("line %d, column %d: %s", row, column, oneLine(reason))
		}
		return errors.New(oneLine(reason))
	}
	t.tree = into
	return lowerCase("", into)
}

func lowerCase(where string, value any) error {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range sortedKeys(v) {
			if lower := strings.ToLower(key); lower != key {
				return fmt.Errorf("%s%s: keys are written in lower case: %s", where, bare(key), bare(lower))
			}
			if err := lowerCase(where+bare(key)+".", v[key]); err != nil {
				return err
			}
		}
	case []any:
		for i, item := range v {
			if err := lowerCase(fmt.Sprintf("%s[%d].", strings.TrimSuffix(where, "."), i+1), item); err != nil {
				return err
			}
		}
	}
	return nil
}

func sortedKeys(m map[string]any) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// bare writes a key as the file would: in quotes only if it needs them.
func bare(key string) string {
	strange := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-')
	}
	if key == "" || strings.ContainsFunc(key, strange) {
		return strconv.Quote(key)
	}
	return key
}

// oneLine writes out what would break a line or not be seen.
func oneLine(text string) string {
	quoted := strconv.Quote(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
