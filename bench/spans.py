"""Export requests in OTLP's protobuf, each with traces of its own, cheap to make by the thousand.

Requests are rendered once a second; for each only the trace ids are patched, five spans to a trace,
so a sender takes little of the machine.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from random import Random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

SPANS_PER_TRACE = 5
_PATHS = ("/orders", "/orders/7", "/products", "/cart", "/checkout", "/search")
_TABLES = ("orders", "products", "carts", "sessions")
_STATUSES = ((200, 201, 404, 429, 500), (80, 10, 5, 2, 3))


class Requests:
    """A source of requests of one service, each with traces of its own; threads may share it."""

    def __init__(self, spans: int) -> None:
        self._lock = threading.Lock()
        self._traces = max(1, spans // SPANS_PER_TRACE)
        self._second = 0
        self._template = bytearray()
        self._places: list[tuple[int, int]] = []

    def next(self) -> bytes:
        ids = os.urandom(16 * self._traces)
        with self._lock:
            now = int(time.time())
            if now != self._second:
                self._second = now
                self._render(now)
            for place, start in self._places:
                self._template[place : place + 16] = ids[start : start + 16]
            return bytes(self._template)

    @property
    def spans(self) -> int:
        """Of each request."""
        return self._traces * SPANS_PER_TRACE

    def _render(self, now: int) -> None:
        """The request, and where in it each trace's id stands."""
        random = Random(7)
        marks = [random.randbytes(16) for _ in range(self._traces)]
        body = _request(random, marks, now * 1_000_000_000).SerializeToString()
        self._places = []
        for number, mark in enumerate(marks):
            place = body.find(mark)
            while place >= 0:
                self._places.append((place, number * 16))
                place = body.find(mark, place + 16)
        if len(self._places) != self.spans:
            raise AssertionError("a trace id is not where it should be")
        self._template = bytearray(body)


def _request(random: Random, trace_ids: list[bytes], now: int) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    part = request.resource_spans.add()
    put(
        part.resource.attributes,
        {
            "service.name": "checkout",
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.version": "1.45.2",
            "host.name": "checkout-6f5d8c7b9-x2x7q",
        },
    )
    scope = part.scope_spans.add()
    scope.scope.name = "opentelemetry.instrumentation.flask"
    for trace_id in trace_ids:
        _trace(random, scope, trace_id, now)
    return request


def _trace(random: Random, scope: ScopeSpans, trace_id: bytes, now: int) -> None:
    """One request to a web service: a local step, SQL, DynamoDB and another service."""
    begun = now - 1_000_000_000 + random.randrange(500_000_000)
    status = random.choices(*_STATUSES)[0]
    path = random.choice(_PATHS)
    root = scope.spans.add(
        trace_id=trace_id,
        span_id=random.randbytes(8),
        name=f"GET {path}",
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=begun,
        end_time_unix_nano=begun + random.randrange(20_000_000, 90_000_000),
        flags=0x100,
    )
    put(
        root.attributes,
        {
            "http.request.method": "GET",
            "http.route": path,
            "url.scheme": "https",
            "url.path": path,
            "server.address": "shop.example.com",
            "client.address": f"192.0.2.{random.randint(1, 254)}",
            "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145",
            "http.response.status_code": status,
            "enduser.id": f"user-{random.randint(1, 500)}",
        },
    )
    if status >= 500:
        root.status.code = Status.STATUS_CODE_ERROR
    calls: tuple[tuple[str, dict[str, object]], ...] = (
        ("load cart", {"cart.items": random.randint(1, 9)}),
        (
            "SELECT",
            {
                "db.system.name": "postgresql",
                "db.namespace": "orders",
                "db.query.text": "SELECT id, state FROM orders WHERE customer = ? LIMIT 20",
                "server.address": "db.example.com",
                "server.port": 5432,
            },
        ),
        (
            "DynamoDB.GetItem",
            {
                "rpc.system": "aws-api",
                "rpc.service": "DynamoDB",
                "rpc.method": "GetItem",
                "aws.region": "eu-west-1",
                "aws.table_name": random.choice(_TABLES),
                "aws.request_id": f"{random.getrandbits(208):052X}",
                "http.status_code": 200,
            },
        ),
        (
            "POST",
            {
                "http.request.method": "POST",
                "url.full": "https://payments.example.com/charges",
                "server.address": "payments.example.com",
                "http.response.status_code": 200,
            },
        ),
    )
    for number, (name, attributes) in enumerate(calls):
        at = begun + 2_000_000 * (number + 1)
        span = scope.spans.add(
            trace_id=trace_id,
            span_id=random.randbytes(8),
            parent_span_id=root.span_id,
            name=name,
            kind=Span.SPAN_KIND_CLIENT if number else Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=at,
            end_time_unix_nano=at + int(random.lognormvariate(15.0, 0.6)),
            flags=0x100,
        )
        put(span.attributes, attributes)


def put(attributes: object, values: Mapping[str, object]) -> None:
    """Add attributes to a message's."""
    for key, value in values.items():
        pair: KeyValue = attributes.add(key=key)  # type: ignore[attr-defined]
        if isinstance(value, bool):
            pair.value.bool_value = value
        elif isinstance(value, int):
            pair.value.int_value = value
        else:
            pair.value.string_value = str(value)
