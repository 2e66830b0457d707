"""How many OpenTelemetry spans a second Raymap takes in without losing one, over gRPC and HTTP.

Starts a Raymap of its own and offers OTLP requests in protobuf at growing rates from a process of
its own, each connection waiting for its answer as exporters do. A rate holds when every call was
answered in time and every span is stored. Requests are rendered once a second; for each call only
the trace ids are patched, five spans to a trace, so the sender takes little of the machine.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status
from rich.console import Console
from rich.table import Table

from bench.counting import STORED_METRIC, StoredDocuments, scrape
from bench.server import WIDTH, Server, Usage, running

MIB = 1 << 20
SPANS_PER_TRACE = 5
_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
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
    _put(
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
    _put(
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
        _put(span.attributes, attributes)


def _put(attributes: object, values: Mapping[str, object]) -> None:
    for key, value in values.items():
        pair: KeyValue = attributes.add(key=key)  # type: ignore[attr-defined]
        if isinstance(value, int):
            pair.value.int_value = value
        else:
            pair.value.string_value = str(value)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the sender is to do, and where."""

    door: str
    port: int
    rate: float
    seconds: float
    connections: int
    spans_per_call: int


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of it, in spans, as the answers said."""

    sent: int
    acknowledged: int
    seconds: float


Export = Callable[[bytes], int | None]
"""Sends a request; the number of spans turned away, None when all were or nobody answered."""


def grpc_export(port: int) -> Export:
    channel = grpc.insecure_channel(
        f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)]
    )
    call = channel.unary_unary(_EXPORT, None, ExportTraceServiceResponse.FromString)

    def export(body: bytes) -> int | None:
        try:
            answer: ExportTraceServiceResponse = call(body, timeout=30)
        except grpc.RpcError:
            return None
        return answer.partial_success.rejected_spans

    return export


def http_export(port: int) -> Export:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def export(body: bytes) -> int | None:
        try:
            headers = {"Content-Type": "application/x-protobuf"}
            connection.request("POST", "/v1/traces", body, headers)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return None
        if answer.status != 200:
            return None
        return ExportTraceServiceResponse.FromString(said).partial_success.rejected_spans

    return export


_EXPORTS = {"grpc": grpc_export, "http": http_export}


def send(offer: Offer) -> Sent:
    """Run the sender in a process and wait for it."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_send, args=(offer, sender))
    process.start()
    sender.close()
    try:
        result: Sent = receiver.recv()
        return result
    except EOFError:
        raise SystemExit(f"the {offer.door} sender died") from None
    finally:
        process.join()


def _send(offer: Offer, out: Connection) -> None:
    """Each connection calls on its own schedule and falls behind when the server does."""
    lock = threading.Lock()
    sent = acknowledged = 0
    requests = Requests(offer.spans_per_call)
    requests.next()
    spans = requests.spans
    begun = time.perf_counter()

    def connection(_number: int) -> None:
        nonlocal sent, acknowledged
        export = _EXPORTS[offer.door](offer.port)
        calls = 0
        while time.perf_counter() - begun < offer.seconds:
            due = begun + calls * spans * offer.connections / offer.rate
            time.sleep(max(0.0, due - time.perf_counter()))
            refused = export(requests.next())
            calls += 1
            with lock:
                sent += spans
                acknowledged += 0 if refused is None else spans - refused

    with ThreadPoolExecutor(offer.connections) as pool:
        list(pool.map(connection, range(offer.connections)))
    out.send(Sent(sent, acknowledged, time.perf_counter() - begun))


@dataclass(frozen=True, slots=True)
class Step:
    """One rate, tried for some seconds; rates in spans/s."""

    door: str
    offered: float
    acknowledged: float
    stored: float
    lost: int
    refused: int
    drained_seconds: float
    metric: float | None
    cpu: dict[str, float]
    rss_mib: dict[str, float]

    @property
    def holds(self) -> bool:
        return self.lost == 0 and self.refused == 0 and self.acknowledged >= 0.97 * self.offered


class Bench:
    def __init__(self, server: Server, ports: dict[str, int], options: argparse.Namespace) -> None:
        self._server = server
        self._ports = ports
        self._options = options
        self._stored = StoredDocuments(server)

    def climb(self, door: str) -> Iterator[Step]:
        """Rates by a factor until one fails, then between the last good and the first bad."""
        until = time.monotonic() + self._options.limit
        good, bad = 0.0, 0.0
        rate, refinements = self._options.start, self._options.refine
        while time.monotonic() < until and refinements >= 0 and rate <= self._options.stop:
            step = self.attempt(door, rate)
            yield step
            good, bad = (rate, bad) if step.holds else (good, rate)
            if bad:
                refinements -= 1
            rate = (good + bad) / 2 if bad else rate * self._options.factor

    def attempt(self, door: str, rate: float) -> Step:
        options = self._options
        offer = Offer(
            door,
            self._ports[door],
            rate,
            options.seconds,
            options.connections,
            options.spans_per_call,
        )
        stored, metric = self._stored.count(), self._metric()
        used, begun = self._server.usage(), time.monotonic()
        sent = send(offer)
        offered_until = time.monotonic()
        gained = self._stored.settled(stored + sent.acknowledged) - stored
        drained = time.monotonic()
        later, after = self._server.usage(), self._metric()
        return Step(
            door,
            rate,
            sent.acknowledged / sent.seconds,
            gained / sent.seconds,
            max(0, sent.acknowledged - gained),
            sent.sent - sent.acknowledged,
            drained - offered_until,
            None if metric is None or after is None else after - metric,
            _cores(used, later, drained - begun),
            {role: usage.rss_bytes / MIB for role, usage in later.items()},
        )

    def _metric(self) -> float | None:
        return scrape(self._server).get(STORED_METRIC)


def _cores(before: dict[str, Usage], after: dict[str, Usage], seconds: float) -> dict[str, float]:
    """Used by each role, on average."""
    return {
        role: (usage.cpu_seconds - before.get(role, Usage(0.0, 0)).cpu_seconds) / seconds
        for role, usage in after.items()
    }


def _print(console: Console, door: str, steps: list[Step]) -> None:
    table = Table(title=f"OTLP over {door}")
    for column in ("offered/s", "ack'd/s", "stored/s", "lost", "refused", "drain", "metric"):
        table.add_column(column, justify="right")
    table.add_column("cores")
    table.add_column("MiB")
    for step in steps:
        rates = (step.offered, step.acknowledged, step.stored, step.lost, step.refused)
        table.add_row(
            *(f"{value:,.0f}" for value in rates),
            f"{step.drained_seconds:.1f} s",
            "–" if step.metric is None else f"{step.metric:,.0f}",
            "  ".join(f"{role} {value:.2f}" for role, value in step.cpu.items()),
            "  ".join(f"{role} {value:.0f}" for role, value in step.rss_mib.items()),
            style="green" if step.holds else "red",
        )
    console.print(table)
    held = [step.acknowledged for step in steps if step.holds]
    best = f"{max(held):,.0f} spans/s" if held else "no rate that was tried"
    console.print(f"highest rate without loss over {door}: {best}\n")


def _free_ports(doors: list[str]) -> dict[str, int]:
    """One for each door; taken all at once, so that they differ."""
    sockets = {door: socket.create_server(("127.0.0.1", 0)) for door in doors}
    ports = {door: taken.getsockname()[1] for door, taken in sockets.items()}
    for taken in sockets.values():
        taken.close()
    return ports


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.otlp", description=__doc__)
    parser.add_argument("--doors", default="grpc,http", help="grpc, http or both; default: both")
    parser.add_argument("--connections", type=int, default=16, help="one for each exporter")
    parser.add_argument("--spans-per-call", type=int, default=500, help="SDKs send up to 512")
    parser.add_argument("--start", type=float, default=4000.0, help="first rate, spans/s")
    parser.add_argument("--stop", type=float, default=500_000.0, help="highest rate to try")
    parser.add_argument("--factor", type=float, default=1.6, help="from one rate to the next")
    parser.add_argument("--refine", type=int, default=2, help="rates between the last two")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each rate")
    parser.add_argument("--limit", type=float, default=240.0, help="seconds for each door")
    parser.add_argument("--json", type=Path, help="write the steps here as well")
    parser.add_argument("--log", type=Path, help="keep the server's log")
    parser.add_argument("options", nargs="*", help="further options of raymap serve, after --")
    return parser.parse_args()


def main() -> None:
    options = parse()
    console = Console(width=WIDTH)
    figures: list[Step] = []
    ports = _free_ports(["grpc", "http"])
    given = ["--grpc-port", str(ports["grpc"]), "--otlp-port", str(ports["http"])]
    with running([*given, *options.options], options.log) as server:
        requests = Requests(options.spans_per_call)
        size = len(requests.next())
        console.print(
            f"ready after {server.seconds_to_ready:.2f} s; {requests.spans} spans a call, "
            f"{size / requests.spans:.0f} B each, {options.connections} connections\n"
        )
        bench = Bench(server, ports, options)
        for door in options.doors.split(","):
            steps = list(bench.climb(door))
            figures += steps
            _print(console, door, steps)
    if options.json:
        options.json.write_text(json.dumps([asdict(step) for step in figures], indent=1))


if __name__ == "__main__":
    main()
