"""What requests to a server of a bench cost: time, statements, rows and bytes read, CPU of ClickHouse and of the API."""

from __future__ import annotations

import statistics
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from clickhouse_driver import Client

from bench.counting import scrape
from bench.server import Server
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded import address

STATEMENTS = "raymap_store_query_seconds_count"
REST = 0.05
"""Seconds between two requests: a person's next click."""


QUIET, PATIENCE = 0.05, 9
"""Cores of ClickHouse when the work that a start or a load causes is over, and how often to look."""
Request = tuple[str, dict[str, Any]]
"""A path and its parameters."""
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

    def plus(self, other: Totals) -> Totals:
        """The sum."""
        return Totals(*(a + b for a, b in zip(_values(self), _values(other), strict=True)))

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


class HttpReads:
    """Measures requests, and deducts by time what the server does by itself."""

    def __init__(self, server: Server, rounds: int) -> None:
        self._server = server
        self._client: Client = connect(address(server.data_dir))
        self._rounds = rounds
        self._idle = Totals()

    def settle(self) -> None:
        """Measure what the server does by itself, while a map is watched, once it does little."""
        for _ in range(PATIENCE):
            self._idle = self._per_second()
            if self._idle.clickhouse < QUIET:
                return

    def measure(
        self,
        name: str,
        request: Callable[[int], Request],
        prepare: Callable[[], None] | None = None,
    ) -> Read:
        """A request of each round, after one that is not counted. ``prepare``: called before each, not measured."""
        self.get(*request(self._rounds))
        seconds, answer = [], b""
        used = Totals()
        for round in range(self._rounds):
            if prepare:
                prepare()
            before = self._totals()
            begun = time.perf_counter()
            answer = self.get(*request(round))
            seconds.append(time.perf_counter() - begun)
            time.sleep(REST)
            used = used.plus(self._totals().since(before))
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

    def get(self, path: str, query: dict[str, Any]) -> bytes:
        """The body of an answer."""
        url = f"{self._server.http}{path}?{urlencode(query)}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            body: bytes = answer.read()
            return body

    def floor(self) -> float:
        """Milliseconds that the least statement takes."""
        return _median_ms(lambda: self._client.execute("SELECT 1"), 50)

    def empty(self) -> float:
        """Milliseconds that a request takes that reads nothing."""
        return _median_ms(lambda: self._server.get("/healthz"), 50)


def _median_ms(work: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds) * 1000


def line_of(read: Read) -> str:
    """A line of the table."""
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
