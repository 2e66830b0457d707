"""The part of the store protocol that is about maps."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from store.clickhouse.connection.query_runner import QueryRunner
from store.clickhouse.graph import service_graph, window_plan
from store.clickhouse.graph.cut_buckets import CutBuckets
from store.clickhouse.graph.matching import Units, of_entities, of_nodes
from store.clickhouse.graph.rollup_cache import RollupCache
from store.clickhouse.graph.series import CutUnits, series
from store.clickhouse.graph.window_plan import Marks
from store.clickhouse.rollup.backlog import read_due, with_missing
from store.clickhouse.rollup.turn import READ
from store.clickhouse.rollup.worker import LIVE, RollupWorker
from store.clickhouse.units.aggregates import Aggregate, Key
from store.graph import ServiceGraph
from store.model import NodeKey, TimeRange
from store.protocol import CountedWindow
from store.query import Backlog, Entities, TimeBucket, settled_behind
from store.times import SECOND

Asking = Callable[[], AbstractContextManager[QueryRunner]]


class _HasRunner(Protocol):
    rollup_cache: RollupCache
    rollup_worker: RollupWorker

    def _asking(self) -> AbstractContextManager[QueryRunner]: ...

    def _marks(self, ask: QueryRunner, windows: Sequence[TimeRange]) -> list[Marks]: ...

    def _fresh(
        self,
        ask: QueryRunner,
        windows: Sequence[TimeRange],
        *,
        least: int = 0,
        waits: bool = True,
    ) -> list[Backlog | None]: ...

    def counted_windows(
        self, windows: Sequence[TimeRange], *, settled_before: int | None = None
    ) -> list[CountedWindow]: ...

    def _series(self, units: Units, window: TimeRange, step: int) -> list[TimeBucket]: ...


@dataclass(frozen=True)
class ReadWindow:
    """See `store.protocol.CountedWindow`. ``cut``: units that were read for the graph."""

    window: TimeRange
    graph: ServiceGraph
    backlog: Backlog | None
    quick_step: int
    _asking: Asking
    _marks: Marks
    _cut: CutUnits
    settled_before: int | None
    _cut_buckets: CutBuckets

    def series(self, entities: Entities, step: int) -> list[TimeBucket]:
        """Of the counts that the graph was read from."""
        if entities.is_empty:
            return []
        units = of_entities(entities, self.settled_before)
        with self._asking() as ask:
            return series(ask, units, self.window, step, self._marks, self._cut_buckets, self._cut)


@dataclass(frozen=True)
class SummedWindow:
    """What one of several cells counts of a window: the aggregates that graphs are made of, and series of the same
    units. ``quick_step``: as of `store.protocol.CountedWindow`."""

    aggregates: dict[Key, Aggregate]
    quick_step: int
    _window: TimeRange
    _asking: Asking
    _marks: Marks
    _cut: CutUnits
    _cut_buckets: CutBuckets

    def series(self, entities: Entities, step: int, settled_before: int | None) -> list[TimeBucket]:
        """Of the counts that the aggregates were read from."""
        units = of_entities(entities, settled_before)
        with self._asking() as ask:
            return series(ask, units, self._window, step, self._marks, self._cut_buckets, self._cut)


class GraphMethods:
    """Methods of `store.protocol.GraphReader`."""

    def settle(self: _HasRunner) -> bool:
        """Have dirty buckets recounted, as readers do; whether any may have been."""
        with self._asking() as ask:
            return self.rollup_worker.wait_until_fresh(ask, read_due(ask)[0])

    def snapped_windows(
        self: _HasRunner, windows: Sequence[TimeRange]
    ) -> list[tuple[TimeRange, Backlog | None]]:
        """The windows that `counted_windows` counts, and what they lack."""
        with self._asking() as ask:
            backlogs = self._fresh(ask, windows)
            shown = map(window_plan.snapped, windows, _current_marks(ask, windows))
            return list(zip(shown, backlogs, strict=True))

    def summed_windows(self: _HasRunner, windows: Sequence[TimeRange]) -> list[SummedWindow]:
        """The aggregates of windows."""
        with self._asking() as ask:
            marks = self._marks(ask, windows)
            found = service_graph.sums_of(ask, windows, self.rollup_cache, marks)
        return [
            SummedWindow(
                sums.aggregates,
                window_plan.quick_step(window, of_window),
                window,
                self._asking,
                of_window,
                sums.cut,
                self.rollup_cache.cut,
            )
            for window, sums, of_window in zip(windows, found, marks, strict=True)
        ]

    def service_graph(
        self: _HasRunner, window: TimeRange, *, settled_before: int | None = None
    ) -> ServiceGraph:
        """The graph of a window."""
        with self._asking() as ask:
            marks = self._marks(ask, [window])
            (counted,) = service_graph.service_graphs(
                ask, [window], self.rollup_cache, marks, settled_before
            )
        return counted.graph

    def counted_window(
        self: _HasRunner, window: TimeRange, *, settled_before: int | None = None
    ) -> CountedWindow:
        """The graph of a window or of the whole minutes around it where those that it cuts are long."""
        (counted,) = self.counted_windows([window], settled_before=settled_before)
        return counted

    def counted_windows(
        self: _HasRunner, windows: Sequence[TimeRange], *, settled_before: int | None = None
    ) -> list[CountedWindow]:
        """`counted_window` of each; adjacent ones share statements."""
        with self._asking() as ask:
            backlogs = self._fresh(ask, windows)
            marks = _current_marks(ask, windows)
            shown = list(map(window_plan.snapped, windows, marks))
            settled = settled_with(settled_before, backlogs)
            found = service_graph.service_graphs(ask, shown, self.rollup_cache, marks, settled)
        return [
            ReadWindow(
                window,
                counted.graph,
                backlog,
                window_plan.quick_step(window, of_window),
                self._asking,
                of_window,
                counted.cut,
                settled,
                self.rollup_cache.cut,
            )
            for window, counted, of_window, backlog in zip(
                shown, found, marks, backlogs, strict=True
            )
        ]

    def backlog(self: _HasRunner, window: TimeRange, *, least: int = 0) -> Backlog | None:
        """What is not counted by now; nothing is waited for."""
        with self._asking() as ask:
            (found,) = self._fresh(ask, [window], least=least, waits=self.rollup_worker.alone)
        return found

    def min_step(self: _HasRunner, window: TimeRange) -> int:
        """A minute when the window contains many rows."""
        with self._asking() as ask:
            return window_plan.min_step(ask, window)

    def node_series(
        self: _HasRunner, nodes: Collection[NodeKey], window: TimeRange, step: int
    ) -> list[TimeBucket]:
        """Statistics of nodes per step."""
        return self._series(of_nodes(nodes), window, step)

    def entity_series(
        self: _HasRunner,
        entities: Entities,
        window: TimeRange,
        step: int,
        *,
        settled_before: int | None = None,
    ) -> list[TimeBucket]:
        """Statistics of some nodes and edges per step."""
        if entities.is_empty:
            return []
        return self._series(of_entities(entities, settled_before), window, step)

    def _series(self: _HasRunner, units: Units, window: TimeRange, step: int) -> list[TimeBucket]:
        with self._asking() as ask:
            (marks,) = self._marks(ask, [window])
            return series(ask, units, window, step, marks, self.rollup_cache.cut)

    def _marks(self: _HasRunner, ask: QueryRunner, windows: Sequence[TimeRange]) -> list[Marks]:
        """The marks of each window, after dirty buckets have been recounted."""
        self._fresh(ask, windows)
        return _current_marks(ask, windows)

    def _fresh(
        self: _HasRunner,
        ask: QueryRunner,
        windows: Sequence[TimeRange],
        *,
        least: int = 0,
        waits: bool = True,
    ) -> list[Backlog | None]:
        """Have dirty buckets recounted; what each window lacks nevertheless, or may lack: what is counted
        from now on, before the window is read, is in both."""
        due, backlogs = read_due(ask, windows, least=least)
        live = max(window.end for window in windows) > round((time.time() - LIVE) * SECOND)
        if waits and self.rollup_worker.wait_until_fresh(ask, due, live=live):
            _, backlogs = read_due(ask, windows, least=least)
        if (turn := self.rollup_worker.turn) is None:
            return backlogs
        waited, now = turn.lag(ask, READ) * SECOND, round(time.time() * SECOND)
        waited = waited if waited >= least else 0
        return [
            with_missing(backlog, window, waited, now)
            for backlog, window in zip(backlogs, windows, strict=True)
        ]


def settled_with(settled_before: int | None, backlogs: Sequence[Backlog | None]) -> int | None:
    """``settled_before`` while some documents wait."""
    waiting = [each.since for each in backlogs if each is not None]
    if settled_before is None or not waiting:
        return settled_before
    return settled_behind(settled_before, round(time.time() * SECOND) - min(waiting))


def _current_marks(ask: QueryRunner, windows: Sequence[TimeRange]) -> list[Marks]:
    rows = ask.run_concurrently(*window_plan.marks_queries(windows))
    return window_plan.marks_of(windows, *rows)
