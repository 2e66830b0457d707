"""The service graph, its series and its failures, asked of ClickHouse.

Whole minutes come from the rollups, minutes that a window cuts through from the rows
(`store.clickhouse.units.aggregates` counts both alike).
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
    read_tally,
)
from store.model import MINUTE, UNCONFIRMED, NodeKey, ServiceGraph, State, TimeRange
from store.protocol import Failure, TimeBucket, failures_by_frequency

_HOLDS = """(width, bucket, rev) IN (
    SELECT width, bucket, max(rev) FROM rollups WHERE kind = 255 AND :slots GROUP BY width, bucket
)"""
_ROLLED = f"""
SELECT cityHash64(kind, {KEY}) AS id, kind, {KEY}, {SUMMED_BUT_TIMES} FROM rollups
WHERE kind < 255 AND :slots AND {_HOLDS}
GROUP BY kind, {KEY}
"""
# Apart, since adding up maps takes most of the time: half of it this way.
_ROLLED_TIMES = f"""
SELECT id, mapFromArrays(groupArray(time), groupArray(units)) FROM (
    SELECT cityHash64(kind, {KEY}) AS id, time, sum(count) AS units FROM rollups
    ARRAY JOIN mapKeys(histogram) AS time, mapValues(histogram) AS count
    WHERE kind < 255 AND :slots AND {_HOLDS}
    GROUP BY id, time
)
GROUP BY id
"""
_ROLLED_STEPS = f"""
SELECT intDiv(bucket - :first, :step) AS number, {SUMMED} FROM rollups
WHERE kind < 255 AND :slots AND :key AND {_HOLDS}
GROUP BY number
"""
RAW = f"SELECT kind, {KEY_COUNTED}, {COLUMNS_COUNTED} FROM ({COUNT})"
"""Rows of kind, key and COLUMNS, of units: for `tally.collect`."""
_RAW_STEPS = f"SELECT bucket, {COLUMNS_COUNTED} FROM ({COUNT})"


EVERYTHING = "1"
"""A condition on units and on rows of `rollups`: all of them."""
TRIES = 5
"""A map is planned anew when something was counted between its plan and its reading."""
_NOBODY = NodeKey("", "", "")


class Units(NamedTuple):
    """The units of one node or edge: a condition on units and on rows of `rollups`, and their keys."""

    condition: str
    keys: tuple[Key, ...]


def of_node(node: NodeKey) -> Units:
    """The units of a node."""
    return Units(
        f"(kind = {NODE} AND (account, name, type) = {_guarded(sql.node_tuple(node))})",
        ((NODE, _NOBODY, node),),
    )


def of_edge(pair: tuple[NodeKey, NodeKey]) -> Units:
    """The calls and links along an edge."""
    source, target = pair
    sources = [source]
    if source.is_client:
        sources.append(source._replace(account=UNCONFIRMED))
    tuples = ", ".join(_guarded(sql.node_tuple(node)) for node in sources)
    return Units(
        f"(kind IN ({EDGE}, {LINK}) AND (source_account, source_name, source_type) IN ({tuples}) "
        f"AND (account, name, type) = {_guarded(sql.node_tuple(target))})",
        tuple((kind, node, target) for kind in (EDGE, LINK) for node in sources),
    )


def service_graph(
    ask: RunQuery,
    window: TimeRange,
    rollup_cache: RollupCache,
    marks: Rows | None = None,
    settled_before: int | None = None,
) -> ServiceGraph:
    """`store.service_graph.build_service_graph` over the window.

    ``marks``: the answer to `plan.versions_query` the window, if it was asked already.
    """
    chosen, found = _summed(ask, window, rollup_cache, marks)
    if chosen.partial_minutes:
        collect(_raw(ask, chosen.partial_minutes, RAW, key=EVERYTHING, bucket=MINUTE_OF), found)
    return graph_of(found, settled_before)


def _summed(
    ask: RunQuery, window: TimeRange, rollup_cache: RollupCache, marks: Rows | None
) -> tuple[Plan, dict[Key, Aggregate]]:
    """How a window is filled, and what its slots hold."""
    for _ in range(TRIES):
        chosen = plan(ask, window, marks)
        if len(chosen.slots) > MOST_SLOTS:
            break
        found = rollup_cache.read(ask, chosen.slots)
        if found is not None:
            return chosen, found
        marks = None
    found = {}
    collect(read_rolled(ask, rows_of(chosen.slots)), found)
    return chosen, found


def read_rolled(ask: RunQuery, slots: str) -> Iterable[tuple[Any, ...]]:
    """Rows of kind, key and COLUMNS, added up over slots (a condition) as they hold now."""
    statements = (bind(s, slots=slots) for s in (_ROLLED_TIMES, _ROLLED))
    counts, rows = run_concurrently(ask, *statements)
    times: dict[int, dict[int, int]] = dict(counts)
    for id, *key_and_columns in rows:
        yield *key_and_columns[:-3], times.get(id, {}), *key_and_columns[-2:]


def series(ask: RunQuery, units: Units, window: TimeRange, step: int) -> list[TimeBucket]:
    """Statistics per step of microseconds."""
    bucket = f"intDiv(start - {window.start}, {step})"
    if step % MINUTE or window.start % MINUTE:
        rows = _raw(ask, [window], _RAW_STEPS, key=units.condition, bucket=bucket)
        return _slices(_by_number(rows), window, step)
    chosen = plan(ask, window, wide=False)
    rows = []
    if chosen.slots:
        values: dict[str, int | str] = {
            "first": window.start // MINUTE,
            "step": step // MINUTE,
            "slots": rows_of(chosen.slots),
            "key": units.condition,
        }
        rows += ask(bind(_ROLLED_STEPS, **values))
    if chosen.partial_minutes:
        rows += _raw(ask, chosen.partial_minutes, _RAW_STEPS, key=units.condition, bucket=bucket)
    return _slices(_by_number(rows), window, step)


def failures(
    ask: RunQuery, units: Units, window: TimeRange, rollup_cache: RollupCache
) -> list[Failure]:
    """What went wrong, by label."""
    counts: Counter[tuple[str, State]] = Counter()
    chosen, full_scope = _summed(ask, window, rollup_cache, None)
    found = {key: full_scope[key] for key in units.keys if key in full_scope}
    if chosen.partial_minutes:
        collect(
            _raw(ask, chosen.partial_minutes, RAW, key=units.condition, bucket=MINUTE_OF), found
        )
    for tally in found.values():
        for label, count in tally.failures.items():
            state, _, text = label.partition(":")
            counts[text, State(int(state))] += count
    return failures_by_frequency(counts)


def _raw(
    ask: RunQuery, partial_minutes: list[TimeRange], statement: str, **values: int | str
) -> Rows:
    """The rows of a statement about units, which needs to know who owns what."""
    scope = dependencies.resolve_scope(
        ask, dependencies.minutes_of(partial_minutes), partial_minutes
    )
    parents.prepare(ask, scope)
    rows = ask(scope.fill(statement, **values))
    parents.release(ask)
    dependencies.drop_scope(ask)
    return rows


def _by_number(rows: Rows) -> dict[int, Aggregate]:
    """Tallies by the number of their step; one may be of calls and links, of rollups and rows."""
    found: dict[int, Aggregate] = {}
    for number, *columns in rows:
        tally = read_tally(columns)
        if number in found:
            found[number].add(tally)
        else:
            found[number] = tally
    return found


def _slices(found: dict[int, Aggregate], window: TimeRange, step: int) -> list[TimeBucket]:
    return [
        TimeBucket(window.start + number * step, found[number].statistics)
        for number in sorted(found)
    ]


def _guarded(literal: str) -> str:
    """A literal whose colons `bind` must not read as places."""
    return literal.replace(":", "\\x3A")
