"""What authentication costs of ingest: the same requests to a collector that requires keys, and to one that does not.

Two collectors on one ClickHouse get the same number of documents in turn, round by round, so that
whatever else the machine does meets both. Of each receiver: processor time of the collector and
documents a second, with and without keys, and the median over rounds of their difference. The guard alone
is measured as well, in this process; of a cost of some microseconds a request it says more than rates do.

    python -m bench.auth [--rounds 10] [--documents 20000] [--size 50]
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psutil

from bench.auth_guard import (
    BEARER,
    EXPORT,
    MASTER,
    OTLP_GRPC,
    RECEIVERS,
    TOKEN,
    bodies_of,
    guard_cost,
    headers_of,
    path_of,
)
from bench.command_line import add_json_option, write_json
from bench.receivers import Sent, apart
from bench.server import ROOT
from raymap.embedded import EmbeddedClickHouse
from raymap.ready_pipe import read_ready_line
from store.clickhouse.schema.retention import prepare_database

HEADINGS = (
    f"{'':<26} {'size':>4} {'µs/doc.':>8} {'with':>8} {'':>7} {'docs/s':>9} {'with':>9} {'':>7} "
    f"{'guard µs':>9}"
)


@dataclass(frozen=True, slots=True)
class Collector:
    """A running `raymap collect`."""

    process: psutil.Process
    http: str
    grpc: str
    has_keys: bool

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def settle(self) -> None:
        """Wait until everything that was acknowledged is stored."""
        while json.loads(_get(f"http://{self.http}/readyz"))["queued"]:
            time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the sender is to do: so many calls, with or without the key."""

    receiver: str
    address: str
    calls: int
    connections: int
    size: int
    has_key: bool


@dataclass(frozen=True, slots=True)
class Round:
    """A collector's share of one round: documents, processor seconds, and seconds of sending."""

    documents: int
    cpu: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Figure:
    """A receiver without and with keys: microseconds of a document, documents a second, and the
    medians over rounds of the relative differences."""

    receiver: str
    size: int
    open_us: float
    keys_us: float
    cpu_difference: float
    open_rate: float
    keys_rate: float
    rate_difference: float
    guard_us: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--documents", type=int, default=20_000, help="of each round and collector")
    parser.add_argument("--size", type=int, default=50, help="documents, or spans, in a request")
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--receivers", default=",".join(RECEIVERS).replace(", ", " "))
    add_json_option(parser)
    options = parser.parse_args()
    chosen = [each for each in RECEIVERS if each.replace(", ", " ") in options.receivers.split(",")]
    figures = []
    print(HEADINGS, flush=True)
    with _collectors() as pair:
        for receiver in chosen:
            figures.append(_measure(receiver, pair, options))
            _print(figures[-1])
    write_json(options.json, figures)


@contextmanager
def _collectors() -> Iterator[tuple[Collector, Collector]]:
    """One without keys, one with."""
    with tempfile.TemporaryDirectory(prefix="raymap-bench-") as text, ExitStack() as stack:
        folder = Path(text)
        keys = folder / "keys.json"
        keys.write_text(json.dumps([{"name": "bench", "role": "admin", "token": TOKEN}]))
        engine = stack.enter_context(EmbeddedClickHouse(folder / "clickhouse"))
        prepare_database(engine.url, {})
        yield (
            stack.enter_context(_collector(folder / "open", engine.url)),
            stack.enter_context(_collector(folder / "keys", engine.url, keys)),
        )


@contextmanager
def _collector(folder: Path, url: str, keys: Path | None = None) -> Iterator[Collector]:
    command = [sys.executable, "-m", "raymap", "collect", "--clickhouse", url, "--port", "0"]
    command += ["--data-dir", str(folder), "--grpc-port", "0", "--otlp-port", "0"]
    if keys is not None:
        command += ["--auth", "on", "--keys-file", str(keys)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "RAYMAP_AUTH_SECRET": MASTER, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready = read_ready_line(process.stdout)
        if ready is None:
            raise SystemExit("raymap collect ended before it was ready")
        http_address = ready["http"].removeprefix("http://")
        yield Collector(psutil.Process(process.pid), http_address, ready["grpc"], keys is not None)
    finally:
        process.terminate()
        process.wait(30)


def _measure(receiver: str, pair: tuple[Collector, Collector], options: Any) -> Figure:
    """A round that warms up, then those that count; who goes first changes every round."""
    for each in pair:
        _round(receiver, each, options)
    rounds: list[tuple[Round, Round]] = []
    for number in range(options.rounds):
        order = pair if number % 2 == 0 else pair[::-1]
        found = {each.has_keys: _round(receiver, each, options) for each in order}
        rounds.append((found[False], found[True]))

    def median(of: Callable[[Round], float], which: int) -> float:
        return statistics.median(of(each[which]) for each in rounds)

    def difference(of: Callable[[Round], float]) -> float:
        return statistics.median(of(keys) / of(opened) - 1 for opened, keys in rounds)

    return Figure(
        receiver,
        options.size,
        median(_cost, 0),
        median(_cost, 1),
        difference(_cost),
        median(_rate, 0),
        median(_rate, 1),
        difference(_rate),
        asyncio.run(guard_cost(receiver, options.size)),
    )


def _cost(each: Round) -> float:
    return each.cpu * 1e6 / each.documents


def _rate(each: Round) -> float:
    return each.documents / each.seconds


def _round(receiver: str, collector: Collector, options: Any) -> Round:
    calls = options.documents // options.size // options.connections
    address = collector.grpc if receiver == OTLP_GRPC else collector.http
    # With the key in both cases, so that the sender takes as long; without authentication it is ignored.
    offer = Offer(receiver, address, calls, options.connections, options.size, has_key=True)
    before = collector.cpu()
    sent = apart(send, offer)
    collector.settle()
    if sent.refused:
        raise SystemExit(f"{receiver}: {sent.refused} of {sent.sent} documents were refused")
    return Round(sent.sent, collector.cpu() - before, sent.seconds)


def send(offer: Offer) -> Sent:
    """Run in a process of its own: each connection waits for its answers."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(offer.connections) as pool:
        good = sum(pool.map(_connection, [offer] * offer.connections))
    sent = offer.calls * offer.connections * offer.size
    return Sent(sent, good * offer.size, sent - good * offer.size, time.perf_counter() - begun)


def _connection(offer: Offer) -> int:
    """The number of calls that were answered well."""
    call = _grpc_call(offer) if offer.receiver == OTLP_GRPC else _http_call(offer)
    bodies = bodies_of(offer.receiver, offer.size)
    return sum(call(next(bodies)) for _ in range(offer.calls))


def _grpc_call(offer: Offer) -> Callable[[bytes], bool]:
    channel = grpc.insecure_channel(offer.address, [("grpc.use_local_subchannel_pool", 1)])
    export = channel.unary_unary(EXPORT)
    metadata = (("authorization", BEARER),) if offer.has_key else ()

    def call(body: bytes) -> bool:
        try:
            export(body, metadata=metadata, timeout=30)
        except grpc.RpcError:
            return False
        return True

    return call


def _http_call(offer: Offer) -> Callable[[bytes], bool]:
    connection = http.client.HTTPConnection(offer.address, timeout=30)
    path = path_of(offer.receiver)

    def call(body: bytes) -> bool:
        headers = headers_of(offer.receiver, offer.address, body, offer.has_key)
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status == 200

    return call


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return bytes(answer.read())


def _print(each: Figure) -> None:
    """A line as soon as it is known."""
    print(
        f"{each.receiver:<26} {each.size:>4} {each.open_us:>8.1f} {each.keys_us:>8.1f} "
        f"{each.cpu_difference:>+7.1%} {each.open_rate:>9,.0f} {each.keys_rate:>9,.0f} "
        f"{each.rate_difference:>+7.1%} {each.guard_us:>9.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
