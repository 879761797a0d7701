package remote

import (
	"math"
	"slices"
	"strings"

	"github.com/klauspost/compress/s2"
	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of prometheus.WriteRequest and its parts (prompb/types.proto and remote.proto of remote write 1.0).
const (
	requestTimeSeries = 1
	seriesLabels      = 1
	seriesSamples     = 2
	labelName         = 1
	labelValue        = 2
	sampleValue       = 1
	sampleTimestamp   = 2
)

type label struct{ name, value string }

// request is a WriteRequest as it grows: the samples of each series stand together, in the order in which they came.
type request struct {
	samples int
	index   map[string]int // by encoded labels
	series  []series
}

type series struct{ labels, samples []byte }

// add appends one sample. Labels without a value are left out, as the protocol asks; no name may stand twice.
func (r *request) add(metric string, labels []label, timestampMS int64, value float64) {
	encoded := encodeLabels(append([]label{{"__name__", metric}}, labels...))
	i, ok := r.index[string(encoded)]
	if !ok {
		if r.index == nil {
			r.index = map[string]int{}
		}
		i = len(r.series)
		r.index[string(encoded)] = i
		r.series = append(r.series, series{labels: encoded})
	}
	var sample []byte
	sample = protowire.AppendTag(sample, sampleValue, protowire.Fixed64Type)
	sample = protowire.AppendFixed64(sample, math.Float64bits(value))
	sample = protowire.AppendTag(sample, sampleTimestamp, protowire.VarintType)
	sample = protowire.AppendVarint(sample, uint64(timestampMS))
	r.series[i].samples = appendMessage(r.series[i].samples, seriesSamples, sample)
	r.samples++
}

func encodeLabels(labels []label) (b []byte) {
	slices.SortFunc(labels, func(a, b label) int { return strings.Compare(a.name, b.name) })
	for _, l := range labels {
		if l.value == "" {
			continue
		}
		var one []byte
		one = protowire.AppendTag(one, labelName, protowire.BytesType)
		one = protowire.AppendString(one, l.name)
		one = protowire.AppendTag(one, labelValue, protowire.BytesType)
		one = protowire.AppendString(one, l.value)
		b = appendMessage(b, seriesLabels, one)
	}
	return b
}

func appendMessage(b []byte, field protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), message)
}

// body is the request as it is sent: protobuf in one block of snappy.
func (r *request) body() []byte {
	var b []byte
	for _, s := range r.series {
		b = appendMessage(b, requestTimeSeries, slices.Concat(s.labels, s.samples))
	}
	return s2.EncodeSnappy(nil, b)
}
