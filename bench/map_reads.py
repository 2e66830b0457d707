"""What the reads of the map page cost: time, statements, rows and bytes read, CPU of ClickHouse and of the API.

A server of its own has counted demo traffic; each read is requested for windows whose ends differ by seconds, so
that none is answered from the rollup cache alone. What the server does by itself is measured first, and
deducted by time.

    python -m bench.map_reads
    python -m bench.map_reads --only node,edge --rounds 30 --json before.json
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from clickhouse_driver import Client

from bench.command_line import add_json_option, add_server_options, write_json
from bench.counting import scrape
from bench.sections import table
from bench.server import ROOT, Server, running
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded import address

STATEMENTS = "raymap_store_query_seconds_count"
SETTLED = 70.0
"""Seconds after which no bucket is compared any more (`store.clickhouse.rollup.dirty.SETTLE`)."""
REST = 0.05
"""Seconds between two requests: a person's next click."""


HEAD = (
    *("read", "ms", "p90", "statements", "rows", "KiB read"),
    *("ClickHouse ms", "API ms", "answer KiB"),
)


@dataclass(frozen=True, slots=True)
class Totals:
    """Of the server since it started."""

    at: float = 0.0
    statements: float = 0.0
    rows: float = 0.0
    bytes: float = 0.0
    clickhouse: float = 0.0
    api: float = 0.0

    def since(self, before: Totals) -> Totals:
        """The difference."""
        return Totals(*(a - b for a, b in zip(_values(self), _values(before), strict=True)))

    def scaled(self, factor: float) -> Totals:
        """A part or a multiple."""
        return Totals(*(each * factor for each in _values(self)))


@dataclass(frozen=True, slots=True)
class Read:
    """What one request takes; ``ms`` is the median, ``slow`` the slowest but one in ten."""

    name: str
    ms: float
    slow: float
    statements: float
    rows: float
    read_kib: float
    clickhouse_ms: float
    api_ms: float
    answer_kib: float


def _values(totals: Totals) -> tuple[float, ...]:
    return tuple(getattr(totals, name) for name in Totals.__slots__)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--traffic", type=float, default=110.0, help="seconds of demo traffic before"
    )
    parser.add_argument("--window", type=int, default=100, help="seconds of the windows")
    parser.add_argument("--rounds", type=int, default=12, help="requests of each kind")
    parser.add_argument("--only", default="", help="reads, separated by commas; all by default")
    add_json_option(parser)
    add_server_options(parser)
    options = parser.parse_args()
    with running(options.options, options.log) as server:
        end = _send_traffic(server, options.traffic)
        bench = MapReads(server, end, options.window, options.rounds)
        reads = []
        print("\n".join(table(HEAD, ())))
        for read in bench.reads(set(filter(None, options.only.split(",")))):
            reads.append(read)
            print(_line(read), flush=True)
        print(
            f"SELECT 1 by the driver: {bench.floor():.1f} ms; an empty answer of the API: {bench.empty():.1f} ms"
        )
    write_json(options.json, reads)


def _send_traffic(server: Server, seconds: float) -> int:
    """Send demo traffic and wait until all of it is counted and compared once more; when it ended (epoch seconds)."""
    to = ":".join(map(str, server.udp))
    command = (sys.executable, "-m", "raymap", "demo", "--url", to, "--duration", str(seconds))
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    ended = int(time.time())
    time.sleep(SETTLED)
    return ended


class MapReads:
    """The reads of one server."""

    def __init__(self, server: Server, end: int, window: int, rounds: int) -> None:
        self._server = server
        self._client: Client = connect(address(server.data_dir))
        self._length = window
        self._rounds = rounds
        self._end = end - 5
        whole = self._end // 60 * 60
        self._minutes = {"from": whole - 120, "to": whole}
        self._node, self._edge = self._busiest()
        self._get(f"/api/nodes/{self._node}", self._cut(0))  # from now on the map is watched
        self._idle = self._per_second()

    def reads(self, only: set[str]) -> Iterator[Read]:
        """Each read, measured."""
        cut, whole = self._cut, lambda round: self._minutes
        node, edge = {"node": self._node}, {"edge": ":".join(self._edge)}
        known: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
            "map, whole minutes": ("/api/map", whole),
            "map": ("/api/map", cut),
            "node": (f"/api/nodes/{self._node}", cut),
            "node, whole minutes": (f"/api/nodes/{self._node}", whole),
            "edge": (f"/api/edges/{'/'.join(self._edge)}", cut),
            "metrics": (f"/api/nodes/{self._node}/metrics", cut),
            "list": ("/api/traces", lambda round: {**cut(round), "limit": 50}),
            "list of node": ("/api/traces", lambda round: {**cut(round), **node, "limit": 50}),
            "list of edge": ("/api/traces", lambda round: {**cut(round), **edge, "limit": 50}),
            "scatter": ("/api/traces/figure", cut),
            "scatter of node": ("/api/traces/figure", lambda round: {**cut(round), **node}),
            "heatmap": ("/api/traces/figure", lambda round: self._cut(round, 5)),
        }
        for name, (path, query) in known.items():
            if not only or name in only:
                yield self._measure(name, path, query)

    def floor(self) -> float:
        """Milliseconds that the least statement takes."""
        return _median_ms(lambda: self._client.execute("SELECT 1"), 50)

    def empty(self) -> float:
        """Milliseconds that a request takes that reads nothing."""
        return _median_ms(lambda: self._server.get("/healthz"), 50)

    def _cut(self, round: int, times: int = 1) -> dict[str, Any]:
        """A window that cuts a minute and a bucket at both ends."""
        end = self._end - round - 0.7
        return {"from": round_ms(end - times * self._length), "to": round_ms(end)}

    def _busiest(self) -> tuple[str, tuple[str, str]]:
        """A service in the middle of the map, and an edge."""
        found = json.loads(self._get("/api/map", self._minutes))
        nodes = [each for each in found["nodes"] if each["state"] == "active"]
        edges = [each for each in found["edges"] if each["kind"] == "call"]
        node = max(nodes, key=lambda each: each["requests"])
        edge = max(edges, key=lambda each: each["requests"])
        return node["id"], (edge["source"], edge["target"])

    def _measure(self, name: str, path: str, query: Callable[[int], dict[str, Any]]) -> Read:
        self._get(path, query(self._rounds))
        seconds, answer = [], b""
        before = self._totals()
        for round in range(self._rounds):
            begun = time.perf_counter()
            answer = self._get(path, query(round))
            seconds.append(time.perf_counter() - begun)
            time.sleep(REST)
        used = self._totals().since(before)
        own = replace(used.since(self._idle.scaled(used.at)), at=used.at).scaled(1 / self._rounds)
        seconds.sort()
        return Read(
            name,
            statistics.median(seconds) * 1000,
            seconds[-1 - len(seconds) // 10] * 1000,
            own.statements,
            own.rows,
            own.bytes / 1024,
            own.clickhouse * 1000,
            own.api * 1000,
            len(answer) / 1024,
        )

    def _per_second(self) -> Totals:
        """What the server uses by itself."""
        before = self._totals()
        time.sleep(10)
        used = self._totals().since(before)
        return used.scaled(1 / used.at)

    def _totals(self) -> Totals:
        usage = self._server.usage()
        statements = scrape(self._server).get(STATEMENTS, 0.0)
        rows = self._client.execute("SELECT event, value FROM system.events")
        events: dict[str, int] = dict(rows)
        return Totals(
            time.monotonic(),
            statements,
            events.get("SelectedRows", 0),
            events.get("SelectedBytes", 0),
            usage["clickhouse"].cpu_seconds,
            usage["api"].cpu_seconds,
        )

    def _get(self, path: str, query: dict[str, Any]) -> bytes:
        url = f"{self._server.http}{path}?{urlencode(query)}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            body: bytes = answer.read()
            return body


def round_ms(seconds: float) -> float:
    return round(seconds, 3)


def _median_ms(work: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds) * 1000


def _line(read: Read) -> str:
    figures = (
        f"{read.ms:.0f}",
        f"{read.slow:.0f}",
        f"{read.statements:.1f}",
        f"{read.rows:,.0f}",
        f"{read.read_kib:,.0f}",
        f"{read.clickhouse_ms:.0f}",
        f"{read.api_ms:.0f}",
        f"{read.answer_kib:.0f}",
    )
    return f"| {read.name} | {' | '.join(figures)} |"


if __name__ == "__main__":
    main()
