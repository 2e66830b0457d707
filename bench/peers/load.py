"""The load that all systems get: the shop of `bench.shop` as OTLP over gRPC, every id and time new.

Requests are encoded once. For each round ids and times are written into the encoded bytes, so that a
sender, a process of its own, takes a few microseconds a span.
"""

from __future__ import annotations

import http.client
import os
import queue
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from typing import TYPE_CHECKING, NamedTuple

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from bench.shop import Shop

if TYPE_CHECKING:
    from bench.peers.zipkin_load import ZipkinTemplate

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
RETRIED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
_NUMBER = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a sender is to do, and where."""

    target: str
    spans: int
    connections: int = 16
    rate: float = 0.0
    """Spans a second; 0: as fast as they are acknowledged."""
    traces: int = 600
    """Of 10 spans in a round: 12 requests of some 500 spans."""
    protocol: str = "otlp"
    """`zipkin`, or `kafka`, whose target is BROKER/TOPIC."""


@dataclass(slots=True)
class Sent:
    """What became of it. Latencies in seconds."""

    sent: int = 0
    acknowledged: int = 0
    retried: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    trace_ids: list[bytes] = field(default_factory=list)
    """Some, from the beginning to the end."""
    errors: dict[str, int] = field(default_factory=dict)

    def latency(self, percent: int) -> float:
        """Of an acknowledgement, in milliseconds."""
        if len(self.latencies) < 2:
            return float("nan")
        return 1e3 * quantiles(self.latencies, n=100, method="inclusive")[percent - 1]


class _Place(NamedTuple):
    """Where a number stands in an encoded request, its value there, and its trace's number."""

    offset: int
    value: int
    trace: int


class Round:
    """Ids of so many traces, what their span ids are combined with, and by how much times move."""

    def __init__(self, traces: int, begun: int) -> None:
        self.trace_ids = [os.urandom(16) for _ in range(traces)]
        self.keys = struct.unpack(f"<{traces}Q", os.urandom(8 * traces))
        self.shift = time.time_ns() - 1_300_000_000 - begun


class Template:
    """An encoded request, and where in it ids and times stand."""

    def __init__(self, body: bytes, traces: dict[bytes, int]) -> None:
        self._body = body
        self.trace_ids: list[tuple[int, int]] = []
        self.ids: list[_Place] = []
        self.times: list[_Place] = []
        request = ExportTraceServiceRequest.FromString(body)
        spans = [
            s for part in request.resource_spans for few in part.scope_spans for s in few.spans
        ]
        self.spans = len(spans)
        at = 0
        for span in spans:
            number = traces.setdefault(span.trace_id, len(traces))
            at = body.index(span.trace_id, at)
            self.trace_ids.append((at, number))
            for id in filter(None, (span.span_id, span.parent_span_id)):
                at = body.index(id, at)
                self.ids.append(_Place(at, _NUMBER.unpack(id)[0], number))
            for moment in (span.start_time_unix_nano, span.end_time_unix_nano):
                at = body.index(_NUMBER.pack(moment), at)
                self.times.append(_Place(at, moment, number))

    def render(self, fresh: Round) -> bytes:
        """The request with other ids and times."""
        body = bytearray(self._body)
        for offset, number in self.trace_ids:
            body[offset : offset + 16] = fresh.trace_ids[number]
        put = _NUMBER.pack_into
        for offset, value, number in self.ids:
            put(body, offset, value ^ fresh.keys[number])
        for offset, value, _ in self.times:
            put(body, offset, value + fresh.shift)
        return bytes(body)


class Sender:
    """Rounds of the shop over many connections; what is unavailable is sent again, as exporters do."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._shop = Shop(offer.traces, 800)
        self._numbers: dict[bytes, int] = {}
        kind: Callable[[bytes, dict[bytes, int]], Template | ZipkinTemplate] = Template
        if offer.protocol == "zipkin":
            from bench.peers.zipkin_load import ZipkinTemplate

            kind = ZipkinTemplate
        self._templates = [kind(body, self._numbers) for body in self._shop.bodies]
        self._queue: queue.Queue[tuple[int, bytes] | None] = queue.Queue(2 * offer.connections)
        self._lock = threading.Lock()
        self.sent = Sent()

    def run(self) -> Sent:
        """Send all, and wait for the acknowledgements."""
        with self.connected() as begun:
            while self.sent.sent < self._offer.spans:
                self.round(begun)
        self.sent.seconds = time.monotonic() - begun
        return self.sent

    @contextmanager
    def connected(self) -> Iterator[float]:
        """The connections, and when they began; at the end all that was sent is acknowledged."""
        threads = [
            threading.Thread(target=self._connection) for _ in range(self._offer.connections)
        ]
        for thread in threads:
            thread.start()
        yield time.monotonic()
        for _ in threads:
            self._queue.put(None)
        for thread in threads:
            thread.join()

    def round(self, begun: float) -> None:
        """Send each request once, with other ids and times."""
        fresh = Round(len(self._numbers), self._shop.begun)
        self.sent.trace_ids += fresh.trace_ids[:: max(1, len(self._numbers) // 10)]
        for template in self._templates:
            body = template.render(fresh)
            if self._offer.rate:
                due = begun + self.sent.sent / self._offer.rate
                time.sleep(max(0.0, due - time.monotonic()))
            self._queue.put((template.spans, body))
            self.sent.sent += template.spans

    def _connection(self) -> None:
        with _exporter(self._offer) as export:
            while (item := self._queue.get()) is not None:
                self._export(export, *item)

    def _export(self, export: Callable[[bytes], int], spans: int, body: bytes) -> None:
        begun = time.monotonic()
        for attempt in range(60):
            try:
                refused = export(body)
            except (grpc.RpcError, OSError, http.client.HTTPException) as error:
                again = not isinstance(error, grpc.RpcError) or error.code() in RETRIED
                with self._lock:
                    reason = _reason(error)
                    self.sent.errors[reason] = self.sent.errors.get(reason, 0) + 1
                    self.sent.retried += spans
                if not again:
                    return
                time.sleep(min(0.1 * (attempt + 1), 1.0))
                continue
            with self._lock:
                self.sent.acknowledged += spans - refused
                self.sent.latencies.append(time.monotonic() - begun)
            return


def _reason(error: Exception) -> str:
    if isinstance(error, grpc.RpcError):
        return f"{error.code()}: {error.details() or ''}"[:120]
    return repr(error)[:120]


@contextmanager
def _exporter(offer: Offer) -> Iterator[Callable[[bytes], int]]:
    """What sends a request over a connection of its own, and says how many spans were refused."""
    if offer.protocol == "zipkin":
        from bench.peers.zipkin_load import zipkin_export

        yield zipkin_export(offer.target)
        return
    if offer.protocol == "kafka":
        yield _kafka_export(*offer.target.split("/"))
        return
    options = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_send_message_length", 64 << 20),
    ]
    with grpc.insecure_channel(offer.target, options=options) as channel:
        call = channel.unary_unary(EXPORT, None, ExportTraceServiceResponse.FromString)

        def export(body: bytes) -> int:
            answer: ExportTraceServiceResponse = call(body, timeout=60)
            return answer.partial_success.rejected_spans

        yield export


def send(offer: Offer) -> Sent:
    """Run in a process of its own (`bench.receivers.apart`)."""
    return Sender(offer).run()


def _kafka_export(broker: str, topic: str) -> Callable[[bytes], int]:
    """As the Collector's exporter sends: a request is a record, acknowledged by the broker."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": broker, "acks": "all"})

    def export(body: bytes) -> int:
        producer.produce(topic, body)
        if producer.flush(60):
            raise OSError("the broker does not acknowledge")
        return 0

    return export
