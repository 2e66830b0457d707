// Two services in one Node.js process that send what a checkout did with OpenTelemetry's exporters.
//
//     npm ci
//     OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:2000 node checkout.mjs http/json
//     OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317 node checkout.mjs grpc
//
// The exporters are set up as anyone's are, by their environment variables alone
// (OTEL_EXPORTER_OTLP_COMPRESSION=gzip packs the bodies). `MARK=x` goes behind every name;
// `BROKEN=1` gives one span in the middle an id that names nothing. Exits 1 when a batch is lost.

import { context, diag, DiagLogLevel, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, RandomIdGenerator, TracerProvider } from '@opentelemetry/sdk-trace'

const EXPORTERS = { grpc: GrpcExporter, 'http/json': JsonExporter, 'http/protobuf': ProtobufExporter }
const Exporter = EXPORTERS[process.argv[2]]
if (!Exporter) {
  console.error(`usage: node checkout.mjs ${Object.keys(EXPORTERS).join('|')}`)
  process.exit(2)
}
const mark = process.env.MARK ? `-${process.env.MARK}` : ''

let lost = false
const logger = {
  error: (...words) => {
    lost = true
    console.error(...words)
  },
  warn: (...words) => console.error(...words),
}
diag.setLogger({ ...logger, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN)

// An id that names nothing, as a careless generator makes them.
let spoilt = false
const random = new RandomIdGenerator()
const idGenerator = {
  generateTraceId: () => random.generateTraceId(),
  generateSpanId: () => (spoilt ? '0000000000000000' : random.generateSpanId()),
}

function service(name) {
  const own = resourceFromAttributes({ 'service.name': name + mark, 'service.version': '2.1.0' })
  return new TracerProvider({
    resource: defaultResource().merge(own),
    spanProcessors: [new BatchSpanProcessor({ exporter: new Exporter() })],
    idGenerator,
  })
}

const providers = { checkout: service('node-checkout'), stock: service('node-stock') }
const tracers = {
  checkout: providers.checkout.getTracer('examples/otel_node', '0.1.0'),
  stock: providers.stock.getTracer('examples/otel_node', '0.1.0'),
}

// A span below another, for as long as `work` takes.
function within(tracer, parent, name, kind, attributes, work = () => {}) {
  const span = tracer.startSpan(name, { kind, attributes }, parent)
  try {
    work(trace.setSpan(parent, span), span)
  } finally {
    span.end()
  }
}

function checkout(order) {
  const http = { 'http.request.method': 'POST', 'url.path': '/checkout', 'http.response.status_code': 201 }
  const { CLIENT, INTERNAL, PRODUCER, SERVER } = SpanKind
  within(tracers.checkout, context.active(), 'POST /checkout', SERVER, { ...http, order }, (request) => {
    within(tracers.checkout, request, 'price', INTERNAL, { 'cart.total': 12.5, 'cart.gift': true })
    const call = { 'http.request.method': 'GET', 'server.address': 'stock.internal' }
    within(tracers.checkout, request, 'GET', CLIENT, { ...call, 'http.response.status_code': 500 }, stock)
    const cache = { 'db.system.name': 'redis', 'server.address': 'cache.internal' + mark }
    within(tracers.checkout, request, 'GET', CLIENT, cache)
    spoilt = Boolean(process.env.BROKEN)
    within(tracers.checkout, request, 'lost', INTERNAL, {})
    spoilt = false
    const charge = { 'server.address': 'payments.example.com' + mark, 'http.response.status_code': 429 }
    within(tracers.checkout, request, 'POST', CLIENT, charge)
    const topic = { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' + mark }
    within(tracers.checkout, request, 'send orders', PRODUCER, topic)
  })
}

function stock(caller) {
  const http = { 'http.request.method': 'GET', 'url.path': '/stock', 'http.response.status_code': 500 }
  within(tracers.stock, caller, 'GET /stock', SpanKind.SERVER, http, (request, span) => {
    const query = { 'db.system.name': 'postgresql', 'db.namespace': 'stock' + mark, 'db.query.text': 'SELECT 1' }
    within(tracers.stock, request, 'SELECT', SpanKind.CLIENT, query, (_, select) => {
      select.recordException(new TypeError('the connection is gone'))
      select.setStatus({ code: SpanStatusCode.ERROR, message: 'the connection is gone' })
    })
    span.setStatus({ code: SpanStatusCode.ERROR })
  })
}

for (const order of [7, 8, 9]) checkout(order)
await Promise.all(Object.values(providers).map((provider) => provider.shutdown()))
process.exit(lost ? 1 : 0)
