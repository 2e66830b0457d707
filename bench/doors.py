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
from urllib.parse import urlsplit

from bench.documents import Documents

UDP_HEADER = b'{"format":"json","version":1}\n'
_BURST_SECONDS = 0.002


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
    receiver, sender = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_run, args=(door, offer, sender))
    process.start()
    sender.close()
    try:
        result: Sent = receiver.recv()
        return result
    except EOFError:
        raise SystemExit(f"the {door} sender died") from None
    finally:
        process.join()


def _run(door: str, offer: Offer, out: Connection) -> None:
    doors: dict[str, Callable[[Offer], Sent]] = {"udp": send_udp, "http": send_http}
    out.send(doors[door](offer))


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
    lock = threading.Lock()
    totals = [0, 0, 0]
    begun = time.perf_counter()

    def connection(_number: int) -> None:
        poster = Poster(offer.http)
        documents = Documents(escaped=True)
        share = offer.rate / offer.connections
        calls = 0
        while time.perf_counter() - begun < offer.seconds:
            due = begun + calls * offer.documents_per_call / share
            time.sleep(max(0.0, due - time.perf_counter()))
            batch = [documents.next()[1] for _ in range(offer.documents_per_call)]
            unprocessed = poster.post(batch)
            calls += 1
            kept = 0 if unprocessed is None else len(batch) - len(unprocessed)
            with lock:
                totals[0] += len(batch)
                totals[1] += kept
                totals[2] += len(batch) - kept

    with ThreadPoolExecutor(offer.connections) as pool:
        list(pool.map(connection, range(offer.connections)))
    return Sent(totals[0], totals[1], totals[2], time.perf_counter() - begun)
