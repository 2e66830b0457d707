"""The service graphs of windows, queried from ClickHouse.

Whole minutes and buckets are read from the rollups; buckets that a window cuts are aggregated from the rows,
by the same expressions (`store.clickhouse.units.aggregates`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery, run_both, run_concurrently
from store.clickhouse.graph.pieces import PieceSums, read_pieces
from store.clickhouse.graph.rollup_cache import MOST_SLOTS, RollupCache
from store.clickhouse.graph.series import CutUnits
from store.clickhouse.graph.window_plan import Marks, Plan, Slot, plan, rows_of
from store.clickhouse.queries import Sql
from store.clickhouse.units.aggregates import Aggregate, Key, collect, sum_of
from store.graph import ServiceGraph
from store.model import TimeRange

TRIES = 5
"""Attempts to read a map: it is planned anew when rollups changed between its plan and its reading."""


class Counted(NamedTuple):
    """The graph of a window, and what was read one by one of the pieces that it cuts."""

    graph: ServiceGraph
    cut: CutUnits


class Sums(NamedTuple):
    """The aggregates of parts of a window, not to be modified, and the units of pieces. ``slots``: what was read, if that
    is whole slots alone and these are known."""

    parts: list[dict[Key, Aggregate]]
    cut: CutUnits
    slots: frozenset[Slot] | None

    @property
    def aggregates(self) -> dict[Key, Aggregate]:
        """Of the whole window, not to be modified."""
        return sum_of(self.parts)


def service_graphs(
    run: RunQuery,
    windows: Sequence[TimeRange],
    rollup_cache: RollupCache,
    marks: Sequence[Marks] | None = None,
    settled_before: int | None = None,
) -> list[Counted]:
    """`store.service_graph.build_service_graph` over each window. ``marks``: as of `sums_of`."""
    found = sums_of(run, windows, rollup_cache, marks)
    graphs = rollup_cache.graphs
    return [
        Counted(graphs.graph(each.slots, each.parts, settled_before), each.cut) for each in found
    ]


def sums_of(
    run: RunQuery,
    windows: Sequence[TimeRange],
    rollup_cache: RollupCache,
    marks: Sequence[Marks] | None = None,
) -> list[Sums]:
    """The aggregates of each window. Windows that do not overlap are read together.

    ``marks``: of each, as of `window_plan.plan`.
    """
    known: Sequence[Marks | None] = marks or [None] * len(windows)
    if any(a.end > b.start for a, b in pairwise(sorted(windows))):
        pairs = zip(windows, known, strict=True)
        found = [each for pair in pairs for each in _summed(run, [pair], rollup_cache)]
    else:
        found = _summed(run, list(zip(windows, known, strict=True)), rollup_cache)
    return [_sums(*each) for each in found]


def _sums(chosen: Plan, found: list[dict[Key, Aggregate]], pieces: PieceSums) -> Sums:
    known = pieces.units is not None
    cut = CutUnits(frozenset(chosen.pieces.raw), tuple(pieces.units or ())) if known else CutUnits()
    if chosen.pieces.buckets or chosen.pieces.raw:
        return Sums([*found, pieces.sums], cut, None)
    return Sums(found, cut, frozenset(chosen.slots))


def _summed(
    run: RunQuery, windows: Sequence[tuple[TimeRange, Marks | None]], rollup_cache: RollupCache
) -> list[tuple[Plan, list[dict[Key, Aggregate]], PieceSums]]:
    """The plans of windows, the sums over parts of their slots, and those over their pieces."""
    for attempt in range(TRIES):
        plans = [plan(run, window, None if attempt else marks) for window, marks in windows]
        if sum(len(chosen.slots) for chosen in plans) > MOST_SLOTS:
            break
        pieces, found = run_both(
            run,
            partial(read_pieces, windows=[chosen.pieces for chosen in plans], cache=rollup_cache),
            partial(rollup_cache.read, windows=[chosen.slots for chosen in plans]),
        )
        if found is not None:
            return list(zip(plans, found, pieces, strict=True))
    rolled: list[dict[Key, Aggregate]] = [{} for _ in plans]
    for chosen, into in zip(plans, rolled, strict=True):
        collect(read_rolled(run, rows_of(chosen.slots)), into)
    pieces = read_pieces(run, [chosen.pieces for chosen in plans], rollup_cache)
    return list(zip(plans, ([each] for each in rolled), pieces, strict=True))


def read_rolled(run: RunQuery, slots: str) -> Iterable[tuple[Any, ...]]:
    """Rows of kind, key and columns (queries/units/columns.sql), summed over the current revisions of slots (a condition)."""
    fragments = {"slots": Sql(slots)}
    counts, rows = run_concurrently(
        run, queries.ROLLED_UP_HISTOGRAMS.render(fragments), queries.ROLLED_UP.render(fragments)
    )
    times: dict[int, dict[int, int]] = dict(counts)
    for id, *key_and_columns in rows:
        yield *key_and_columns[:-3], times.get(id, {}), *key_and_columns[-2:]
