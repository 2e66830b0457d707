package main

import (
	"context"
	"net/http"
	"os"

	v2 "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go/aws/client"
	"github.com/aws/aws-xray-sdk-go/instrumentation/awsv2"
	"github.com/aws/aws-xray-sdk-go/xray"
	"go.opentelemetry.io/contrib/instrumentation/github.com/aws/aws-sdk-go-v2/otelaws"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"
)

// tracing is what a tracer adds to a server and to the clients of each AWS SDK.
type tracing struct {
	server func(http.Handler) http.Handler
	v1     func(*client.Client)
	v2     func(*v2.Config)
	close  func(context.Context) error
}

func newTracing(ctx context.Context, tracer string) tracing {
	if tracer == "xray" {
		namer := xray.NewFixedSegmentNamer(os.Getenv("SERVICE"))
		return tracing{
			server: func(h http.Handler) http.Handler { return xray.Handler(namer, h) },
			v1:     func(c *client.Client) { xray.AWS(c) },
			v2:     func(c *v2.Config) { awsv2.AWSV2Instrumentor(&c.APIOptions) },
			close:  func(context.Context) error { return nil },
		}
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(must(otlptracehttp.New(ctx))))
	otel.SetTracerProvider(provider)
	return tracing{
		server: func(h http.Handler) http.Handler { return otelhttp.NewHandler(h, "shop") },
		v1:     traceV1,
		v2:     func(c *v2.Config) { otelaws.AppendMiddlewares(&c.APIOptions) },
		close:  provider.Shutdown,
	}
}
