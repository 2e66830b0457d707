// OpenTelemetry's SDK with the instrumentations of http and the AWS SDK.

const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto')
const { AwsInstrumentation } = require('@opentelemetry/instrumentation-aws-sdk')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { NodeSDK } = require('@opentelemetry/sdk-node')

const sdk = new NodeSDK({
  traceExporter: new OTLPTraceExporter(),
  instrumentations: [
    // The SDK's own HTTP requests are part of its call.
    new AwsInstrumentation({ suppressInternalInstrumentation: true }),
    new HttpInstrumentation(),
  ],
})
sdk.start()
globalThis.stopTracing = () => sdk.shutdown().then(() => process.exit(0))
