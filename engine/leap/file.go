package leap

import (
	"fmt"
	"io"
	"os"
)

// SystemList is where Debian's tzdata keeps the list.
const SystemList = "/usr/share/zoneinfo/leap-seconds.list"

// most bounds what is read of a file; the list is below 10 kB.
const most = 1 << 20

// Load reads a list from disk and checks it: its signature, and that it tells the same past as the embedded one.
func Load(path string) (*Table, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	table, err := Parse(io.LimitReader(file, most))
	if err != nil {
		return nil, fmt.Errorf("%s: %w; update tzdata, or take the file from https://hpiers.obspm.fr/iers/bul/bulc/ntp/leap-seconds.list", path, err)
	}
	if err := table.agrees(Embedded()); err != nil {
		return nil, fmt.Errorf("%s: %w; it is not used", path, err)
	}
	return table, nil
}

// agrees tells whether two lists say the same of the time that both of them know.
func (t *Table) agrees(known *Table) error {
	shorter := min(len(t.entries), len(known.entries))
	for i := range shorter {
		if t.entries[i] != known.entries[i] {
			return fmt.Errorf("its line for TAI−UTC %d contradicts the list the program was built with", t.entries[i].taiMinusUTC)
		}
	}
	longer, before := t, known
	if len(known.entries) > len(t.entries) {
		longer, before = known, t
	}
	if len(longer.entries) > shorter && longer.entries[shorter].from < before.Updated {
		return fmt.Errorf("it does not have the leap seconds of the list the program was built with")
	}
	for i := range t.entries[1:] {
		if step := t.entries[i+1].taiMinusUTC - t.entries[i].taiMinusUTC; step != 1 && step != -1 {
			return fmt.Errorf("TAI−UTC changes by %d s in it", step)
		}
	}
	return nil
}

// Newest gives the list that was updated last of the embedded one and those files that exist, and where it is from: a
// path, or "embedded". refused says, a line each, which files were there and could not be used.
func Newest(paths ...string) (table *Table, from string, refused []error) {
	table, from = Embedded(), "embedded"
	for _, path := range paths {
		switch other, err := Load(path); {
		case os.IsNotExist(err):
		case err != nil:
			refused = append(refused, err)
		case other.Updated > table.Updated:
			table, from = other, path
		}
	}
	return table, from, refused
}
