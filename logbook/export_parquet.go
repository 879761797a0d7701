package logbook

import (
	"io"

	"github.com/parquet-go/parquet-go"
)

func init() {
	registerTable("parquet", "Apache Parquet, for pandas, DuckDB, Spark and the like; times as UTC timestamps in nanoseconds",
		false, newParquet)
}

// rowGroup is how many rows are held in memory until they are written: some 5 MB.
const rowGroup = 1 << 15

type parquetTable struct {
	w      *parquet.GenericWriter[any]
	fields []field
	row    parquet.Row
}

func newParquet(w io.Writer, fields []field, _ ExportOptions) table {
	columns := parquet.Group{}
	for _, f := range fields {
		columns[f.name] = parquet.Optional(parquetNode(f.kind))
	}
	schema := parquet.NewSchema("logbook", inOrder{columns, fields})
	return &parquetTable{fields: fields, row: make(parquet.Row, len(fields)), w: parquet.NewGenericWriter[any](w, schema,
		parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(rowGroup))}
}

func parquetNode(k kind) parquet.Node {
	switch k {
	case kindMoment:
		return parquet.Encoded(parquet.Timestamp(parquet.Nanosecond), &parquet.DeltaBinaryPacked)
	case kindText:
		return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	case kindInteger:
		return parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked)
	case kindReal:
		return parquet.Leaf(parquet.DoubleType)
	default:
		return parquet.Leaf(parquet.BooleanType)
	}
}

// inOrder is a group whose columns stand in the order of the table; a plain one sorts them by name.
type inOrder struct {
	parquet.Group
	fields []field
}

func (g inOrder) Fields() []parquet.Field {
	named := map[string]parquet.Field{}
	for _, f := range g.Group.Fields() {
		named[f.Name()] = f
	}
	ordered := make([]parquet.Field, len(g.fields))
	for i, f := range g.fields {
		ordered[i] = named[f.name]
	}
	return ordered
}

func (t *parquetTable) write(values []value) error {
	for i, v := range values {
		if !v.known {
			t.row[i] = parquet.NullValue().Level(0, 0, i)
			continue
		}
		t.row[i] = parquetValue(t.fields[i].kind, v).Level(0, 1, i)
	}
	_, err := t.w.WriteRows([]parquet.Row{t.row})
	return err
}

func parquetValue(k kind, v value) parquet.Value {
	switch k {
	case kindMoment: // in a leap second the count of the second before it is repeated: Parquet has no 23:59:60
		return parquet.Int64Value(v.moment.Seconds*1e9 + int64(v.moment.Nanoseconds))
	case kindText:
		return parquet.ByteArrayValue([]byte(v.text))
	case kindInteger:
		return parquet.Int64Value(v.integer)
	case kindReal:
		return parquet.DoubleValue(v.real)
	default:
		return parquet.BooleanValue(v.boolean)
	}
}

func (t *parquetTable) close() error { return t.w.Close() }
