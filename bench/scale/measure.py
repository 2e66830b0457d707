"""What is timed, and what it is compared with.

Every question goes through `ClickHouseStore`, as the API asks it. Its floor is the least that the
engine could do for it, run over the same connection in the same run: the rows of the rollups, or
a bare count over the columns that decide.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path

from bench.scale.generate import DataSet
from bench.scale.shapes import T0
from store.clickhouse.connection import sql
from store.clickhouse.connection.pool import connect
from store.clickhouse.rollup.buckets import WIDTHS
from store.clickhouse.store import ClickHouseStore
from store.filters.ast import Expression
from store.filters.conditions import all_of, entered_with, touches
from store.filters.parse import parse
from store.model import NodeKey, State, TimeRange
from store.query import TraceQuery
from store.times import HOUR, MINUTE

REPEATS = 7
TAIL = 7 * MINUTE + 13_000_000
"""Windows end so long before the data does: no window of people ends with the hour, and few with a
minute."""
GRAPHS = {
    "5 min": 5 * MINUTE,
    "1 h": HOUR,
    "6 h": 6 * HOUR,
    "24 h": 24 * HOUR,
    "7 d": 168 * HOUR,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One question's times, milliseconds: the median, the first one with cold caches, and the floor's."""

    what: str
    median: float
    cold: float | None
    floor: float | None
    answer: str
    target: float | None = None

    @property
    def ratio(self) -> float | None:
        """To the floor."""
        return self.median / self.floor if self.floor else None


class Bench:
    """A data set in an engine, ready for queries."""

    def __init__(self, store: ClickHouseStore, data: DataSet, folder: Path) -> None:
        self.store = store
        self.data = data
        self._folder = folder
        self._client = connect(store.address)
        self.end = data.window.end - TAIL

    def graphs(self, suffix: str = "") -> Iterator[Figure]:
        """The map over windows of each length: of whole minutes, as the console asks, and one that
        begins and ends within a minute."""
        targets = {"1 h": 60.0, "6 h": 120.0}
        last = self.end // MINUTE * MINUTE
        windows = {name: TimeRange(last - length, last) for name, length in GRAPHS.items()}
        windows["1 h, to the second"] = TimeRange(self.end - HOUR, self.end)
        for name, window in windows.items():
            query = partial(self.store.service_graph, window)
            yield self._graph(f"map, {name}{suffix}", query, window, targets.get(name))
            if name in targets:

                def anew(query: Callable[[], object] = query) -> object:
                    self.store.rollup_cache.forget()
                    return query()

                yield self._graph(f"map, {name}, nothing remembered{suffix}", anew, window)

    def _graph(
        self,
        what: str,
        query: Callable[[], object],
        window: TimeRange,
        target: float | None = None,
    ) -> Figure:
        return self._figure(
            what,
            query,
            lambda graph: f"{len(graph.services)} nodes, {len(graph.edges)} edges",
            self._rollups(window),
            target=target,
        )

    def traces(self) -> Iterator[Figure]:
        """Traces by id: with the epoch in it, and with a random one."""
        for random, name, target in ((0, "epoch", 10.0), (1, "random id", 20.0)):
            rows = self._client.execute(
                "SELECT hex(trace_id), any(minute) FROM segments WHERE minute BETWEEN "
                f"{self._minute(random)} AND {self._minute(random) + 1} AND parent_id = 0 "
                f"AND implausible_epoch = {random} GROUP BY trace_id ORDER BY trace_id LIMIT 200"
            )
            if not rows:
                continue
            ids = [(bytes.fromhex(digits), minute) for digits, minute in rows]
            turn = cycle(ids)
            literal = sql.trace_literal(ids[0][0])
            yield self._figure(
                f"trace by id, {name}",
                lambda turn=turn: self.store.get_traces([next(turn)[0]]),  # type: ignore[misc]
                lambda found: f"{sum(len(t.documents) for t in found.values())} documents",
                f"SELECT * FROM segments WHERE minute = {ids[0][1]} AND trace_id = {literal}",
                repeats=5 * REPEATS,
                target=target,
            )

    def searches(self) -> Iterator[Figure]:
        """The newest 100, by what people look for."""
        for hours in (1, 6):
            window = TimeRange(self.end - hours * HOUR, self.end)
            for name, query, floor, target in self._queries(window):
                yield self._figure(
                    f"newest 100, {hours} h: {name}",
                    lambda query=query: self.store.find_traces(query, limit=100),  # type: ignore[misc]
                    lambda page: f"{len(page.found)} of {page.scanned} scanned",
                    f"SELECT count() FROM segments WHERE minute BETWEEN {window.start // MINUTE} "
                    f"AND {window.end // MINUTE} AND {floor}",
                    target=target if hours == 1 else None,
                )

    def _queries(self, window: TimeRange) -> Iterator[tuple[str, TraceQuery, str, float | None]]:
        entry, middle, common, rare = self._words(window)
        fault = entered_with({State.FAULT})
        named, failed = f"name = {sql.text(entry.name)}", "state = 4"
        item = sql.text(rare)
        yield "any", TraceQuery(window), "1", None
        yield (
            "service + fault",
            TraceQuery(window, filter=all_of(touches(entry), fault)),
            f"{named} AND {failed}",
            60.0,
        )
        yield (
            "service behind + fault",
            TraceQuery(window, filter=all_of(touches(middle), fault)),
            f"(name = {sql.text(middle.name)} OR {failed})",
            None,
        )
        yield (
            "rare annotation",
            TraceQuery(window, filter=_annotated(rare)),
            f"has(annotations, {item})",
            40.0,
        )
        yield (
            "annotation + fault",
            TraceQuery(window, filter=all_of(_annotated(common), fault)),
            f"(has(annotations, {sql.text(common)}) OR {failed})",
            None,
        )
        named = f"name = {sql.text(middle.name)}"
        yield "service", TraceQuery(window, filter=touches(middle)), named, None

    def _words(self, window: TimeRange) -> tuple[NodeKey, NodeKey, str, str]:
        """An entry service, one behind it, a common annotation and a rare one, as they occur."""
        near = f"minute = {(window.start + 20 * MINUTE) // MINUTE}"

        def node(condition: str) -> NodeKey:
            rows = self._client.execute(
                f"SELECT account, name, type FROM segments WHERE {near} AND {condition} "
                "GROUP BY ALL ORDER BY count() DESC, name LIMIT 1"
            )
            return NodeKey(*rows[0])

        items = self._client.execute(
            f"SELECT arrayJoin(annotations) AS item, count() AS n FROM segments WHERE {near} "
            "GROUP BY item ORDER BY n, item"
        )
        return node("parent_id = 0"), node("parent_id != 0"), items[-1][0], items[0][0]

    def _minute(self, random: int) -> int:
        """Where to look for ids: in the first hour some are random."""
        return (self.data.window.start + 10 * MINUTE if random else self.end) // MINUTE

    def _rollups(self, window: TimeRange) -> str:
        """A bare read of the counts of a window, in the widest slots that fit."""
        first, last = window.start // MINUTE, -(-window.end // MINUTE)
        chosen: list[str] = []
        at = max(first, T0 // 60)
        while at < last:
            width = next((w for w in WIDTHS if at % w == 0 and at + w <= last), 1)
            chosen.append(f"({width}, {at})")
            at += width
        return (
            "SELECT count(), sum(ok), sum(fault), sum(total_time), sum(length(histogram)), uniq(name) "
            f"FROM rollups WHERE kind < 2 AND (width, bucket) IN ({', '.join(chosen)})"
        )

    def _figure(
        self,
        what: str,
        ask: Callable[[], object],
        said: Callable[..., str],
        floor: str,
        *,
        repeats: int = REPEATS,
        target: float | None = None,
    ) -> Figure:
        self.cool()
        answer, cold = _timed(ask)
        ask()
        # In turn, so that both meet the same machine.
        times, floors = [], []
        for _ in range(repeats):
            times.append(_timed(ask)[1])
            floors.append(_timed(lambda: self._client.execute(floor))[1])
        return Figure(
            what, statistics.median(times), cold, statistics.median(floors), said(answer), target
        )

    def cool(self) -> None:
        """Forget what is cached: the engine's marks, and the kernel's pages of its files."""
        for cache in ("MARK", "UNCOMPRESSED", "INDEX MARK", "QUERY CONDITION"):
            self._client.execute(f"SYSTEM DROP {cache} CACHE")
        # Folders and files come and go meanwhile; os.walk leaves out what it cannot read.
        for folder, _, names in os.walk(self._folder):
            for name in names:
                if name.endswith(".bin"):
                    _forget(os.path.join(folder, name))


def _forget(path: str) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # merged away
        return
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(handle)


def _timed(ask: Callable[[], object]) -> tuple[object, float]:
    begun = time.perf_counter()
    answer = ask()
    return answer, (time.perf_counter() - begun) * 1000


def _annotated(item: str) -> Expression:
    """A filter by an annotation, given as ClickHouse has it: key="value"."""
    key, _, value = item.partition("=")
    return parse(f"annotation[{key}] = {value}")
