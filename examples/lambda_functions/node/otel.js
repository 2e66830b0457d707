// What OpenTelemetry's layer for Node.js loads before the handler: the SDK and two instrumentations.

const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto')
const { AwsLambdaInstrumentation } = require('@opentelemetry/instrumentation-aws-lambda')
const { AwsInstrumentation } = require('@opentelemetry/instrumentation-aws-sdk')
const { AWSXRayLambdaPropagator } = require('@opentelemetry/propagator-aws-xray-lambda')
const { NodeSDK } = require('@opentelemetry/sdk-node')

new NodeSDK({
  traceExporter: new OTLPTraceExporter(),
  textMapPropagator: new AWSXRayLambdaPropagator(),
  instrumentations: [
    new AwsLambdaInstrumentation(),
    new AwsInstrumentation({ suppressInternalInstrumentation: true }),
  ],
}).start()
