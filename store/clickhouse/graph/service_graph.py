"""The service graph of a window, queried from ClickHouse.

Whole minutes and buckets are read from the rollups; buckets that a window cuts are aggregated from the rows,
by the same expressions (`store.clickhouse.units.aggregates`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery, run_both, run_concurrently
from store.clickhouse.graph.pieces import PieceSums, read_pieces
from store.clickhouse.graph.rollup_cache import MOST_SLOTS, RollupCache
from store.clickhouse.graph.series import CutUnits
from store.clickhouse.graph.window_plan import Marks, Plan, plan, rows_of
from store.clickhouse.queries import Sql
from store.clickhouse.units.aggregates import Aggregate, Key, add, collect, graph_of
from store.graph import ServiceGraph
from store.model import TimeRange

TRIES = 5
"""Attempts to read a map: it is planned anew when rollups changed between its plan and its reading."""


class Counted(NamedTuple):
    """The graph of a window, and what was read one by one of the pieces that it cuts."""

    graph: ServiceGraph
    cut: CutUnits


def service_graph(
    run: RunQuery,
    window: TimeRange,
    rollup_cache: RollupCache,
    marks: Marks | None = None,
    settled_before: int | None = None,
) -> Counted:
    """`store.service_graph.build_service_graph` over the window.

    ``marks``: as of `window_plan.plan`.
    """
    chosen, found, pieces = _summed(run, window, rollup_cache, marks)
    add(pieces.sums, found)
    known = pieces.units is not None
    cut = CutUnits(frozenset(chosen.pieces.raw), tuple(pieces.units or ())) if known else CutUnits()
    return Counted(graph_of(found, settled_before), cut)


def _summed(
    run: RunQuery, window: TimeRange, rollup_cache: RollupCache, marks: Marks | None
) -> tuple[Plan, dict[Key, Aggregate], PieceSums]:
    """The plan of a window, the sum over its slots, and that over its pieces."""
    for _ in range(TRIES):
        chosen = plan(run, window, marks)
        if len(chosen.slots) > MOST_SLOTS:
            break
        pieces, found = run_both(
            run,
            partial(read_pieces, pieces=chosen.pieces),
            partial(rollup_cache.read, slots=chosen.slots),
        )
        if found is not None:
            return chosen, found, pieces
        marks = None
    found = {}
    collect(read_rolled(run, rows_of(chosen.slots)), found)
    return chosen, found, read_pieces(run, chosen.pieces)


def read_rolled(run: RunQuery, slots: str) -> Iterable[tuple[Any, ...]]:
    """Rows of kind, key and columns (queries/units/columns.sql), summed over the current revisions of slots (a condition)."""
    fragments = {"slots": Sql(slots)}
    counts, rows = run_concurrently(
        run, queries.ROLLED_UP_HISTOGRAMS.render(fragments), queries.ROLLED_UP.render(fragments)
    )
    times: dict[int, dict[int, int]] = dict(counts)
    for id, *key_and_columns in rows:
        yield *key_and_columns[:-3], times.get(id, {}), *key_and_columns[-2:]
