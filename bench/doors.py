"""The senders: processes of their own that offer documents at a rate, through UDP or HTTP."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bench.documents import Documents

UDP_HEADER = b'{"format":"json","version":1}\n'
_BURST_SECONDS = 0.002
_Task = TypeVar("_Task")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a sender is to do."""

    http: str
    udp: tuple[str, int]
    rate: float
    seconds: float
    connections: int = 4
    documents_per_call: int = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of it, as far as the sender can know."""

    sent: int
    acknowledged: int
    refused: int
    seconds: float


def send(door: str, offer: Offer) -> Sent:
    """Run the sender of this door in a process and wait for it."""
    doors: dict[str, Callable[[Offer], Sent]] = {"udp": send_udp, "http": send_http}
    return apart(doors[door], offer)


def apart(sender: Callable[[_Task], Sent], task: _Task) -> Sent:
    """Run a sender in a process of its own and wait for it; both must be importable."""
    out, into = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_run, args=(sender, task, into))
    process.start()
    into.close()
    try:
        result: Sent = out.recv()
        return result
    except EOFError:
        raise SystemExit(f"{sender.__name__}: the sender died") from None
    finally:
        process.join()


def _run(sender: Callable[[Any], Sent], task: object, into: Connection) -> None:
    into.send(sender(task))


def send_udp(offer: Offer) -> Sent:
    """Small bursts on a fixed schedule; a late burst is made up for, so the rate is what it says."""
    documents = Documents()
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.connect(offer.udp)
    begun = time.perf_counter()
    sent = 0
    while (passed := time.perf_counter() - begun) < offer.seconds:
        due = int(passed * offer.rate)
        for _ in range(due - sent):
            out.send(UDP_HEADER + documents.next()[1])
        sent = max(sent, due)
        time.sleep(_BURST_SECONDS)
    return Sent(sent, sent, 0, time.perf_counter() - begun)


class Poster:
    """One connection that posts PutTraceSegments."""

    def __init__(self, http_url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(http_url).netloc, timeout=30)

    def post(self, documents: list[bytes]) -> set[str] | None:
        """The ids that stayed unprocessed; None when the call as a whole was refused or broke."""
        body = b'{"TraceSegmentDocuments":[' + b",".join(documents) + b"]}"
        try:
            self._connection.request(
                "POST", "/TraceSegments", body, {"Content-Type": "application/json"}
            )
            answer = self._connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return None
        if answer.status != 200:
            return None
        unprocessed = json.loads(said).get("UnprocessedTraceSegments") or []
        return {str(item.get("Id")) for item in unprocessed}


def send_http(offer: Offer) -> Sent:
    """Each connection posts on its own schedule and falls behind when the server does."""
    size = offer.documents_per_call

    def connect() -> Callable[[], int]:
        poster, documents = Poster(offer.http), Documents(escaped=True)

        def call() -> int:
            unprocessed = poster.post([documents.next()[1] for _ in range(size)])
            return 0 if unprocessed is None else size - len(unprocessed)

        return call

    return on_schedule(connect, size, offer.rate, offer.seconds, offer.connections)


def on_schedule(
    connect: Callable[[], Callable[[], int]],
    size: int,
    rate: float,
    seconds: float,
    connections: int,
) -> Sent:
    """Calls at a rate of documents, each connection in a thread and in its own turn.

    ``connect`` gives a call that sends ``size`` documents, and says how many were acknowledged.
    """
    lock = threading.Lock()
    sent = acknowledged = 0
    begun = time.perf_counter()

    def connection(_number: int) -> None:
        nonlocal sent, acknowledged
        call, calls = connect(), 0
        while time.perf_counter() - begun < seconds:
            due = begun + calls * size * connections / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            kept = call()
            calls += 1
            with lock:
                sent += size
                acknowledged += kept

    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(connection, range(connections)))
    return Sent(sent, acknowledged, sent - acknowledged, time.perf_counter() - begun)
