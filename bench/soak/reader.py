"""The readers: processes that ask for the map and for traces, as people and boto3 do."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from bench.soak.traces import PROBE

MAPS = {"map of 5 min": 300.0, "map of 1 h": 3600.0}
"""Queried with boto3's GetServiceGraph; seconds of their windows."""
CONSOLE, LISTING, TRACE = "console map, 5 min", "100 newest traces", "one trace"
FRESH = "on the map, from its datagram"
"""How long a segment takes from the socket to the map: a node of its own, looked for until it is there."""
FRESH_SPAN = "on the map, from its span"
"""The same of a span in a trace with a random id, from its request."""
KINDS = (*MAPS, CONSOLE, LISTING, TRACE, FRESH, FRESH_SPAN)
_TIMEOUT = 60.0
_LOOK = 1.0
"""Seconds, at most, from one look for such a node to the next."""


class Answer(NamedTuple):
    """``at``: seconds since the epoch; ``seconds`` until the whole answer was there and parsed."""

    kind: str
    at: float
    seconds: float
    failed: str


class Readers:
    """So many processes; each asks everything, pauses, and begins again."""

    def __init__(self, http: str, udp: tuple[str, int], count: int, pause: float) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        self._pipes: list[Any] = []
        self._processes = []
        self._answers: list[Answer] = []
        for _ in range(count):
            reader, writer = context.Pipe(duplex=False)
            process = context.Process(
                target=_run, args=(http, udp, pause, writer, self._stop), daemon=True
            )
            process.start()
            writer.close()
            self._pipes.append(reader)
            self._processes.append(process)

    def answers(self) -> list[Answer]:
        """All until now."""
        for pipe in self._pipes:
            try:
                while pipe.poll():
                    self._answers.append(pipe.recv())
            except EOFError:
                if not self._stop.is_set():
                    raise SystemExit("a reader died") from None
        return self._answers

    def stop(self) -> list[Answer]:
        """Stop after the current query."""
        self._stop.set()
        for process in self._processes:
            process.join(2 * _TIMEOUT)
        return self.answers()


def xray_client(http: str) -> Any:
    """boto3's client of a Raymap; it asks once."""
    import boto3
    from botocore.config import Config

    once = Config(retries={"total_max_attempts": 1}, read_timeout=_TIMEOUT)
    keys = {"aws_access_key_id": "raymap", "aws_secret_access_key": "raymap"}
    return boto3.client("xray", endpoint_url=http, region_name="us-east-1", config=once, **keys)


def _run(
    http: str, udp: tuple[str, int], pause: float, out: Connection, stop: threading.Event
) -> None:
    client = xray_client(http)

    def service_graph(length: float) -> None:
        now = time.time()
        client.get_service_graph(StartTime=now - length, EndTime=now)

    def console(path: str, length: float = 300.0, more: str = "") -> Any:
        now = time.time()
        return _get(f"{http}{path}?from={now - length:.3f}&to={now:.3f}{more}")

    newest: list[str] = []

    def listing() -> None:
        newest[:] = [trace["id"] for trace in console("/api/traces", more="&limit=100")["traces"]]

    def trace() -> None:
        _get(f"{http}/api/traces/{newest[-1]}")

    def fresh(send: Callable[[str], object]) -> None:
        # No clock: in one of ten its digits are a valid card number, and are redacted.
        name = f"{PROBE}-{os.urandom(6).hex()}"
        send(name)
        begun = time.monotonic()
        while name not in {node["name"] for node in console("/api/map")["nodes"]}:
            waited = time.monotonic() - begun
            if waited > _TIMEOUT:
                raise TimeoutError(f"{name} is not on the map after {_TIMEOUT:.0f} s")
            time.sleep(min(_LOOK, waited / 10))  # or it would be the looking that is measured

    questions: dict[str, Callable[[], Any]] = {
        **{kind: partial(service_graph, length) for kind, length in MAPS.items()},
        CONSOLE: partial(console, "/api/map"),
        LISTING: listing,
        TRACE: trace,
        FRESH: partial(fresh, partial(_send, udp)),
        FRESH_SPAN: partial(fresh, partial(_send_span, http)),
    }
    while not stop.is_set():
        for kind, question in questions.items():
            if kind == TRACE and not newest:
                continue
            begun, failed = time.perf_counter(), ""
            try:
                question()
            except Exception as error:  # whatever the client raises is the figure here
                failed = repr(error)[:200]
            out.send(Answer(kind, time.time(), time.perf_counter() - begun, failed))
        stop.wait(pause)
    out.close()


def _send(udp: tuple[str, int], name: str) -> None:
    """A segment that began a second ago, as a datagram."""
    now = time.time()
    trace_id = f"1-{int(now):08x}-{PROBE.encode().hex()}{os.urandom(7).hex()}"
    segment = {
        "name": name,
        "id": os.urandom(8).hex(),
        "trace_id": trace_id,
        "start_time": now - 1.0,
        "end_time": now,
    }
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(b'{"format": "json", "version": 1}\n' + json.dumps(segment).encode(), udp)


def _send_span(http: str, name: str) -> None:
    """A span that began a second ago, in a trace with a random id."""
    now = time.time_ns()
    span = {
        "traceId": os.urandom(4).hex() + PROBE.encode().hex() + os.urandom(7).hex(),
        "spanId": os.urandom(8).hex(),
        "name": "GET /",
        "kind": 2,
        "startTimeUnixNano": f"{now - 1_000_000_000}",
        "endTimeUnixNano": f"{now}",
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": name}}]}
    part = {"resource": resource, "scopeSpans": [{"spans": [span]}]}
    request = urllib.request.Request(
        f"{http}/v1/traces",
        json.dumps({"resourceSpans": [part]}).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=_TIMEOUT).close()


def _get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=_TIMEOUT) as answer:
        return json.load(answer)
