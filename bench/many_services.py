"""What a large house's map costs: thousands of services, each with twenty cases, over a week.

Every service serves requests and calls a table and two other services, each with five outcomes. A server is sent a request of every service and outcome for each
minute of the last hour, and for one minute of every hour of the last week, as OTLP. Printed are what is stored a minute, and what the map costs
of an hour, a day and a week: the store's graph in this process, and the console's map over HTTP.

    python -m bench.many_services --services 2000
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from bench.counting import scrape
from bench.http_reads import HEAD, HttpReads, Request, line_of
from bench.otlp import grpc_export
from bench.sections import table
from bench.server import Server, running
from bench.spans import put
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded import address
from store.clickhouse.store import ClickHouseStore
from store.model import TimeRange

MINUTE, HOUR = 60, 3600
WINDOWS = {"1 h": HOUR, "24 h": 24 * HOUR, "7 d": 168 * HOUR}
STATUSES = (200, 404, 429, 500, 503)
"""An outcome of a request and of its calls."""
AT_ONCE = 100
"""Services in an export."""
CONNECTIONS = 6
_SECOND = 1_000_000_000


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with running() as server:
        return measure(server, options)


def measure(server: Server, options: argparse.Namespace) -> int:
    """Send, wait until all is counted, and read."""
    begun = int(time.time()) // MINUTE * MINUTE - 2 * MINUTE
    minutes = [begun - HOUR * number for number in range(1, 24 * options.days)]
    minutes = [*reversed(minutes), *range(begun - HOUR + MINUTE, begun + MINUTE, MINUTE)]
    before = server.usage()
    spans = Sender(server, options.services).send(minutes)
    waited = time.monotonic()
    while scrape(server).get("raymap_dirty_minutes", 0) or time.monotonic() - waited < 15:
        time.sleep(1)
    used = {
        role: each.cpu_seconds - before[role].cpu_seconds for role, each in server.usage().items()
    }
    parts = ", ".join(f"{role} {seconds / spans * 1e6:.1f}" for role, seconds in used.items())
    memory = ", ".join(
        f"{role} {each.rss_bytes / 1e6:.0f}" for role, each in server.usage().items()
    )
    print(f"{spans:,} spans in {len(minutes)} minutes; CPU-s/M: {parts}; MB: {memory}")
    tables(server, len(minutes))
    graphs(server, begun + MINUTE, options.rounds)
    reads(server, begun + MINUTE, options.rounds)
    return 0


class Sender:
    """Exports over some connections, each of which waits for its answer."""

    def __init__(self, server: Server, services: int) -> None:
        self._port = int(server.grpc.rpartition(":")[2])
        self._services = services

    def send(self, minutes: list[int]) -> int:
        """A request of every service in each minute, with the outcome of the next of five; how many spans."""
        export = grpc_export(self._port)

        def send(body: bytes) -> None:
            while export(body) is None:
                time.sleep(0.2)

        spans = 0
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            for number, minute in enumerate(minutes):
                bodies = list(self._bodies(minute, number))
                spans += sum(count for _, count in bodies)
                list(threads.map(send, (body for body, _ in bodies)))
        return spans

    def _bodies(self, minute: int, number: int) -> Iterator[tuple[bytes, int]]:
        for first in range(0, self._services, AT_ONCE):
            request, count = ExportTraceServiceRequest(), 0
            for service in range(first, min(first + AT_ONCE, self._services)):
                count += self._add(request, service, minute, STATUSES[(number + service) % 5])
            yield request.SerializeToString(), count

    def _add(
        self, request: ExportTraceServiceRequest, service: int, minute: int, status: int
    ) -> int:
        """A request of a service, its three calls, and the answers of two."""
        trace, start = os.urandom(16), minute * _SECOND + service % 50 * _SECOND
        served = _span(trace, b"", Span.SPAN_KIND_SERVER, start, 90, status)
        own = [served]
        for place, step in enumerate((1, 7)):
            callee = (service + step) % self._services
            call = _span(
                trace, served.span_id, Span.SPAN_KIND_CLIENT, start + place * 1000, 40, status
            )
            answer = _span(
                trace, call.span_id, Span.SPAN_KIND_SERVER, start + place * 1000, 30, status
            )
            own.append(call)
            _part(request, callee, [answer])
        select = _span(trace, served.span_id, Span.SPAN_KIND_CLIENT, start, 9, status)
        put(
            select.attributes,
            {"db.system.name": "postgresql", "db.namespace": f"table-{service:05}"},
        )
        own.append(select)
        _part(request, service, own)
        return 6


def _span(
    trace: bytes, parent: bytes, kind: Span.SpanKind.ValueType, start: int, ms: int, status: int
) -> Span:
    span = Span(trace_id=trace, span_id=os.urandom(8), parent_span_id=parent, kind=kind, name="GET")
    span.start_time_unix_nano, span.end_time_unix_nano = start, start + ms * 1_000_000
    put(span.attributes, {"http.request.method": "GET", "http.response.status_code": status})
    if status >= 500:
        span.status.code = Status.STATUS_CODE_ERROR
    return span


def _part(request: ExportTraceServiceRequest, service: int, spans: list[Span]) -> None:
    part = request.resource_spans.add()
    put(part.resource.attributes, {"service.name": f"service-{service:05}"})
    part.scope_spans.add().spans.extend(spans)


def tables(server: Server, minutes: int) -> None:
    """Rows and bytes of each table, and of a minute."""
    client = connect(address(server.data_dir))
    client.execute("OPTIMIZE TABLE rollups FINAL")
    rows = client.execute(
        "SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() "
        "GROUP BY table ORDER BY 3 DESC LIMIT 5"
    )
    for name, count, size in rows:
        print(
            f"  {name}: {count:,} rows, {size / 1e6:.1f} MB ({count / minutes:,.0f} and {size / minutes / 1e3:.0f} kB a minute)"
        )
    client.disconnect()


def graphs(server: Server, end: int, rounds: int) -> None:
    """The store's graph of each window, as this process reads it: the first time and later ones."""
    store = ClickHouseStore(address(server.data_dir))
    for name, length in WINDOWS.items():
        seconds = []
        for _ in range(rounds):
            window = TimeRange((end - length) * 1_000_000, end * 1_000_000)
            begun = time.perf_counter()
            graph = store.service_graph(window)
            seconds.append(time.perf_counter() - begun)
        print(
            f"store, {name}: {len(graph.services):,} nodes, {len(graph.edges):,} edges: first {seconds[0] * 1000:.0f} ms, "
            f"then {statistics.median(seconds[1:]) * 1000:.0f} ms",
            flush=True,
        )
    store.close()


def reads(server: Server, end: int, rounds: int) -> None:
    """The console's map over HTTP; each round ends a little earlier, so that no answer is the last one's."""
    http = HttpReads(server, rounds)
    http.settle()

    def request(length: int, round: int) -> Request:
        until = end - 5 * round
        return "/api/map", {"from": until - length, "to": until}

    print("\n".join(table(HEAD, ())))
    for name, length in WINDOWS.items():
        read = http.measure(f"map of {name}", partial(request, length))
        print(line_of(read), flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
