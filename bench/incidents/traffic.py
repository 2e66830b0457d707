"""The requests of a world, minute by minute, as the spans that OpenTelemetry's SDKs would send of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from bench.incidents.script import Call, Kind, Node
from bench.incidents.world import Condition, World
from bench.spans import put

MS = 1_000_000
"""Nanoseconds."""
USERS = 200
OPERATIONS = (0.5, 0.3, 0.2)
LOCAL, REMOTE = 0x101, 0x301
"""Flags: sampled, and whether the parent is another process's."""
PER_REQUEST = 4_000
"""Spans in a request of OTLP, or some more."""
OPEN = (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CONSUMER)


@dataclass
class Handled:
    """What a service did in a time, to say whom an incident has reached."""

    requests: int = 0
    bad: int = 0
    times: list[int] = field(default_factory=list)


class Traffic:
    """To be read once. ``handled``: by service, before and during the incident."""

    def __init__(self, world: World, seed: int) -> None:
        self._world, self._random = world, Random(seed)
        self._minute = 0
        self._on = False
        self._conditions: dict[str, Condition] = {}
        self._spans: dict[tuple[str, str], list[Span]] = defaultdict(list)
        self._user = ""
        self.handled: dict[tuple[str, bool], Handled] = defaultdict(Handled)
        self.sent = 0

    def bodies(self) -> Iterator[bytes]:
        """Requests of OTLP, in order."""
        world = self._world
        for minute in range(world.first, world.last):
            self._minute, self._on = minute, world.is_on(minute)
            rates, self._conditions = world.requests(minute), world.conditions(minute)
            for entry, rate in rates.items():
                for _ in range(_poisson(self._random, rate)):
                    self._request(entry, minute)
            if sum(map(len, self._spans.values())) >= PER_REQUEST:
                yield self._body()
        yield self._body()

    def _body(self) -> bytes:
        request = ExportTraceServiceRequest()
        for (service, version), spans in self._spans.items():
            part = request.resource_spans.add()
            put(
                part.resource.attributes,
                {
                    "service.name": service,
                    "service.version": version,
                    "telemetry.sdk.language": "go",
                    "deployment.environment.name": "prod",
                },
            )
            part.scope_spans.add().spans.extend(spans)
            self.sent += len(spans)
        self._spans.clear()
        return request.SerializeToString()

    def _request(self, entry: str, minute: int) -> None:
        random = self._random
        self._user = f"user-{random.randrange(USERS)}"
        at = minute * 60_000 * MS + random.randrange(60_000 * MS)
        self._serve(random.randbytes(16), entry, b"", at, Span.SPAN_KIND_SERVER)

    def _serve(self, trace: bytes, name: str, parent: bytes, at: int, kind: int) -> tuple[int, int]:
        """Handle a request or a message; when it is done, and its status."""
        random, node, condition = self._random, self._world.shop.nodes[name], self._conditions[name]
        incident = self._world.incident
        operation = random.choices(node.operations, OPERATIONS)[0]
        hit = self._on and name == incident.at and not incident.source
        version = f"v{self._world.versions[name]}"
        if hit and incident.version:
            hit = random.random() < incident.version
            version = version if hit else f"v{self._world.versions[name] - 1}"
        hit = hit and incident.operation in ("", operation)
        hit = hit and (not incident.users or int(self._user[5:]) < incident.users * USERS)
        own = self._own_time(node, condition, hit=hit)
        status, exception = self._outcome(condition, hit=hit)
        span = Span(
            trace_id=trace,
            span_id=random.randbytes(8),
            parent_span_id=parent,
            flags=REMOTE if parent else LOCAL,
            name=operation if kind == OPEN[0] else f"process {name}",
            kind=kind,  # type: ignore[arg-type]
        )
        end = at + own // 2
        if status == 200 or (status >= 500 and random.random() < 0.5):
            for call in node.calls:
                end, fine = self._calls(trace, name, version, span.span_id, call, end)
                if not fine:
                    status = status if status >= 500 else 502
                    break
        end += own - own // 2
        span.start_time_unix_nano, span.end_time_unix_nano = at, end
        attributes: dict[str, object] = {"enduser.id": self._user}
        if kind == OPEN[0]:
            method, _, route = operation.partition(" ")
            attributes |= {
                "http.request.method": method,
                "http.route": route,
                "url.scheme": "http",
                "http.response.status_code": status,
            }
        else:
            attributes |= {
                "messaging.system": "kafka",
                "messaging.destination.name": self._queue(name),
                "messaging.operation.type": "process",
            }
        put(span.attributes, attributes)
        if status >= 500:
            _fail(span, exception)
        self._spans[name, version].append(span)
        handled = self.handled[name, self._on]
        handled.requests += 1
        handled.bad += status >= 400
        handled.times.append(end - at)
        return end, status

    def _calls(
        self, trace: bytes, caller: str, version: str, parent: bytes, call: Call, at: int
    ) -> tuple[int, bool]:
        """Make a call as often as it is made; when that is done, and whether the caller can go on."""
        incident, random = self._world.incident, self._random
        times = call.times
        if self._on and incident.source == caller and incident.at == call.target:
            times *= incident.calls
        for _ in range(int(times) + (random.random() < times % 1)):
            tries = 1 + (incident.retries if self._on and incident.at == call.target else 0)
            for attempt in range(tries):
                at, status = self._call(trace, caller, version, parent, call.target, at)
                if status < 429:
                    break
                again = status == 429 and attempt == 0
                if again:  # once, as SDKs do
                    at, status = self._call(trace, caller, version, parent, call.target, at)
            if status >= 429 and not call.optional:
                return at, False
        return at, True

    def _call(
        self, trace: bytes, caller: str, version: str, parent: bytes, target: str, at: int
    ) -> tuple[int, int]:
        """One call; when it is done, and its status."""
        random, incident = self._random, self._world.incident
        node, condition = self._world.shop.nodes[target], self._conditions[target]
        hit = self._on and target == incident.at and not incident.source
        span = Span(
            trace_id=trace,
            span_id=random.randbytes(8),
            parent_span_id=parent,
            flags=LOCAL,
            name=_NAMES[node.kind].format(target),
            kind=Span.SPAN_KIND_PRODUCER if node.kind is Kind.QUEUE else Span.SPAN_KIND_CLIENT,
        )
        exception, status, end = "", 200, at + MS
        if hit and incident.down:
            status, exception = 0, "ConnectionRefusedError"
            end += random.randrange(2 * MS)
        elif node.kind is Kind.SERVICE:
            end, status = self._serve(trace, target, span.span_id, at + MS // 2, OPEN[0])
            end += MS // 2
        elif node.kind is Kind.QUEUE:
            self._deliver(trace, node, span.span_id, end)
        else:
            end = at + self._own_time(node, condition, hit=hit)
            status, exception = self._outcome(condition, hit=hit)
        if hit and incident.timeout and end - at > incident.timeout * MS:
            end, status, exception = at + int(incident.timeout * MS), 0, "TimeoutError"
        span.start_time_unix_nano, span.end_time_unix_nano = at, end
        put(span.attributes, _of_call(node, status))
        failed = status == 0 or status >= 400
        if failed and (node.kind is not Kind.SERVICE or not status):
            _fail(span, exception)
        self._spans[caller, version].append(span)
        return end, status or 503

    def _deliver(self, trace: bytes, queue: Node, parent: bytes, at: int) -> None:
        incident = self._world.incident
        for consumer in queue.consumers:
            wait = self._own_time(queue, self._conditions[queue.name], hit=False)
            if self._on and incident.source == queue.name and incident.at == consumer:
                if self._random.random() >= incident.calls:
                    continue
                behind = self._minute - self._world.onset + 1
                wait += int(incident.lag * behind * 1000 * MS)
            self._serve(trace, consumer, parent, at + wait, OPEN[1])

    def _queue(self, consumer: str) -> str:
        nodes = self._world.shop.nodes.values()
        return next(each.name for each in nodes if consumer in each.consumers)

    def _own_time(self, node: Node, condition: Condition, *, hit: bool) -> int:
        random, incident = self._random, self._world.incident
        ms = node.ms * condition.slower * random.lognormvariate(0, 0.4)
        if random.random() < 0.01:
            ms *= 10
        if hit and incident.slower > 1 and random.random() < incident.slow:
            ms *= incident.slower
        return int(ms * MS)

    def _outcome(self, condition: Condition, *, hit: bool) -> tuple[int, str]:
        """A status, and an exception for a fault."""
        random, incident = self._random, self._world.incident
        if hit:
            chance = random.random()
            for share, status in (
                (incident.fault, 500),
                (incident.throttle, 429),
                (incident.error, 403),
            ):
                if chance < share:
                    return status, incident.exception or "InternalError"
                chance -= share
        chance = random.random()
        if chance < condition.fault:
            return 500, "IOError"
        return (404, "NotFound") if chance < condition.fault + condition.error else (200, "")


_NAMES = {
    Kind.SERVICE: "GET {}",
    Kind.DATABASE: "SELECT {}",
    Kind.TABLE: "DynamoDB.GetItem",
    Kind.CACHE: "GET",
    Kind.HOST: "POST",
    Kind.QUEUE: "send {}",
}


def _of_call(node: Node, status: int) -> dict[str, object]:
    kind = node.kind
    answered: dict[str, object] = {"http.response.status_code": status} if status else {}
    if kind in (Kind.SERVICE, Kind.HOST):
        return {"http.request.method": "POST", "server.address": node.name, **answered}
    if kind is Kind.DATABASE:
        return {
            "db.system.name": "postgresql",
            "db.namespace": node.name,
            "db.query.text": f"SELECT id, name FROM {node.name} WHERE id = $1",
            "server.address": "db.example.internal",
        }
    if kind is Kind.TABLE:
        return {
            "rpc.system": "aws-api",
            "rpc.service": "DynamoDB",
            "rpc.method": "GetItem",
            "aws.region": "eu-west-1",
            "aws.table_name": node.name,
            **({"http.status_code": 400 if status == 429 else status} if status else {}),
        }
    if kind is Kind.CACHE:
        return {"db.system.name": "redis", "server.address": node.name, "db.operation.name": "GET"}
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": node.name,
        "messaging.operation.type": "send",
    }


def _fail(span: Span, exception: str) -> None:
    span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR))
    if exception:
        event = span.events.add(name="exception", time_unix_nano=span.end_time_unix_nano)
        put(event.attributes, {"exception.type": exception, "exception.message": "it failed"})


def _poisson(random: Random, mean: float) -> int:
    """So many events of a minute."""
    count, passed = 0, random.expovariate(1.0)
    while passed < mean:
        count += 1
        passed += random.expovariate(1.0)
    return count
