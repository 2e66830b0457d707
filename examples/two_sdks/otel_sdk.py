"""The shop with OpenTelemetry: its SDK, exporter and propagator, and what its instrumentations write.

Kinds, attributes, statuses and events are those of the Python instrumentations of Flask, requests
and psycopg2 (stable semantic conventions), grpc and botocore (still older ones). Every service has
a provider of its own, as every process would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from grpc import StatusCode as Code
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace import Tracer as SpanTracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from examples.two_sdks.cloud import Database, Response
from examples.two_sdks.tracer import Parameters, Send, T
from examples.two_sdks.wire import Answer, Headers, Message, Request, RpcFailed

_PROPAGATOR = TraceContextTextMapPropagator()
_SERVER_FAULTS = (
    Code.UNKNOWN, Code.DEADLINE_EXCEEDED, Code.UNIMPLEMENTED, Code.INTERNAL, Code.UNAVAILABLE,
    Code.DATA_LOSS,
)  # fmt: skip
"""What grpc's instrumentation calls an error on the server's side; a client's is any but OK."""

Attributes = Mapping[str, str | int | list[str]]


class OtelSdk:
    """`Sdk` for an exporter, of which each service gets one."""

    def __init__(self, exporter: Callable[[], SpanExporter]) -> None:
        self._exporter = exporter
        self._providers: list[TracerProvider] = []

    def tracer(self, service: str) -> OtelTracer:
        resource = Resource.create({"service.name": service})
        provider = TracerProvider(resource=resource, sampler=ALWAYS_ON)
        provider.add_span_processor(BatchSpanProcessor(self._exporter()))
        self._providers.append(provider)
        return OtelTracer(provider.get_tracer("examples.two_sdks"))

    def close(self) -> None:
        for provider in self._providers:
            provider.shutdown()


def exporter(to: str, protocol: str) -> Callable[[], SpanExporter]:
    """OTLP's exporters: ``grpc`` to an http://host:port, ``http`` to the URL of the traces."""
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
            OTLPSpanExporter as GrpcExporter,
        )

        return lambda: GrpcExporter(endpoint=to, insecure=True)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
        OTLPSpanExporter as HttpExporter,
    )

    return lambda: HttpExporter(endpoint=to)


class OtelTracer:
    """`Tracer` of one service."""

    def __init__(self, tracer: SpanTracer) -> None:
        self._tracer = tracer

    def http_server(self, request: Request, handle: Callable[[], Answer]) -> Answer:
        attributes: Attributes = {
            "http.request.method": request.method,
            "http.route": request.path,
            "url.scheme": "http",
            "url.path": request.path,
            "url.query": "&".join(f"{key}={value}" for key, value in request.query.items()),
            "server.address": request.host,
            "server.port": 80,
            "client.address": "192.0.2.7",
            "network.protocol.version": "1.1",
            "user_agent.original": "visitor/1.0",
        }
        name = f"{request.method} {request.path}"
        with self._entering(name, SpanKind.SERVER, request.headers, attributes) as span:
            try:
                answer = handle()
            except Exception as error:
                span.record_exception(error)
                answer = Answer(500)
            _answered(span, answer.status_code, 500)
            return answer

    def http_client(self, request: Request, send: Send[Answer]) -> Answer:
        attributes: Attributes = {
            "http.request.method": request.method,
            "url.full": request.url,
            "server.address": request.host,
            "network.protocol.version": "1.1",
        }
        with self._calling(request.method, attributes) as span:
            try:
                answer = send(_headers())
            except Exception as error:
                span.set_attribute("error.type", type(error).__qualname__)
                raise
            _answered(span, answer.status_code, 400)
            return answer

    def rpc_server(self, method: str, headers: Headers, handle: Callable[[], None]) -> None:
        attributes = _rpc(method) | {"net.peer.ip": "127.0.0.1", "net.peer.name": "localhost"}
        with self._entering(method, SpanKind.SERVER, headers, attributes) as span:
            try:
                handle()
            except RpcFailed as failed:
                span.set_attribute("rpc.grpc.status_code", failed.code.value[0])
                if failed.code in _SERVER_FAULTS:
                    span.set_status(Status(StatusCode.ERROR, str(failed)))
                raise

    def rpc_client(self, host: str, method: str, send: Send[None]) -> None:
        with self._calling(method, _rpc(method)) as span:
            try:
                send(_headers())
            except RpcFailed as failed:
                span.set_attribute("rpc.grpc.status_code", failed.code.value[0])
                raise

    def sql(self, database: Database, statement: str, run: Callable[[], T]) -> T:
        attributes: Attributes = {
            "db.system.name": "postgresql",
            "db.namespace": database.name,
            "db.query.text": statement,
            "server.address": database.host,
            "server.port": database.port,
        }
        with self._calling(statement.partition(" ")[0], attributes):
            return run()

    def aws(
        self, client: Any, operation: str, parameters: Parameters, send: Send[Response]
    ) -> Response:
        service = str(client.meta.service_model.service_id)
        attributes: dict[str, str | int | list[str]] = {
            "rpc.system": "aws-api",
            "rpc.service": service,
            "rpc.method": operation,
            "aws.region": client.meta.region_name,
        }
        if service == "DynamoDB":
            attributes["db.system"] = "dynamodb"
            attributes["db.operation"] = operation
            attributes["net.peer.name"] = client.meta.endpoint_url.removeprefix("https://")
            attributes["aws.dynamodb.table_names"] = [parameters["TableName"]]
        else:
            url = parameters["QueueUrl"]
            attributes["aws.queue_url"] = attributes["messaging.url"] = url
            attributes["messaging.system"] = "aws.sqs"
            attributes["messaging.destination"] = url.split("/")[-1]
        with self._calling(f"{service}.{operation}", attributes) as span:
            try:
                response = send(_headers())
            except client.exceptions.ClientError as error:
                _apply(span, error.response)
                raise
            _apply(span, response)
            return response

    def poll(self, client: Any, parameters: Parameters, send: Send[Response]) -> Response:
        """The call's span is the whole trace: nothing around it makes another."""
        return self.aws(client, "ReceiveMessage", parameters, send)

    def message(self, queue: str, message: Message, handle: Callable[[], None]) -> None:
        attributes: Attributes = {
            "messaging.system": "aws_sqs",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": queue,
        }
        name = f"process {queue}"
        with self._entering(name, SpanKind.CONSUMER, message.headers, attributes) as span:
            try:
                handle()
            except Exception as error:
                span.record_exception(error)
                span.set_status(Status(StatusCode.ERROR, str(error)))

    def work(self, name: str, run: Callable[[], T]) -> T:
        with self._tracer.start_as_current_span(name):
            return run()

    @contextmanager
    def _entering(
        self, name: str, kind: SpanKind, headers: Headers, attributes: Attributes
    ) -> Iterator[Span]:
        """A span below what the headers name, and below nothing of this thread."""
        above = _PROPAGATOR.extract(headers, context=Context())
        with self._tracer.start_as_current_span(
            name,
            above,
            kind,
            attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield span

    @contextmanager
    def _calling(self, name: str, attributes: Attributes) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name, kind=SpanKind.CLIENT, attributes=attributes
        ) as span:
            yield span


def _headers() -> Headers:
    headers: Headers = {}
    _PROPAGATOR.inject(headers)
    return headers


def _rpc(method: str) -> dict[str, str | int | list[str]]:
    service, _, name = method.lstrip("/").partition("/")
    code = Code.OK.value[0]
    return {
        "rpc.system": "grpc",
        "rpc.service": service,
        "rpc.method": name,
        "rpc.grpc.status_code": code,
    }


def _answered(span: Span, status: int, fails_from: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= fails_from:
        span.set_attribute("error.type", str(status))
        span.set_status(Status(StatusCode.ERROR))


def _apply(span: Span, response: Response) -> None:
    """botocore's metadata, as its instrumentation copies it."""
    metadata = response["ResponseMetadata"]
    span.set_attribute("aws.request_id", metadata["RequestId"])
    span.set_attribute("retry_attempts", metadata["RetryAttempts"])
    span.set_attribute("http.status_code", metadata["HTTPStatusCode"])
