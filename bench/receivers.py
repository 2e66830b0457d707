"""The senders: processes of their own that offer documents at a rate, through UDP, HTTP or gRPC."""

from __future__ import annotations

import json
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bench.documents import Documents

UDP_HEADER = b'{"format":"json","version":1}\n'
_BURST_SECONDS = 0.002
AS_FAST_AS_IT_GOES = 1e9
_Task = TypeVar("_Task")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a sender is to do."""

    http: str
    udp: tuple[str, int]
    rate: float
    """Documents a second; `AS_FAST_AS_IT_GOES` leaves it to the server's answers."""
    seconds: float
    connections: int = 4
    """Of each sender; through UDP, sockets: the kernel gives each to one collector."""
    documents_per_call: int = 50
    senders: int = 1
    """Processes, which share the rate."""
    grpc: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of it, as far as the sender can know."""

    sent: int
    acknowledged: int
    refused: int
    seconds: float


def send(receiver: str, offer: Offer) -> Sent:
    """Run the senders of this receiver, and add up what they say."""
    by_receiver: dict[str, Callable[[Offer], Sent]] = {
        "udp": send_udp,
        "http": send_http,
        "grpc": send_grpc,
    }
    share = replace(offer, rate=offer.rate / offer.senders)
    results = apart_all(by_receiver[receiver], [share] * offer.senders)
    return Sent(
        sum(result.sent for result in results),
        sum(result.acknowledged for result in results),
        sum(result.refused for result in results),
        max(result.seconds for result in results),
    )


def apart(sender: Callable[[_Task], Sent], task: _Task) -> Sent:
    """Run a sender in a process of its own and wait for it; both must be importable."""
    (result,) = apart_all(sender, [task])
    return result


def apart_all(sender: Callable[[_Task], Sent], tasks: Sequence[_Task]) -> list[Sent]:
    """The same with a process for each task, begun together."""
    context = multiprocessing.get_context("spawn")
    begin = context.Event()
    running: list[tuple[Connection, BaseProcess]] = []
    for task in tasks:
        out, into = multiprocessing.Pipe(duplex=False)
        process: BaseProcess = context.Process(target=_run, args=(sender, task, into, begin))
        process.start()
        into.close()
        running.append((out, process))
    try:
        for out, _ in running:
            out.recv()  # it is up
        begin.set()
        return [out.recv() for out, _ in running]
    except EOFError:
        raise SystemExit(f"{sender.__name__}: the sender died") from None
    finally:
        begin.set()
        for _, process in running:
            process.join()


def _run(sender: Callable[[Any], Sent], task: object, into: Connection, begin: Event) -> None:
    into.send("up")
    begin.wait()
    into.send(sender(task))


def send_udp(offer: Offer) -> Sent:
    """Small bursts on a fixed schedule; a late burst is made up for, so the rate is what it says."""
    documents = Documents()
    documents.take(1)
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(offer.connections)]
    for out in sockets:
        out.connect(offer.udp)
    begun = time.perf_counter()
    sent = burst = 0
    while (passed := time.perf_counter() - begun) < offer.seconds:
        due = int(passed * offer.rate) - sent
        if due > 0:
            transmit = sockets[burst % len(sockets)].send
            for _, document in documents.take(due):
                transmit(UDP_HEADER + document)
            sent, burst = sent + due, burst + 1
        time.sleep(_BURST_SECONDS)
    return Sent(sent, sent, 0, time.perf_counter() - begun)


class Poster:
    """One connection that posts PutTraceSegments. Only as much HTTP as that takes: a sender that
    shares the machine with the server must cost next to nothing."""

    def __init__(self, http_url: str) -> None:
        parts = urlsplit(http_url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._head = (
            f"POST /TraceSegments HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._socket: socket.socket | None = None

    def post(self, documents: list[bytes]) -> set[str] | None:
        """The ids that stayed unprocessed; None when the call as a whole was refused or broke."""
        body = b'{"TraceSegmentDocuments":[' + b",".join(documents) + b"]}"
        try:
            if self._socket is None:
                self._socket = socket.create_connection(self._address, timeout=30)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(self._head + b"%d\r\n\r\n" % len(body) + body)
            status, said = self._answer(self._socket)
        except (OSError, ValueError):
            if self._socket is not None:
                self._socket.close()
            self._socket = None
            return None
        if status != 200:
            return None
        unprocessed = json.loads(said).get("UnprocessedTraceSegments") or []
        return {str(item.get("Id")) for item in unprocessed}

    def _answer(self, connection: socket.socket) -> tuple[int, bytes]:
        """Status and body. Raises OSError or ValueError when it breaks off."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more(connection)
        head, _, body = received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += self._more(connection)
        return int(head.split(b" ", 2)[1]), body

    def _more(self, connection: socket.socket) -> bytes:
        piece = connection.recv(65_536)
        if not piece:
            raise OSError("the server closed the connection")
        return piece


def send_http(offer: Offer) -> Sent:
    """Each connection posts on its own schedule and falls behind when the server does."""
    size = offer.documents_per_call

    def connect() -> Callable[[], int]:
        poster, documents = Poster(offer.http), Documents(escaped=True)

        def call() -> int:
            unprocessed = poster.post([document for _, document in documents.take(size)])
            return 0 if unprocessed is None else size - len(unprocessed)

        return call

    return on_schedule(connect, size, offer.rate, offer.seconds, offer.connections)


def send_grpc(offer: Offer) -> Sent:
    """The same with `raymap.v1.SegmentService.PutSegments`."""
    import grpc

    from collector._pb import segments_pb2, segments_pb2_grpc

    size = offer.documents_per_call

    def connect() -> Callable[[], int]:
        options = [("grpc.use_local_subchannel_pool", 1)]  # a connection for each
        channel = grpc.insecure_channel(offer.grpc, options)
        stub: Any = segments_pb2_grpc.SegmentServiceStub(channel)  # type: ignore[no-untyped-call]
        documents = Documents()

        def call() -> int:
            batch = [document for _, document in documents.take(size)]
            try:
                request = segments_pb2.PutSegmentsRequest(documents=batch)
                return int(stub.PutSegments(request, timeout=30).stored)
            except grpc.RpcError:
                return 0

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
            acknowledged_total = call()
            calls += 1
            with lock:
                sent += size
                acknowledged += acknowledged_total

    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(connection, range(connections)))
    return Sent(sent, acknowledged, sent - acknowledged, time.perf_counter() - begun)
