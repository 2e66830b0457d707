#!/bin/bash
# Builds or fetches the peers into a folder: bench/peers/build.sh [FOLDER, default .peers]
# Needs Go 1.26, a JDK of 17 and Maven; ten minutes and 3 GB of caches.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
to=$(mkdir -p "${1:-.peers}" && cd "${1:-.peers}" && pwd)
CORE=v0.165.0 CONTRIB=v0.165.1 JAEGER=v1.76.0 ZIPKIN=3.5.1
export CGO_ENABLED=0

if [ ! -x "$to/otelcol" ]; then
  mkdir -p "$to/src/otelcol" && cd "$to/src/otelcol"
  cp "$here/otelcol/main.go" .
  [ -f go.mod ] || go mod init otelcol
  go get "go.opentelemetry.io/collector/otelcol@$CORE" \
    "go.opentelemetry.io/collector/receiver/otlpreceiver@$CORE" \
    "go.opentelemetry.io/collector/processor/batchprocessor@$CORE" \
    "github.com/open-telemetry/opentelemetry-collector-contrib/exporter/clickhouseexporter@$CONTRIB" \
    "github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter@$CONTRIB"
  go mod tidy
  go build -trimpath -ldflags='-s -w' -o "$to/otelcol" .
fi

if [ ! -x "$to/jaeger" ]; then
  mkdir -p "$to/src/jaeger" && cd "$to/src/jaeger"
  [ -f go.mod ] || go mod init jaeger
  go get -tool "github.com/jaegertracing/jaeger/cmd/jaeger@$JAEGER"
  go build -trimpath -ldflags='-s -w' -o "$to/jaeger" github.com/jaegertracing/jaeger/cmd/jaeger
fi

if [ ! -f "$to/zipkin.jar" ]; then
  mvn -q dependency:copy "-Dartifact=io.zipkin:zipkin-server:$ZIPKIN:jar:exec" \
    "-DoutputDirectory=$to" -Dmdep.stripVersion=true -Dmdep.stripClassifier=true
  mv "$to/zipkin-server.jar" "$to/zipkin.jar"
fi
ls -l "$to"
