"""The service graph, time series and error breakdowns, queried from ClickHouse.

Whole minutes are read from the rollups; minutes that a window cuts are aggregated from the rows, by the
same expressions (`store.clickhouse.units.aggregates`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from store.clickhouse.connection import sql
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.clickhouse.connection.sql import bind
from store.clickhouse.graph.rollup_cache import MOST_SLOTS, RollupCache
from store.clickhouse.graph.window_plan import Plan, plan, rows_of
from store.clickhouse.units import dependencies, parents
from store.clickhouse.units.aggregates import (
    COLUMNS_COUNTED,
    COUNT,
    EDGE,
    KEY,
    KEY_COUNTED,
    LINK,
    MINUTE_OF,
    NODE,
    SUMMED,
    SUMMED_BUT_TIMES,
    Aggregate,
    Key,
    collect,
    graph_of,
    read_aggregate,
)
from store.model import MINUTE, UNCONFIRMED, NodeKey, ServiceGraph, State, TimeRange
from store.protocol import Failure, TimeBucket, failures_by_frequency

_CURRENT_VERSIONS = """(width, bucket, rev) IN (
    SELECT width, bucket, max(rev) FROM rollups WHERE kind = 255 AND :slots GROUP BY width, bucket
)"""
_ROLLED = f"""
SELECT cityHash64(kind, {KEY}) AS id, kind, {KEY}, {SUMMED_BUT_TIMES} FROM rollups
WHERE kind < 255 AND :slots AND {_CURRENT_VERSIONS}
GROUP BY kind, {KEY}
"""
# Histograms in a concurrent statement: summing maps takes most of the time, this halves it.
_ROLLED_TIMES = f"""
SELECT id, mapFromArrays(groupArray(time), groupArray(units)) FROM (
    SELECT cityHash64(kind, {KEY}) AS id, time, sum(count) AS units FROM rollups
    ARRAY JOIN mapKeys(histogram) AS time, mapValues(histogram) AS count
    WHERE kind < 255 AND :slots AND {_CURRENT_VERSIONS}
    GROUP BY id, time
)
GROUP BY id
"""
_ROLLED_STEPS = f"""
SELECT intDiv(bucket - :first, :step) AS number, {SUMMED} FROM rollups
WHERE kind < 255 AND :slots AND :key AND {_CURRENT_VERSIONS}
GROUP BY number
"""
RAW = f"SELECT kind, {KEY_COUNTED}, {COLUMNS_COUNTED} FROM ({COUNT})"
"""Rows of kind, key and COLUMNS, aggregated from units: for `aggregates.collect`."""
_RAW_STEPS = f"SELECT bucket, {COLUMNS_COUNTED} FROM ({COUNT})"


EVERYTHING = "1"
"""A condition on units and on rows of `rollups` that all match."""
TRIES = 5
"""Attempts to read a map: it is planned anew when rollups changed between its plan and its reading."""
_NO_SOURCE = NodeKey("", "", "")


class Units(NamedTuple):
    """The units of one node or edge: their condition on units and rows of `rollups`, and their keys."""

    condition: str
    keys: tuple[Key, ...]


def of_node(node: NodeKey) -> Units:
    """The units of a node."""
    return Units(
        f"(kind = {NODE} AND (account, name, type) = {_escape_colons(sql.node_tuple(node))})",
        ((NODE, _NO_SOURCE, node),),
    )


def of_edge(pair: tuple[NodeKey, NodeKey]) -> Units:
    """The calls and links along an edge."""
    source, target = pair
    sources = [source]
    if source.is_client:
        sources.append(source._replace(account=UNCONFIRMED))
    tuples = ", ".join(_escape_colons(sql.node_tuple(node)) for node in sources)
    return Units(
        f"(kind IN ({EDGE}, {LINK}) AND (source_account, source_name, source_type) IN ({tuples}) "
        f"AND (account, name, type) = {_escape_colons(sql.node_tuple(target))})",
        tuple((kind, node, target) for kind in (EDGE, LINK) for node in sources),
    )


def service_graph(
    run: RunQuery,
    window: TimeRange,
    rollup_cache: RollupCache,
    marks: Rows | None = None,
    settled_before: int | None = None,
) -> ServiceGraph:
    """`store.service_graph.build_service_graph` over the window.

    ``marks``: the rows of `window_plan.versions_query` for the window, when the caller has them.
    """
    chosen, found = _summed(run, window, rollup_cache, marks)
    if chosen.partial_minutes:
        collect(_raw(run, chosen.partial_minutes, RAW, key=EVERYTHING, bucket=MINUTE_OF), found)
    return graph_of(found, settled_before)


def _summed(
    run: RunQuery, window: TimeRange, rollup_cache: RollupCache, marks: Rows | None
) -> tuple[Plan, dict[Key, Aggregate]]:
    """The plan of a window, and the sum over its slots."""
    for _ in range(TRIES):
        chosen = plan(run, window, marks)
        if len(chosen.slots) > MOST_SLOTS:
            break
        found = rollup_cache.read(run, chosen.slots)
        if found is not None:
            return chosen, found
        marks = None
    found = {}
    collect(read_rolled(run, rows_of(chosen.slots)), found)
    return chosen, found


def read_rolled(run: RunQuery, slots: str) -> Iterable[tuple[Any, ...]]:
    """Rows of kind, key and COLUMNS, summed over the current revisions of slots (a condition)."""
    statements = (bind(s, slots=slots) for s in (_ROLLED_TIMES, _ROLLED))
    counts, rows = run_concurrently(run, *statements)
    times: dict[int, dict[int, int]] = dict(counts)
    for id, *key_and_columns in rows:
        yield *key_and_columns[:-3], times.get(id, {}), *key_and_columns[-2:]


def series(run: RunQuery, units: Units, window: TimeRange, step: int) -> list[TimeBucket]:
    """Statistics per step of microseconds."""
    bucket = f"intDiv(start - {window.start}, {step})"
    if step % MINUTE or window.start % MINUTE:
        rows = _raw(run, [window], _RAW_STEPS, key=units.condition, bucket=bucket)
        return _slices(_by_number(rows), window, step)
    chosen = plan(run, window, wide=False)
    rows = []
    if chosen.slots:
        values: dict[str, int | str] = {
            "first": window.start // MINUTE,
            "step": step // MINUTE,
            "slots": rows_of(chosen.slots),
            "key": units.condition,
        }
        rows += run(bind(_ROLLED_STEPS, **values))
    if chosen.partial_minutes:
        rows += _raw(run, chosen.partial_minutes, _RAW_STEPS, key=units.condition, bucket=bucket)
    return _slices(_by_number(rows), window, step)


def failures(
    run: RunQuery, units: Units, window: TimeRange, rollup_cache: RollupCache
) -> list[Failure]:
    """Failures by label."""
    counts: Counter[tuple[str, State]] = Counter()
    chosen, sums = _summed(run, window, rollup_cache, None)
    found = {key: sums[key] for key in units.keys if key in sums}
    if chosen.partial_minutes:
        collect(
            _raw(run, chosen.partial_minutes, RAW, key=units.condition, bucket=MINUTE_OF), found
        )
    for aggregate in found.values():
        for label, count in aggregate.failures.items():
            state, _, text = label.partition(":")
            counts[text, State(int(state))] += count
    return failures_by_frequency(counts)


def _raw(
    run: RunQuery, partial_minutes: list[TimeRange], statement: str, **values: int | str
) -> Rows:
    """The rows of a statement over units, after preparing its temporary tables."""
    scope = dependencies.resolve_scope(
        run, dependencies.minutes_of(partial_minutes), partial_minutes
    )
    parents.prepare(run, scope)
    rows = run(scope.fill(statement, **values))
    parents.release(run)
    dependencies.drop_scope(run)
    return rows


def _by_number(rows: Rows) -> dict[int, Aggregate]:
    """Aggregates by the number of their step; rows of calls and links, of rollups and units are added."""
    found: dict[int, Aggregate] = {}
    for number, *columns in rows:
        aggregate = read_aggregate(columns)
        if number in found:
            found[number].add(aggregate)
        else:
            found[number] = aggregate
    return found


def _slices(found: dict[int, Aggregate], window: TimeRange, step: int) -> list[TimeBucket]:
    return [
        TimeBucket(window.start + number * step, found[number].statistics)
        for number in sorted(found)
    ]


def _escape_colons(literal: str) -> str:
    """A literal without the colons that `bind` would take for places."""
    return literal.replace(":", "\\x3A")
