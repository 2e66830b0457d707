"""Valid spans as they arrive; a test changes only what it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from collector.decode.otlp.request import decode_otlp
from collector.decode.rejected import Rejected
from store.model import Document

TRACE = bytes.fromhex("6b061440" + "0" * 22 + "01")
START = 1_795_560_000_000_000_000
MILLISECOND = 1_000_000
PARENT = bytes.fromhex("00000000000000aa")
SERVER, CLIENT, PRODUCER, CONSUMER, INTERNAL = (
    Span.SPAN_KIND_SERVER,
    Span.SPAN_KIND_CLIENT,
    Span.SPAN_KIND_PRODUCER,
    Span.SPAN_KIND_CONSUMER,
    Span.SPAN_KIND_INTERNAL,
)


def any_value(value: Any) -> AnyValue:
    """A Python value as an attribute's."""
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=pairs(value)))
    return AnyValue() if value is None else AnyValue(string_value=value)


def pairs(attributes: Mapping[str, Any]) -> list[KeyValue]:
    """Attributes as messages."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def span(
    kind: int = CLIENT,
    attributes: Mapping[str, Any] | None = None,
    *,
    id: int = 0xB1,
    parent: bytes = PARENT,
    failed: bool | str = False,
    exceptions: Sequence[Mapping[str, Any]] = (),
    **change: Any,
) -> Span:
    """A call of 10 ms below a parent, without attributes."""
    fields: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": id.to_bytes(8, "big"),
        "parent_span_id": parent,
        "name": "GET",
        "kind": kind,
        "start_time_unix_nano": START,
        "end_time_unix_nano": START + 10 * MILLISECOND,
        "attributes": pairs(attributes or {}),
        "events": [Span.Event(name="exception", attributes=pairs(e)) for e in exceptions],
    }
    if failed:
        message = failed if isinstance(failed, str) else ""
        fields["status"] = Status(code=Status.STATUS_CODE_ERROR, message=message)
    fields.update(change)
    return Span(**fields)


def request(*spans: Span, resource: Mapping[str, Any] | None = None) -> ExportTraceServiceRequest:
    """An export of one service, ``shop`` unless its resource says otherwise."""
    message = ExportTraceServiceRequest()
    part = message.resource_spans.add()
    part.resource.attributes.extend(pairs({"service.name": "shop", **(resource or {})}))
    scope = part.scope_spans.add()
    scope.scope.name = "tests"
    scope.spans.extend(spans)
    return message


def export(*spans: Span, resource: Mapping[str, Any] | None = None) -> bytes:
    """The same as bytes."""
    return request(*spans, resource=resource).SerializeToString()


def decode(*spans: Span, resource: Mapping[str, Any] | None = None) -> Document:
    """The document of the last of the spans, all of which are valid."""
    documents = []
    for result in decode_otlp(export(*spans, resource=resource), 7):
        assert isinstance(result, Document), result
        documents.append(result)
    return documents[-1]


def results(body: bytes) -> tuple[list[Document], list[Rejected]]:
    """What becomes of a request."""
    decoded = list(decode_otlp(body, 7))
    documents = [result for result in decoded if isinstance(result, Document)]
    return documents, [result for result in decoded if isinstance(result, Rejected)]


def checkout_export() -> bytes:
    """An export of a web shop's checkout with attributes of old and new semantic conventions.

    Local work, calls of DynamoDB, a web service, a database and a queue, the server span, and the
    consumer of another trace.
    """
    top = PARENT
    spans = [
        span(INTERNAL, {"k": [1, 2]}, id=1, name="work"),
        span(
            CLIENT,
            {
                "rpc.system": "aws-api",
                "rpc.service": "DynamoDB",
                "rpc.method": "PutItem",
                "aws.dynamodb.table_names": ["orders"],
                "aws.region": "eu-west-1",
                "http.status_code": 200,
            },
            id=2,
        ),
        span(
            CLIENT,
            {
                "http.method": "GET",
                "http.url": "https://inventory.example.com/items?id=9",
                "http.status_code": 429,
                "net.peer.name": "inventory.example.com",
            },
            id=3,
            failed=True,
        ),
        span(
            CLIENT,
            {
                "db.system": "postgresql",
                "db.name": "shop",
                "db.user": "app",
                "db.statement": "SELECT * FROM orders WHERE id=$1",
                "net.peer.name": "db.internal",
            },
            id=4,
        ),
        span(
            PRODUCER,
            {"messaging.system": "AmazonSQS", "messaging.destination.name": "orders-queue"},
            id=5,
        ),
        span(
            SERVER,
            {
                "http.request.method": "GET",
                "url.scheme": "https",
                "server.address": "shop.example.com",
                "url.path": "/checkout/9",
                "http.response.status_code": 500,
                "enduser.id": "u-7",
                "aws.xray.annotations": ["tier"],
                "tier": "gold",
                "plain": 1,
            },
            parent=b"",
            failed="boom",
            exceptions=[{"exception.type": "ZeroDivisionError", "exception.message": "boom"}],
            span_id=top,
        ),
        span(
            CONSUMER,
            {"messaging.system": "AmazonSQS", "messaging.destination.name": "orders-queue"},
            parent=b"",
            id=7,
            trace_id=TRACE[:-1] + b"\x02",
        ),
    ]
    resource = {
        "service.name": "otel-checkout",
        "cloud.provider": "aws",
        "cloud.platform": "aws_ecs",
        "aws.ecs.launchtype": "fargate",
        "aws.ecs.task.arn": "arn:aws:ecs:eu-west-1:123456789012:task/shop/1",
    }
    return request(*spans, resource=resource).SerializeToString()
