"""What a crash costs: kill -9 of each Raymap process under load, then a search for every document.

Posts documents through PutTraceSegments at a steady rate, kills one role's processes, goes on, and
remembers what was acknowledged: HTTP 200 and not in UnprocessedTraceSegments. Afterwards
BatchGetTraces has to find every acknowledged document, and the service graph has to count exactly
the documents that can be found. What was not acknowledged may be there or not; it is not sent again.
"""

from __future__ import annotations

import argparse
import http.client
import json
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psutil
from rich.console import Console
from rich.table import Table

from bench.command_line import add_server_options
from bench.documents import Documents
from bench.receivers import Poster
from bench.server import WIDTH, Server, running

ROLES = ("clickhouse", "collect", "api")
_IDS_PER_CALL = 5
_FULL_STOP = 90.0


@dataclass(slots=True)
class Round:
    """One role, killed once."""

    role: str
    attempted: int = 0
    acknowledged: int = 0
    found: int = 0
    missing: int = 0
    extra: int = 0
    counted: int = 0
    killed: int = 0
    refused_calls: int = 0
    seconds_back: float | None = None

    @property
    def recovered(self) -> bool:
        whole = self.missing == 0 and self.counted == self.found
        return whole and self.killed > 0 and self.seconds_back is not None


@dataclass(slots=True)
class Load:
    """Posts over a few connections until stopped, and records the responses."""

    server: Server
    service: str
    rate: float
    connections: int
    documents_per_call: int
    attempted: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    refused_calls: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def connection(self, _number: int) -> None:
        poster = Poster(self.server.http)
        documents = Documents(self.service, escaped=True)
        pause = self.documents_per_call * self.connections / self.rate
        while not self.stop.wait(pause):
            batch = dict(documents.next() for _ in range(self.documents_per_call))
            trace_ids = {trace_id.decode() for trace_id in batch}
            unprocessed = poster.post(list(batch.values()))
            with self._lock:
                self.attempted |= trace_ids
                self.refused_calls += unprocessed is None
                if unprocessed is not None:
                    # Ids repeat between traces here: one unprocessed document condemns its call.
                    self.acknowledged |= set() if unprocessed else trace_ids


class NoAnswer(Exception):
    """The API has not answered in time."""


class Api:
    """As much of the X-Ray API as it takes to look for documents."""

    def __init__(self, server: Server) -> None:
        self._host = urlsplit(server.http).netloc

    def ask(self, path: str, body: dict[str, Any], patience: float = 30.0) -> dict[str, Any]:
        """Asks until there is an answer: the process that should give it may have been killed."""
        deadline = time.monotonic() + patience
        while True:
            connection = http.client.HTTPConnection(self._host, timeout=20)
            try:
                connection.request("POST", path, json.dumps(body))
                answer = connection.getresponse()
                text = answer.read()
                if answer.status == 200:
                    said: dict[str, Any] = json.loads(text)
                    return said
                failure = f"{answer.status} {text[:200]!r}"
            except (OSError, http.client.HTTPException) as error:
                failure = repr(error)
            finally:
                connection.close()
            if time.monotonic() > deadline:
                raise NoAnswer(f"{path}: {failure}")
            time.sleep(0.2)

    def existing(self, trace_ids: Iterable[str]) -> set[str]:
        """Those of the traces that BatchGetTraces knows, with their one document."""
        ids = sorted(trace_ids)
        groups = [ids[at : at + _IDS_PER_CALL] for at in range(0, len(ids), _IDS_PER_CALL)]
        with ThreadPoolExecutor(4) as pool:
            return set().union(*pool.map(self._existing, groups))

    def _existing(self, trace_ids: list[str]) -> set[str]:
        answer = self.ask("/Traces", {"TraceIds": trace_ids})
        return {trace["Id"] for trace in answer["Traces"] if trace["Segments"]}

    def counted(self, service: str, begun: float) -> int:
        """The graph's figure for this service."""
        window = {"StartTime": begun - 5, "EndTime": time.time() + 5}
        for node in self.ask("/ServiceGraph", window)["Services"]:
            if node["Name"] == service and node.get("Type", "") != "client":
                return int(node["SummaryStatistics"]["TotalCount"])
        return 0

    def settled(self, service: str, begun: float, expected: int) -> int:
        """The graph's figure once it is what is expected, or has stayed the same for a while."""
        last, since = -1, time.monotonic()
        while time.monotonic() - since < 10.0:
            count = self.counted(service, begun)
            if count == expected:
                return count
            if count != last:
                last, since = count, time.monotonic()
            time.sleep(0.5)
        return last


def crash(server: Server, role: str, number: int, options: argparse.Namespace) -> Round:
    """Load, kill, wait for the service, go on a little, then look for everything."""
    result, api, begun = Round(role), Api(server), time.time()
    service = f"crash-{role}-{number}"
    per_call = options.documents_per_call
    load = Load(server, service, options.rate, options.connections, per_call)
    with ThreadPoolExecutor(options.connections) as pool:
        running_posts = [pool.submit(load.connection, n) for n in range(options.connections)]
        time.sleep(options.before)
        result.killed = _kill(server, role)
        result.seconds_back = _until_back(server, api, service)
        time.sleep(options.after)
        load.stop.set()
        for post in running_posts:
            post.result()
    _look(result, load, api, begun, service)
    return result


def _look(result: Round, load: Load, api: Api, begun: float, service: str) -> None:
    """What is missing gets a moment to come out of the journal before it counts as missing."""
    deadline = time.monotonic() + 20.0
    found = api.existing(load.attempted)
    while load.acknowledged - found and time.monotonic() < deadline:
        time.sleep(0.5)
        found |= api.existing(load.acknowledged - found)
    found |= api.existing(load.attempted - found)
    result.attempted, result.acknowledged = len(load.attempted), len(load.acknowledged)
    result.found, result.missing = len(found), len(load.acknowledged - found)
    result.extra = len(found - load.acknowledged)
    result.refused_calls = load.refused_calls
    result.counted = api.settled(service, begun, result.found)


def _kill(server: Server, role: str) -> int:
    killed = 0
    for process in server.processes(role):
        try:
            process.kill()
        except psutil.Error:
            continue
        killed += 1
    return killed


def _until_back(server: Server, api: Api, service: str) -> float | None:
    """Seconds until a document is acknowledged and found again; None when it takes too long."""
    begun = time.monotonic()
    for _ in _tries(begun):
        source = Documents(f"{service}-probe", escaped=True)
        trace_id, document = source.next()
        if Poster(server.http).post([document]) != set():
            continue
        for _ in _tries(begun):
            with suppress(NoAnswer):
                if api.existing([trace_id.decode()]):
                    return time.monotonic() - begun
    return None


def _tries(begun: float) -> Iterator[None]:
    while time.monotonic() - begun < _FULL_STOP:
        yield
        time.sleep(0.1)


def _print(console: Console, rounds: list[Round]) -> None:
    table = Table(title="kill -9 under load")
    names = "killed attempted ack'd found missing unacknowledged-but-there counted refused-calls"
    for column in ("role", *names.split(), "back after"):
        table.add_column(column, justify="right")
    for one in rounds:
        back = "never" if one.seconds_back is None else f"{one.seconds_back:.2f} s"
        figures = (one.killed, one.attempted, one.acknowledged, one.found, one.missing, one.extra)
        more = (one.counted, one.refused_calls)
        cells = [f"{figure:,}" for figure in (*figures, *more)]
        table.add_row(one.role, *cells, back, style="green" if one.recovered else "red")
    console.print(table)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.crash", description=__doc__)
    parser.add_argument("--roles", default=",".join(ROLES), help="in this order")
    parser.add_argument("--rounds", type=int, default=1, help="times that each role is killed")
    parser.add_argument("--rate", type=float, default=500.0, help="documents/s offered")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--documents-per-call", type=int, default=25)
    parser.add_argument("--before", type=float, default=4.0, help="seconds of load before the kill")
    parser.add_argument("--after", type=float, default=3.0, help="and after the service is back")
    add_server_options(parser)
    return parser.parse_args()


def main() -> int:
    options = parse()
    console = Console(width=WIDTH)
    with running(options.options, options.log) as server:
        console.print(f"ready after {server.seconds_to_ready:.2f} s")
        rounds = []
        for number in range(options.rounds):
            for role in options.roles.split(","):
                rounds.append(crash(server, role, number, options))
                console.print(rounds[-1])
        _print(console, rounds)
    return 0 if all(one.recovered for one in rounds) else 1


if __name__ == "__main__":
    raise SystemExit(main())
