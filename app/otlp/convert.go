package otlp

import (
	dto "github.com/prometheus/client_model/go"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
)

// convert turns Prometheus's counters, gauges and summaries into OTLP's; the station has no other kinds. Times are in
// nanoseconds since 1970.
func convert(families []*dto.MetricFamily, began, now uint64) (all []*metrics.Metric) {
	for _, f := range families {
		m := &metrics.Metric{Name: f.GetName(), Description: f.GetHelp()}
		switch f.GetType() {
		case dto.MetricType_COUNTER:
			sum := &metrics.Sum{
				IsMonotonic:            true,
				AggregationTemporality: metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE,
			}
			for _, x := range f.GetMetric() {
				sum.DataPoints = append(sum.DataPoints, point(x.GetLabel(), x.GetCounter().GetValue(), began, now))
			}
			m.Data = &metrics.Metric_Sum{Sum: sum}
		case dto.MetricType_GAUGE:
			gauge := &metrics.Gauge{}
			for _, x := range f.GetMetric() {
				gauge.DataPoints = append(gauge.DataPoints, point(x.GetLabel(), x.GetGauge().GetValue(), 0, now))
			}
			m.Data = &metrics.Metric_Gauge{Gauge: gauge}
		case dto.MetricType_SUMMARY:
			summary := &metrics.Summary{}
			for _, x := range f.GetMetric() {
				p := &metrics.SummaryDataPoint{
					Attributes:        attributes(x.GetLabel()),
					StartTimeUnixNano: began,
					TimeUnixNano:      now,
					Count:             x.GetSummary().GetSampleCount(),
					Sum:               x.GetSummary().GetSampleSum(),
				}
				for _, q := range x.GetSummary().GetQuantile() {
					p.QuantileValues = append(
						p.QuantileValues,
						&metrics.SummaryDataPoint_ValueAtQuantile{Quantile: q.GetQuantile(), Value: q.GetValue()},
					)
				}
				summary.DataPoints = append(summary.DataPoints, p)
			}
			m.Data = &metrics.Metric_Summary{Summary: summary}
		default:
			continue
		}
		all = append(all, m)
	}
	return all
}

func point(labels []*dto.LabelPair, value float64, began, now uint64) *metrics.NumberDataPoint {
	return &metrics.NumberDataPoint{
		Attributes:        attributes(labels),
		StartTimeUnixNano: began,
		TimeUnixNano:      now,
		Value:             &metrics.NumberDataPoint_AsDouble{AsDouble: value},
	}
}

func attributes(labels []*dto.LabelPair) (all []*common.KeyValue) {
	for _, l := range labels {
		all = append(all, text(l.GetName(), l.GetValue()))
	}
	return all
}
