// Command otlpreceiver is the OpenTelemetry collector's own receiver for OTLP over HTTP; what it takes it prints, a line of
// JSON each. Its argument is the address to listen on.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(address string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"http": map[string]any{"endpoint": address}}}).Unmarshal(config); err != nil {
		return err
	}
	metrics, err := consumer.NewMetrics(func(_ context.Context, m pmetric.Metrics) error {
		text, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(m)
		fmt.Printf("%s\n", text)
		return err
	})
	if err != nil {
		return err
	}
	logs, err := consumer.NewLogs(func(_ context.Context, l plog.Logs) error {
		text, err := (&plog.JSONMarshaler{}).MarshalLogs(l)
		fmt.Printf("%s\n", text)
		return err
	})
	if err != nil {
		return err
	}
	settings := receiver.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: componenttest.NewNopTelemetrySettings()}
	m, err := factory.CreateMetrics(ctx, settings, config, metrics)
	if err != nil {
		return err
	}
	l, err := factory.CreateLogs(ctx, settings, config, logs)
	if err != nil {
		return err
	}
	host := componenttest.NewNopHost()
	if err := m.Start(ctx, host); err != nil {
		return err
	}
	if err := l.Start(ctx, host); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
