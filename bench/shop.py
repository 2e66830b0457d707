"""Spans of a shop of 12 services: 10 spans a trace, some 11 attributes a span, one request a service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from random import Random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from bench.spans import put

SERVER, CLIENT, INTERNAL, PRODUCER, CONSUMER = (
    Span.SPAN_KIND_SERVER,
    Span.SPAN_KIND_CLIENT,
    Span.SPAN_KIND_INTERNAL,
    Span.SPAN_KIND_PRODUCER,
    Span.SPAN_KIND_CONSUMER,
)
_Step = tuple[str, int, str, int | None, int, int]
"""Service, kind, name or target, the parent's place, start and length in milliseconds."""
_TRACES: tuple[tuple[_Step, ...], ...] = (
    (
        ("gateway", SERVER, "GET /product", None, 0, 90),
        ("gateway", CLIENT, "catalog", 0, 2, 30),
        ("catalog", SERVER, "GetProduct", 1, 3, 28),
        ("catalog", CLIENT, "postgresql:catalogdb", 2, 5, 20),
        ("gateway", CLIENT, "recommendation", 0, 35, 20),
        ("recommendation", SERVER, "List", 4, 36, 18),
        ("recommendation", CLIENT, "redis:cache", 5, 38, 5),
        ("gateway", CLIENT, "ads", 0, 60, 20),
        ("ads", SERVER, "GetAds", 7, 61, 18),
        ("ads", INTERNAL, "render", 8, 62, 9),
    ),
    (
        ("gateway", SERVER, "POST /checkout", None, 0, 200),
        ("gateway", CLIENT, "checkout", 0, 2, 190),
        ("checkout", SERVER, "Place", 1, 3, 188),
        ("checkout", CLIENT, "payment", 2, 5, 60),
        ("payment", SERVER, "Charge", 3, 6, 58),
        ("checkout", CLIENT, "cart", 2, 70, 40),
        ("cart", SERVER, "Empty", 5, 71, 38),
        ("cart", CLIENT, "redis:carts", 6, 73, 9),
        ("checkout", PRODUCER, "orders", 2, 120, 5),
        ("email", CONSUMER, "orders", 8, 130, 50),
    ),
    (
        ("gateway", SERVER, "GET /shipping", None, 0, 80),
        ("gateway", CLIENT, "shipping", 0, 2, 50),
        ("shipping", SERVER, "Quote", 1, 3, 48),
        ("shipping", CLIENT, "quote", 2, 5, 20),
        ("quote", SERVER, "Calc", 3, 6, 18),
        ("shipping", CLIENT, "currency", 2, 30, 9),
        ("currency", SERVER, "Convert", 5, 31, 7),
        ("quote", CLIENT, "postgresql:quotes", 4, 8, 9),
        ("gateway", CLIENT, "user", 0, 60, 15),
        ("user", SERVER, "Session", 8, 61, 13),
    ),
)
_WEIGHTS = (5, 2, 3)


class Shop:
    """Traces of the shop. With ``distinct``, every span names something of its own: a service it
    calls, a service it belongs to, its work."""

    def __init__(self, traces: int, spans_per_request: int, *, distinct: bool = False) -> None:
        self._random = Random(7)
        self._distinct = distinct
        self.begun = 1_700_000_000_000_000_000
        """Nanoseconds since the epoch; traces begin within a second from then."""
        by_service: dict[str, list[Span]] = defaultdict(list)
        for _ in range(traces):
            for service, span in self._trace():
                by_service[service].append(span)
        self.spans = sum(map(len, by_service.values()))
        self.bodies = [
            _request(service, spans[start : start + spans_per_request])
            for service, spans in by_service.items()
            for start in range(0, len(spans), spans_per_request)
        ]

    def _trace(self) -> Iterator[tuple[str, Span]]:
        random = self._random
        trace_id, user = random.randbytes(16), f"user-{random.randrange(5000)}"
        status = random.choices((200, 404, 500), (95, 3, 2))[0]
        begun = self.begun + random.randrange(1_000_000_000)
        steps = random.choices(_TRACES, _WEIGHTS)[0]
        ids = [random.randbytes(8) for _ in steps]
        for id, (service, kind, what, parent, at, length) in zip(ids, steps, strict=True):
            outcome = status if parent is None else 200
            start = begun + at * 1_000_000
            span = Span(
                trace_id=trace_id,
                span_id=id,
                parent_span_id=b"" if parent is None else ids[parent],
                flags=0x301 if kind in (SERVER, CONSUMER) and parent is not None else 0x101,
                name=self._name(kind, what),
                kind=kind,  # type: ignore[arg-type]
                start_time_unix_nano=start,
                end_time_unix_nano=start + int(length * 1e6 * random.uniform(0.6, 1)),
            )
            put(span.attributes, self._attributes(kind, what, outcome, user))
            if outcome >= 500:
                span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message="internal"))
            yield service, span

    def _name(self, kind: int, what: str) -> str:
        name = what if kind != CLIENT else what.replace(":", " ") if ":" in what else f"POST {what}"
        return f"{name} {self._random.getrandbits(48):x}" if self._distinct else name

    def _attributes(self, kind: int, what: str, status: int, user: str) -> Mapping[str, object]:
        random = self._random
        shared: dict[str, object] = {
            "thread.id": random.randrange(1, 64),
            "thread.name": f"worker-{random.randrange(16)}",
            "enduser.id": user,
            "shop.region": random.choice(("eu-west-1", "us-east-1", "ap-south-1")),
            "shop.tier": random.choice(("gold", "silver", "basic")),
        }
        if self._distinct:
            key = "peer.service" if kind in (CLIENT, PRODUCER) else "aws.local.service"
            return (
                shared | self._of_kind(kind, what, status) | {key: f"s-{random.getrandbits(48):x}"}
            )
        return shared | self._of_kind(kind, what, status)

    def _of_kind(self, kind: int, what: str, status: int) -> dict[str, object]:
        random = self._random
        if kind == SERVER:
            path = what.rpartition("/")[2]
            return {
                "http.request.method": what.split()[0] if " " in what else "POST",
                "http.route": f"/{path}",
                "url.path": f"/{path}/{random.randrange(10_000)}",
                "url.scheme": "http",
                "client.address": f"10.0.{random.randrange(256)}.{random.randrange(256)}",
                "http.response.status_code": status,
            }
        if kind == CLIENT and ":" in what:
            system, _, name = what.partition(":")
            return {
                "db.system.name": system,
                "db.namespace": name,
                "db.query.text": "SELECT id, name, price FROM items WHERE id = $1 LIMIT 20",
                "db.operation.name": "SELECT",
                "server.address": f"{name}.shop.local",
                "server.port": 5432 if system == "postgresql" else 6379,
            }
        if kind == CLIENT:
            return {
                "http.request.method": "POST",
                "url.full": f"http://{what}.shop.local:8080/rpc/{random.randrange(1000)}",
                "server.address": f"{what}.shop.local",
                "server.port": 8080,
                "peer.service": what,
                "http.response.status_code": status,
            }
        if kind in (PRODUCER, CONSUMER):
            return {
                "messaging.system": "kafka",
                "messaging.destination.name": what,
                "messaging.operation.type": "send" if kind == PRODUCER else "process",
                "messaging.message.id": f"{random.getrandbits(64):016x}",
                "messaging.kafka.partition": random.randrange(12),
                "messaging.consumer.group.name": "email",
            }
        return {
            "code.function": "render",
            "code.namespace": "shop.ads",
            "code.line.number": random.randrange(500),
            "ads.count": random.randrange(9),
            "ads.campaign": f"c-{random.randrange(100)}",
            "ads.cached": True,
        }


def _request(service: str, spans: list[Span]) -> bytes:
    request = ExportTraceServiceRequest()
    part = request.resource_spans.add()
    put(
        part.resource.attributes,
        {
            "service.name": service,
            "service.version": "1.4.2",
            "telemetry.sdk.language": "go",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.version": "1.38.0",
            "host.name": f"{service}-6f5d8c7b9-x2x7q",
            "deployment.environment.name": "prod",
        },
    )
    scope = part.scope_spans.add()
    scope.scope.name, scope.scope.version = "shop/instrumentation", "0.1"
    scope.spans.extend(spans)
    return request.SerializeToString()
