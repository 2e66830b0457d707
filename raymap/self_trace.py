"""`--self-trace`: the API's own requests as traces of the service ``raymap``, through its own pipeline.

A request is a server span, each of its queries a client span of ClickHouse. Spans are handed to the
pipeline in this process, not sent: what stores them makes no request, so that nothing is traced for
being traced. Requests that bring traces, of health, metrics and files of the console are left out; of the
others at most `MOST_PER_SECOND`, and when their queue is full they are dropped and counted.
"""

from __future__ import annotations

import queue
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import structlog
from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import CLIENT_LEFT, route_of
from collector.decode.rejected import Rejected
from collector.journal.format import Kind
from collector.pipeline import IngestPipeline
from raymap.auth.permissions import Permission, required
from store.metrics import QUERIES, QueryTime

MOST_PER_SECOND = 20
MOST_WAITING = 200
"""Requests whose spans wait to be handed over."""
MOST_QUERIES = 100
"""Client spans of one request."""
SERVICE, RECEIVER = "raymap", "self-trace"
_SERVER, _CLIENT, _ERROR = 2, 3, 2
"""Numbers of OTLP: kinds of spans, and the status of those that failed."""
_LEFT_OUT = frozenset({Permission.PUBLIC, Permission.INGEST})
DROPPED = Counter("raymap_self_trace_dropped", "Requests that were not traced: too many at once")
log = structlog.get_logger(__name__)


class Handled(NamedTuple):
    """A request that was answered; times in epoch seconds."""

    method: str
    route: str
    status: int
    start: float
    end: float
    queries: Sequence[QueryTime]


class SelfTrace:
    """ASGI middleware between the guards and the app of the API."""

    def __init__(self, app: ASGIApp, pipeline: IngestPipeline, version: str) -> None:
        self._app, self._pipeline, self._version = app, pipeline, version
        self._waiting: queue.Queue[Handled] = queue.Queue(MOST_WAITING)
        self._second, self._traced = 0, 0
        threading.Thread(target=self._hand_over, name="self-trace", daemon=True).start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._takes(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        status = int(CLIENT_LEFT)

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        queries: list[QueryTime] = []
        token = QUERIES.set(queries)
        start, begun = time.time(), time.perf_counter()
        try:
            await self._app(scope, receive, send_and_note)
        finally:
            QUERIES.reset(token)
            end = start + time.perf_counter() - begun
            self._note(Handled(scope["method"], route_of(scope), status, start, end, queries))

    def _takes(self, method: str, path: str) -> bool:
        """Whether a request is traced. The permission of a route says what kind it is."""
        if path == "/metrics" or required(method, path) in _LEFT_OUT:
            return False
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._traced = second, 0
        self._traced += 1
        if self._traced > MOST_PER_SECOND:
            DROPPED.inc()
            return False
        return True

    def _note(self, handled: Handled) -> None:
        try:
            self._waiting.put_nowait(handled)
        except queue.Full:
            DROPPED.inc()

    def _hand_over(self) -> None:
        """Run in a thread until the process ends: a full journal makes it wait, and the queue fill."""
        while True:
            handled = [self._waiting.get()]
            while len(handled) < MOST_WAITING and not self._waiting.empty():
                handled.append(self._waiting.get_nowait())
            try:
                body = export_request(handled, self._version)
                self._pipeline.offer(
                    self._pipeline.decode_request(Kind.OTLP_JSON, body, RECEIVER), wait=1.0
                )
            except Rejected as rejected:  # a bug of ours, which must not end the thread
                log.error("self_trace_rejected", reason=str(rejected))


def export_request(handled: Sequence[Handled], version: str) -> bytes:
    """An ExportTraceServiceRequest, as JSON."""
    resource = _attributes({"service.name": SERVICE, "service.version": version})
    spans = [span for each in handled for span in spans_of(each)]
    scope = {"scope": {"name": "raymap.self_trace"}, "spans": spans}
    return msgspec.json.encode(
        {"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [scope]}]}
    )


def spans_of(handled: Handled) -> Iterator[dict[str, Any]]:
    """The request's span, and one of each query. No text of the client's is in them: a route, no path."""
    trace, request = _trace_id(handled.start), secrets.token_hex(8)
    yield {
        **_span(trace, request, handled.start, handled.end, failed=handled.status >= 500),
        "kind": _SERVER,
        "name": f"{handled.method} {handled.route}",
        "attributes": _attributes(
            {
                "http.request.method": handled.method,
                "http.route": handled.route,
                "url.path": handled.route,
                "http.response.status_code": handled.status,
            }
        ),
    }
    for query in handled.queries[:MOST_QUERIES]:
        yield {
            **_span(trace, secrets.token_hex(8), query.start, query.end, failed=query.failed),
            "parentSpanId": request,
            "kind": _CLIENT,
            "name": query.name,
            "attributes": _attributes(
                {"db.system.name": "clickhouse", "db.operation.name": query.name}
            ),
        }


def _trace_id(start: float) -> str:
    """Begins with the second, as X-Ray's do."""
    return f"{int(start):08x}{secrets.token_hex(12)}"


def _span(trace: str, id: str, start: float, end: float, *, failed: bool) -> dict[str, Any]:
    return {
        "traceId": trace,
        "spanId": id,
        "startTimeUnixNano": str(int(start * 1e9)),
        "endTimeUnixNano": str(int(end * 1e9)),
        **({"status": {"code": _ERROR}} if failed else {}),
    }


def _attributes(values: dict[str, str | int]) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value},
        }
        for key, value in values.items()
    ]
