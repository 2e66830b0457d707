"""The requests of 32 MB that cost a receiver most, of those that could be thought of."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from store.varint import varint
from tests.lambda_samples import GROUP, STREAM

SIZE = 31 << 20
"""Bytes: a little below what receivers accept."""
PROTOBUF, JSON = "application/x-protobuf", "application/json"
_SPAN = Span(
    trace_id=b"\x6b" * 16,
    span_id=b"\1" * 8,
    name="GET",
    start_time_unix_nano=1_795_560_000_000_000_000,
).SerializeToString()


class Worst(NamedTuple):
    """A request; ``path`` over HTTP, or the method of gRPC."""

    receiver: str
    shape: str
    path: str
    body: Callable[[], bytes]
    media: str = PROTOBUF
    gzip: bool = False

    @property
    def name(self) -> str:
        return f"{self.receiver}, {self.shape}"

    def encoded(self) -> tuple[bytes, Mapping[str, str]]:
        """The body as it is sent, and its headers."""
        headers = {"content-type": self.media}
        if not self.gzip:
            return self.body(), headers
        return gzip.compress(self.body(), 1), {**headers, "content-encoding": "gzip"}


def field(number: int, content: bytes) -> bytes:
    """A field with a length, in protobuf."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def filled(unit: bytes, size: int = SIZE) -> bytes:
    return unit * (size // len(unit))


def array(unit: str, size: int = SIZE) -> str:
    """A JSON array of as many equal elements."""
    return "[" + f"{unit},".__mul__(size // (len(unit) + 1)) + f"{unit}]"


_spans = "/v1/traces"
_EMPTY_ATTRIBUTE = b"\x4a\x00"
_NESTED = field(9, field(2, field(5, filled(b"\x0a\x00", 1_000_000))))
"""An attribute that is an array of empty values."""


_SECRET = field(9, field(1, b"password") + field(2, field(1, b"hunter2")))


def _span_bomb(unit: bytes) -> bytes:
    return field(1, field(2, field(2, _SPAN + filled(unit))))


def _many(span: bytes) -> bytes:
    """As many spans of this kind as fit."""
    return field(1, field(2, filled(field(2, span))))


def _firehose(record: bytes, size: int = SIZE) -> bytes:
    one = json.dumps({"data": base64.b64encode(record).decode()})
    return ('{"records":' + array(one, size) + "}").encode()


def _log_batch(event: str, events: int) -> bytes:
    batch = {"messageType": "DATA_MESSAGE", "logGroup": GROUP, "logStream": STREAM, "logEvents": []}
    text = json.dumps(batch)
    return (text[:-3] + "[" + ",".join([event] * events) + "]}").encode()


OTLP = (
    ("one span of empty attributes", lambda: _span_bomb(_EMPTY_ATTRIBUTE)),
    ("one span of empty events", lambda: _span_bomb(b"\x5a\x00")),
    (
        "a resource of empty attributes",
        lambda: field(1, field(1, filled(b"\x0a\x00")) + field(2, field(2, _SPAN))),
    ),
    (
        "a scope of empty attributes",
        lambda: field(1, field(2, field(1, filled(b"\x1a\x00")) + field(2, _SPAN))),
    ),
    ("empty spans", lambda: field(1, field(2, filled(b"\x12\x00")))),
    ("empty resources", lambda: filled(b"\x0a\x00")),
    (
        "spans of 1 MB of empty attributes",
        lambda: _many(_SPAN + filled(_EMPTY_ATTRIBUTE, 1_000_000)),
    ),
    ("spans of 1 MB of empty events", lambda: _many(_SPAN + filled(b"\x5a\x00", 1_000_000))),
    ("spans of 10 kB of empty attributes", lambda: _many(_SPAN + filled(_EMPTY_ATTRIBUTE, 10_000))),
    ("attributes of 1 MB of empty values", lambda: _many(_SPAN + _NESTED)),
    ("small spans", lambda: _many(_SPAN)),
    (
        "spans with secrets of 1 MB of empty attributes",
        lambda: _many(_SPAN + _SECRET + filled(_EMPTY_ATTRIBUTE, 1_000_000)),
    ),
    (
        "spans with secrets of 10 kB of empty attributes",
        lambda: _many(_SPAN + _SECRET + filled(_EMPTY_ATTRIBUTE, 10_000)),
    ),
)
OTLP_JSON = (
    ("empty objects", lambda: ('{"resourceSpans":' + array("{}") + "}").encode()),
    (
        "one span of empty attributes",
        lambda: (
            '{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":' + array("{}") + "}]}]}]}"
        ).encode(),
    ),
    ("short texts", lambda: ('{"resourceSpans":' + array('"ab"') + "}").encode()),
    ("secrets", lambda: ('{"password":"x","x":' + array('{"a":1}', 3_900_000) + "}").encode()),
    ("an unknown member of numbers", lambda: ('{"x":' + array("1000") + "}").encode()),
    ("objects of one member", lambda: ('{"x":' + array('{"a":1}') + "}").encode()),
    (
        "spans of little",
        lambda: (
            '{"resourceSpans":[{"scopeSpans":[{"spans":' + array('{"name":"a"}') + "}]}]}"
        ).encode(),
    ),
)
LOGS = (
    ("empty records", lambda: field(1, field(2, filled(b"\x12\x00")))),
    ("empty resources", lambda: filled(b"\x0a\x00")),
    ("one record of empty attributes", lambda: field(1, field(2, field(2, filled(b"\x32\x00"))))),
    ("a resource of empty attributes", lambda: field(1, field(1, filled(b"\x0a\x00")))),
    (
        "a body of empty values",
        lambda: field(1, field(2, field(2, field(5, field(5, filled(b"\x0a\x00")))))),
    ),
    (
        "short lines",
        lambda: field(
            1,
            field(1, field(1, field(1, b"faas.name") + field(2, field(1, b"f"))))
            + field(2, filled(field(2, field(5, field(1, b"a"))))),
        ),
    ),
)
LOGS_JSON = (
    (
        "empty records",
        lambda: ('{"resourceLogs":[{"scopeLogs":[{"logRecords":' + array("{}") + "}]}]}").encode(),
    ),
    ("short texts", lambda: ('{"x":' + array('"ab"') + "}").encode()),
    ("objects of one member", lambda: ('{"x":' + array('{"a":1}') + "}").encode()),
)
METRICS = (
    (
        "empty points",
        lambda: field(1, field(2, field(2, field(1, b"a") + field(5, filled(b"\x0a\x00"))))),
    ),
    ("empty metrics", lambda: field(1, field(2, filled(b"\x12\x00")))),
    (
        "a point of empty attributes",
        lambda: field(1, field(2, field(2, field(5, field(1, filled(b"\x3a\x00")))))),
    ),
    ("a resource of empty attributes", lambda: field(1, field(1, filled(b"\x0a\x00")))),
    (
        "a summary of empty quantiles",
        lambda: field(1, field(2, field(2, field(11, field(1, filled(b"\x32\x00")))))),
    ),
)
METRICS_JSON = (
    (
        "empty metrics",
        lambda: (
            '{"resourceMetrics":[{"scopeMetrics":[{"metrics":' + array("{}") + "}]}]}"
        ).encode(),
    ),
    ("short texts", lambda: ('{"x":' + array('"ab"') + "}").encode()),
)
ZIPKIN_JSON = (
    ("empty objects", lambda: array("{}").encode()),
    ("numbers", lambda: array("1").encode()),
    (
        "one span of tags",
        lambda: ('[{"tags":{' + ",".join(f'"{n:x}":1' for n in range(2_800_000)) + "}}]").encode(),
    ),
    ("one span of empty annotations", lambda: ('[{"annotations":' + array("{}") + "}]").encode()),
    ("small spans", lambda: array('{"id":"1","traceId":"1","timestamp":1}').encode()),
)
ZIPKIN = (
    ("empty spans", lambda: filled(b"\x0a\x00")),
    ("one span of empty tags", lambda: field(1, filled(b"\x5a\x00"))),
    ("spans of 1 MB of empty tags", lambda: filled(field(1, filled(b"\x5a\x00", 1_000_000)))),
)
SEGMENTS = (
    ("empty documents", lambda: ('{"TraceSegmentDocuments":' + array('""') + "}").encode()),
    ("documents of nothing", lambda: ('{"TraceSegmentDocuments":' + array('"{}"') + "}").encode()),
    (
        "documents of 1 MB of empty subsegments",
        lambda: _put(json.dumps({"id": "a", "subsegments": [{}] * 250_000}), 31),
    ),
    (
        "documents of 1 MB of texts and secrets",
        lambda: _put(
            json.dumps({"id": "a", "metadata": {"password": "x", "a": [""] * 240_000}}), 31
        ),
    ),
    ("an unknown member", lambda: ('{"x":' + array("[]") + "}").encode()),
    (
        "arrays of nothing",
        lambda: ('{"TraceSegmentDocuments":["' + array("{}", SIZE // 2) + '"]}').encode(),
    ),
)
TELEMETRY = (
    ("records", lambda: ('{"TelemetryRecords":' + array('{"Timestamp":1}') + "}").encode()),
    ("lists", lambda: ('{"TelemetryRecords":[{"Timestamp":' + array('"ab"') + "}]}").encode()),
)
TRACES = (
    ("empty traces", lambda: array("{}").encode()),
    ("short texts", lambda: ('{"x":' + array('"ab"') + "}").encode()),
    ("lines", lambda: filled(b"{}\n")),
    ("empty segments", lambda: ('{"Segments":' + array("{}") + "}").encode()),
)
FIREHOSE = (
    ("empty records", lambda: ('{"records":' + array("{}") + "}").encode()),
    ("records of one member", lambda: ('{"records":' + array('{"a":1}') + "}").encode()),
    ("short texts", lambda: ('{"records":[{"x":' + array('"ab"') + "}]}").encode()),
    ("records of nothing", lambda: _firehose(b"")),
    (
        "gzip of events",
        lambda: _firehose(
            gzip.compress(_log_batch('{"timestamp":1,"message":""}', 20_000)), 1 << 20
        ),
    ),
    ("gzip of zeros", lambda: _firehose(gzip.compress(bytes(15 << 20)), 1 << 20)),
)
STREAMED = (
    ("gzip of points", lambda: _firehose(gzip.compress(_message(200_000)), 1 << 20)),
    ("empty messages", lambda: _firehose(bytes(15 << 20), 1)),
)
LAMBDA = (
    ("empty events", lambda: ('{"events":' + array("{}") + "}").encode()),
    ("numbers", lambda: ('{"events":' + array("1") + "}").encode()),
    ("empty documents", lambda: ('{"documents":' + array('""') + "}").encode()),
    (
        "lines",
        lambda: (
            '{"function":{"name":"f"},"events":'
            + array('{"time":"2026-11-26T10:00:00Z","type":"function","record":"a"}')
            + "}"
        ).encode(),
    ),
)
PUT = (
    ("empty documents", lambda: filled(b"\x0a\x00")),
    ("documents of nothing", lambda: filled(field(1, b"{}"))),
)


def _put(document: str, count: int) -> bytes:
    return json.dumps({"TraceSegmentDocuments": [document] * count}).encode()


def _message(points: int) -> bytes:
    body = field(1, field(2, field(2, field(1, b"a") + field(5, b"\x0a\x00" * points))))
    return varint(len(body)) + body


def _requests(
    receiver: str, path: str, shapes: tuple[tuple[str, Callable[[], bytes]], ...], media: str
) -> list[Worst]:
    return [Worst(receiver, shape, path, body, media) for shape, body in shapes]


HTTP = [
    Worst("OTLP traces", "one span of empty attributes, gzip", _spans, OTLP[0][1], PROTOBUF, True),
    *_requests("OTLP traces", _spans, OTLP, PROTOBUF),
    *_requests("OTLP traces JSON", _spans, OTLP_JSON, JSON),
    *_requests("OTLP logs", "/v1/logs", LOGS, PROTOBUF),
    *_requests("OTLP logs JSON", "/v1/logs", LOGS_JSON, JSON),
    *_requests("OTLP metrics", "/v1/metrics", METRICS, PROTOBUF),
    *_requests("OTLP metrics JSON", "/v1/metrics", METRICS_JSON, JSON),
    *_requests("Zipkin JSON", "/api/v2/spans", ZIPKIN_JSON, JSON),
    *_requests("Zipkin", "/api/v2/spans", ZIPKIN, PROTOBUF),
    *_requests("PutTraceSegments", "/TraceSegments", SEGMENTS, JSON),
    *_requests("PutTelemetryRecords", "/TelemetryRecords", TELEMETRY, JSON),
    *_requests("import", "/api/traces", TRACES, JSON),
    *_requests("Firehose logs", "/firehose/logs", FIREHOSE, JSON),
    *_requests("Firehose metrics", "/firehose/metrics", STREAMED, JSON),
    *_requests("Lambda", "/lambda/telemetry", LAMBDA, JSON),
]
_OTLP = "/opentelemetry.proto.collector"
GRPC = [
    *_requests("OTLP traces gRPC", f"{_OTLP}.trace.v1.TraceService/Export", OTLP, ""),
    *_requests("OTLP logs gRPC", f"{_OTLP}.logs.v1.LogsService/Export", LOGS, ""),
    *_requests("OTLP metrics gRPC", f"{_OTLP}.metrics.v1.MetricsService/Export", METRICS, ""),
    *_requests("raymap.v1 gRPC", "/raymap.v1.SegmentService/PutSegments", PUT, ""),
    *_requests("raymap.v1 traces gRPC", "/raymap.v1.SegmentService/PutTraces", PUT, ""),
]
