"""The senders: processes that offer documents at a steady rate, X-Ray's traces over UDP and HTTP, spans over gRPC."""

from __future__ import annotations

import multiprocessing
import queue
import socket
import threading
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from bench.receivers import UDP_HEADER, Poster
from bench.soak import spans
from bench.soak.traces import TEMPLATES, Forms, Traces

_TICK = 0.002
_FLUSH = 0.2
_STARTUP = 30.0
_SOCKETS = 8
"""The kernel spreads datagrams over the collectors by the port they come from."""


@dataclass(frozen=True, slots=True)
class Load:
    """``otlp_share`` of ``rate`` documents a second are spans. Of the others ``http_share`` go through
    PutTraceSegments, and the rest as datagrams."""

    http: str
    udp: tuple[str, int]
    grpc: str
    rate: float
    otlp_share: float
    http_share: float
    connections: int
    documents_per_call: int

    @property
    def spans(self) -> float:
        """A second."""
        return self.rate * self.otlp_share


@dataclass(frozen=True, slots=True)
class Sent:
    """So far. ``used`` traces by template; ``seconds`` of sending."""

    udp: int = 0
    posted: int = 0
    acknowledged: int = 0
    refused: int = 0
    seconds: float = 0.0
    used: tuple[int, ...] = (0,) * TEMPLATES
    spans: int = 0
    spans_acknowledged: int = 0

    @property
    def sent(self) -> int:
        return self.udp + self.posted + self.spans

    @property
    def acknowledged_documents(self) -> int:
        """What has to be stored: all datagrams, and what was acknowledged."""
        return self.udp + self.acknowledged + self.spans_acknowledged


class _Process:
    """A sender's process, and the last it has said of itself."""

    def __init__(self, run: Any, *task: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._reader, writer = context.Pipe(duplex=False)
        self._stop = context.Event()
        self._process = context.Process(target=run, args=(*task, writer, self._stop), daemon=True)
        self._process.start()
        writer.close()
        self.last: Any = None
        if not self._reader.poll(_STARTUP):
            raise SystemExit("a sender did not start")

    def progress(self) -> None:
        """Read what it has said until now."""
        try:
            while self._reader.poll():
                self.last = self._reader.recv()
        except EOFError:
            raise SystemExit("a sender died") from None

    def stop(self) -> None:
        """End it."""
        self._stop.set()

    def join(self) -> None:
        """Wait until what is on its way has been answered."""
        try:
            while True:
                self.last = self._reader.recv()
        except EOFError:
            self._process.join()


class Sender:
    """Runs until `stop`; `progress` is a second old at most, of spans a round of them."""

    def __init__(self, load: Load) -> None:
        self._documents = _Process(_run, load)
        self._spans = _Process(spans.run, load.grpc, load.spans) if load.spans else None

    def progress(self) -> Sent:
        """What was sent until now."""
        for process in self._processes():
            process.progress()
        return self._together()

    def stop(self) -> Sent:
        """End after what is on its way has been answered."""
        for process in self._processes():
            process.stop()
        for process in self._processes():
            process.join()
        return self._together()

    def _processes(self) -> list[_Process]:
        return [each for each in (self._documents, self._spans) if each is not None]

    def _together(self) -> Sent:
        sent: Sent = self._documents.last
        if self._spans is None:
            return sent
        more: spans.Sent = self._spans.last
        return replace(
            sent,
            spans=more.sent,
            spans_acknowledged=more.acknowledged,
            refused=sent.refused + more.refused,
        )


class _Posts:
    """Connections that post batches from a short queue; a full one blocks the sender."""

    def __init__(self, load: Load) -> None:
        self._batches: queue.Queue[list[bytes] | None] = queue.Queue(load.connections)
        self._lock = threading.Lock()
        self.posted = self.acknowledged = self.refused = 0
        self._threads = [
            threading.Thread(target=self._connection, args=(Poster(load.http),), daemon=True)
            for _ in range(load.connections)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, batch: list[bytes]) -> None:
        self._batches.put(batch)

    def close(self) -> None:
        for _ in self._threads:
            self._batches.put(None)
        for thread in self._threads:
            thread.join()

    def _connection(self, poster: Poster) -> None:
        while (batch := self._batches.get()) is not None:
            unprocessed = poster.post(batch)
            accepted = 0 if unprocessed is None else len(batch) - len(unprocessed)
            with self._lock:
                self.posted += len(batch)
                self.acknowledged += accepted
                self.refused += len(batch) - accepted


def _run(load: Load, out: Connection, stop: threading.Event) -> None:
    traces, posts = Traces(), _Posts(load)
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(_SOCKETS)]
    for out_socket in sockets:
        out_socket.connect(load.udp)
    begun = reported_at = flushed = time.perf_counter()
    sent = udp = 0
    owed, rate = 0.0, load.rate - load.spans
    batch: list[bytes] = []

    def tell(passed: float) -> None:
        counts = (udp, posts.posted, posts.acknowledged, posts.refused)
        out.send(Sent(*counts, passed, tuple(traces.used)))

    tell(0.0)
    while not stop.is_set():
        now = time.perf_counter()
        due = int((now - begun) * rate)
        while sent < due:
            documents: list[Forms] = traces.next()
            sent += len(documents)
            for document in documents:
                owed += load.http_share
                if owed >= 1.0:
                    owed -= 1.0
                    batch.append(document.quoted)
                    if len(batch) >= load.documents_per_call:
                        posts.put(batch)
                        batch, flushed = [], now
                else:
                    sockets[udp % _SOCKETS].send(UDP_HEADER + document.plain)
                    udp += 1
        if batch and now - flushed > _FLUSH:
            posts.put(batch)
            batch, flushed = [], now
        if now - reported_at > 0.5:
            reported_at = now
            tell(now - begun)
        time.sleep(_TICK)
    passed = time.perf_counter() - begun
    if batch:
        posts.put(batch)
    posts.close()
    tell(passed)
    out.close()
