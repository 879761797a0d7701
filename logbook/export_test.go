package logbook

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"timestation/refclock"
)

func exportAs(t testing.TB, dir, format string, q Query, o ExportOptions) string {
	t.Helper()
	var out bytes.Buffer
	if err := Export(t.Context(), openRead(t, dir), format, q, o, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestExportGolden holds what each text format says of the known series. (csv without options: TestExportCSV.)
func TestExportGolden(t *testing.T) {
	dir := t.TempDir()
	knownSeries(t, dir)
	for _, c := range []struct {
		golden, format string
		query          Query
		options        ExportOptions
	}{
		{"series-mjd.csv", "csv", Query{}, ExportOptions{MJD: true}},
		{"series-minute.csv", "csv", Query{Resolution: Minute}, ExportOptions{}},
		{"series.jsonl", "jsonl", Query{}, ExportOptions{}},
		{"series-mjd.jsonl", "jsonl", Query{}, ExportOptions{MJD: true}},
		{"series.loopstats", "loopstats", Query{}, ExportOptions{}},
		{"series.peerstats", "peerstats", Query{}, ExportOptions{}},
		{"series.clockstats", "clockstats", Query{}, ExportOptions{}},
	} {
		got := exportAs(t, dir, c.format, c.query, c.options)
		golden := filepath.Join("testdata", c.golden)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got:\n%s\nwant:\n%s", c.golden, got, want)
		}
	}
}

// A JSON line says what the CSV line says, under the same names and in the same order.
func TestJSONLinesAreTheCSV(t *testing.T) {
	dir := t.TempDir()
	knownSeries(t, dir)
	table, err := csv.NewReader(strings.NewReader(exportAs(t, dir, "csv", Query{}, ExportOptions{}))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	lines := json.NewDecoder(strings.NewReader(exportAs(t, dir, "jsonl", Query{}, ExportOptions{})))
	lines.UseNumber()
	for n, record := range table[1:] {
		var object map[string]any
		if err := lines.Decode(&object); err != nil {
			t.Fatalf("line %d: %v", n+1, err)
		}
		if len(object) != len(record) {
			t.Errorf("line %d has %d keys, want %d", n+1, len(object), len(record))
		}
		for i, want := range record {
			got := ""
			if v := object[table[0][i]]; v != nil {
				got = fmt.Sprint(v)
			}
			if got != want {
				t.Errorf("line %d, %s: %q, the CSV has %q", n+1, table[0][i], got, want)
			}
		}
	}
	if lines.More() {
		t.Error("more lines than the CSV has")
	}
}

// A Parquet file, read back, has the CSV's columns in their order, with types, nulls and every digit.
func TestParquetIsTheCSV(t *testing.T) {
	dir := t.TempDir()
	knownSeries(t, dir)
	table, err := csv.NewReader(strings.NewReader(exportAs(t, dir, "csv", Query{}, ExportOptions{}))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	data := exportAs(t, dir, "parquet", Query{}, ExportOptions{})
	if !strings.HasPrefix(data, "PAR1") || !strings.HasSuffix(data, "PAR1") {
		t.Errorf("not Parquet: begins %q", data[:4])
	}
	file, err := parquet.OpenFile(strings.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, column := range file.Schema().Columns() {
		names = append(names, strings.Join(column, "."))
	}
	if got, want := strings.Join(names, ","), strings.Join(table[0], ","); got != want {
		t.Errorf("columns %s, want %s", got, want)
	}
	if got := file.Schema().Fields()[0].Type().String(); !strings.HasPrefix(got, "TIMESTAMP(isAdjustedToUTC=true,unit=NANOS)") {
		t.Errorf("the time is %s", got)
	}
	reader := parquet.NewReader(file)
	defer reader.Close()
	rows := make([]parquet.Row, len(table))
	n, err := reader.ReadRows(rows)
	if err != nil && err != io.EOF || n != len(table)-1 {
		t.Fatalf("%d rows, want %d: %v", n, len(table)-1, err)
	}
	for n, record := range table[1:] {
		for i, want := range record {
			got := ""
			switch v := rows[n][i]; {
			case v.IsNull():
			case i == 0:
				got = time.Unix(0, v.Int64()).UTC().Format("2006-01-02T15:04:05.000000000Z")
			case rowColumns[i].kind == kindReal:
				got = decimalText(v.Double())
			default:
				got = v.String()
			}
			if got != want {
				t.Errorf("row %d, %s: %q, the CSV has %q", n+1, table[0][i], got, want)
			}
		}
	}
}

func decimalText(v float64) string {
	return string(appendPlain(nil, kindReal, value{real: v}, ExportOptions{}))
}

func TestMJD(t *testing.T) {
	for _, c := range []struct {
		utc  refclock.UTC
		want string
	}{
		{refclock.Date(1858, time.November, 17, 0, 0, 0, 0), "0.000000000000000"},
		{refclock.Date(1969, time.December, 31, 18, 0, 0, 0), "40586.750000000000000"},
		{refclock.Date(2000, time.January, 1, 12, 0, 0, 0), "51544.500000000000000"}, // J2000.0
		{refclock.Date(2026, time.November, 22, 23, 59, 59, 999999999), "61366.999999999999988"},
		{refclock.Date(2016, time.December, 31, 23, 59, 60, 0), "57753.999988425925926"}, // as 23:59:59
	} {
		if got := string(appendMJD(nil, c.utc)); got != c.want {
			t.Errorf("%v: %s, want %s", c.utc, got, c.want)
		}
	}
}

// A format that cannot follow an option says so before anything is written.
func TestExportRefusals(t *testing.T) {
	for _, c := range []struct {
		format  string
		query   Query
		options ExportOptions
		want    string
	}{
		{"parquet", Query{}, ExportOptions{MJD: true}, "mjd"}, {"loopstats", Query{}, ExportOptions{MJD: true}, "mjd"},
		{"peerstats", Query{Resolution: Hour}, ExportOptions{}, "resolution"},
		{"clockstats", Query{Resolution: Auto}, ExportOptions{}, "resolution"},
	} {
		var out bytes.Buffer
		err := Export(t.Context(), nil, c.format, c.query, c.options, &out)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "csv") || out.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", c.format, err, out.Len())
		}
	}
}

// ntpviz looks the name of a source up when it begins with a digit, and makes it a part of a file's name.
func TestNTPNames(t *testing.T) {
	for _, c := range []struct{ driver, source, want string }{
		{"gps", "gps0", "GPS(gps0)"}, {"gps", "127.127.20.0", "GPS(127_127_20_0)"}, {"", "x", "CLOCK(x)"},
		{"dcf77", "../Küche 2", "DCF77(___K_che_2)"}, {"9x", "a", "CLOCK9X(a)"},
	} {
		if got := ntpName(Row{Driver: c.driver, Source: c.source}); got != c.want {
			t.Errorf("%q, %q: %s, want %s", c.driver, c.source, got, c.want)
		}
	}
}

// TestExportMemory holds every format to constant memory: what it keeps after many rows is what it keeps after a few.
func TestExportMemory(t *testing.T) {
	const few, many = 2 * rowGroup, 8 * rowGroup
	const slack = 4 << 20 // buffers of different fill, and Parquet's footer; the rows are some 30 MB
	heap := func() uint64 {
		runtime.GC() // twice: pools keep what was in use until the second
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for _, f := range Formats() {
		e := f.Rows(io.Discard, ExportOptions{})
		var before uint64
		for i := range many {
			if i == few+rowGroup/2 { // in the midst of a row group, as at the end
				before = heap()
			}
			if err := e.Write(memoryRow(i)); err != nil {
				t.Fatal(err)
			}
			if i == many-rowGroup/2 {
				after := heap()
				t.Logf("%s: %d kB held after %d rows, %d kB after %d", f.Name, before>>10, few, after>>10, many)
				if after > before+slack {
					t.Errorf("%s: %d bytes held after %d rows, %d after %d", f.Name, before, few, after, many)
				}
			}
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// memoryRow is a row whose figures do not compress.
func memoryRow(i int) Row {
	noise := func(k int) float64 { return float64((i*7919+k*104729)%1000003) * 1e-9 }
	return Row{
		Moment: Moment{UTC: began.Add(time.Duration(i) * time.Second).UTC(), Known: true, TAIMinusUTC: 37,
			Local: refclock.Stamp(i * 1e9)},
		Source: "gps0", Driver: "gps", Receiver: "hat", State: "selected",
		OffsetSeconds: some(noise(1)), FrequencyPPM: some(noise(2)), JitterSeconds: some(noise(3)),
		MaxErrorSeconds: some(noise(4)), AgeSeconds: some(noise(5)), Selected: some(true),
		SatellitesUsed: some(int64(i % 13)), SatellitesInView: some(int64(i % 17)), CN0MeanDBHz: some(noise(6)),
	}
}
