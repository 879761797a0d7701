package logbook

import (
	"encoding/csv"
	"io"
)

func init() {
	registerTable("csv", "comma-separated values with a header line, for spreadsheets and scripts", true, newCSV)
}

type csvTable struct {
	w       *csv.Writer
	fields  []field
	options ExportOptions
	record  []string
	scratch []byte
}

// newCSV writes after RFC 4180, with line feeds alone, as every reader takes them. What is not known is empty.
func newCSV(w io.Writer, fields []field, o ExportOptions) table {
	t := &csvTable{w: csv.NewWriter(w), fields: fields, options: o, record: make([]string, len(fields))}
	for i, f := range fields {
		t.record[i] = f.name
	}
	t.w.Write(t.record) // an error stays with the writer, and close returns it
	return t
}

func (t *csvTable) write(values []value) error {
	for i, v := range values {
		t.record[i] = ""
		if v.known {
			t.scratch = appendPlain(t.scratch[:0], t.fields[i].kind, v, t.options)
			t.record[i] = string(t.scratch)
		}
	}
	return t.w.Write(t.record)
}

func (t *csvTable) close() error {
	t.w.Flush()
	return t.w.Error()
}
