// Serves /service/resource/outcome on PORT: one call of AWS, 200 if it succeeds, else 502.
//
// TRACER is xray (the X-Ray SDK) or otel (OpenTelemetry); AWS_SDK is v1 or v2.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// caller makes one call of AWS.
type caller func(ctx context.Context, service, resource, outcome string) error

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	tracing := newTracing(ctx, os.Getenv("TRACER"))
	var call caller
	if os.Getenv("AWS_SDK") == "v1" {
		call = newV1(tracing)
	} else {
		call = newV2(ctx, tracing)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.Split(r.URL.Path, "/")
		if err := call(r.Context(), path[1], path[2], path[3]); err != nil {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: tracing.server(handler)}
	go func() {
		<-ctx.Done()
		server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	tracing.close(context.Background())
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
