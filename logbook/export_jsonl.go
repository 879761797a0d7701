package logbook

import (
	"encoding/json"
	"io"
	"math"
)

func init() {
	registerTable("jsonl", "JSON Lines: one object a row, its keys are the CSV's columns; what is not known is null", true,
		newJSONLines)
}

type jsonTable struct {
	w       io.Writer
	fields  []field
	options ExportOptions
	line    []byte
}

func newJSONLines(w io.Writer, fields []field, o ExportOptions) table {
	return &jsonTable{w: w, fields: fields, options: o}
}

func (t *jsonTable) write(values []value) error {
	b := t.line[:0]
	for i, v := range values {
		f := t.fields[i]
		separator := byte(',')
		if i == 0 {
			separator = '{'
		}
		b = append(append(append(b, separator, '"'), f.name...), '"', ':')
		switch {
		case !v.known, f.kind == kindReal && (math.IsNaN(v.real) || math.IsInf(v.real, 0)): // JSON has no such numbers
			b = append(b, "null"...)
		case f.kind == kindText:
			quoted, err := json.Marshal(v.text)
			if err != nil {
				return err
			}
			b = append(b, quoted...)
		case f.kind == kindMoment && !t.options.MJD:
			b = append(appendPlain(append(b, '"'), f.kind, v, t.options), '"')
		default:
			b = appendPlain(b, f.kind, v, t.options)
		}
	}
	t.line = append(b, '}', '\n')
	_, err := t.w.Write(t.line)
	return err
}

func (t *jsonTable) close() error { return nil }
