"""The service graph, time series and error breakdowns, queried from ClickHouse.

Whole minutes are read from the rollups; minutes that a window cuts are aggregated from the rows, by the
same expressions (`store.clickhouse.units.aggregates`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.clickhouse.graph.rollup_cache import MOST_SLOTS, RollupCache
from store.clickhouse.graph.window_plan import Plan, plan, rows_of
from store.clickhouse.queries import Sql, Template, joined, parenthesized
from store.clickhouse.units import dependencies, parents
from store.clickhouse.units.aggregates import (
    ALL_UNITS,
    EDGE,
    LINK,
    MINUTE_OF,
    NODE,
    Aggregate,
    Key,
    collect,
    graph_of,
    read_aggregate,
)
from store.graph import ServiceGraph
from store.model import SETTLE_SLOT, NodeKey, State, TimeRange, confirmed, is_settled
from store.query import Ends, Entities, Failure, TimeBucket, failures_by_frequency
from store.times import MINUTE

TRIES = 5
"""Attempts to read a map: it is planned anew when rollups changed between its plan and its reading."""


class Units(NamedTuple):
    """The units of some nodes or edges: their condition on units and rows of `rollups`, and on aggregates."""

    condition: Sql
    matches: Callable[[Key, Aggregate], bool]


_KEY = ", ".join(NodeKey._fields)
_SOURCE_KEY = ", ".join(f"source_{field}" for field in NodeKey._fields[1:])
_KEY_TYPE = f"Tuple({', '.join(['String'] * len(NodeKey._fields))})"


def of_nodes(nodes: Collection[NodeKey]) -> Units:
    """The units of nodes."""
    condition = f"(kind = {NODE} AND ({_KEY}) IN {{nodes:Array({_KEY_TYPE})}})"
    return Units(
        Sql(condition, {"nodes": [tuple(node) for node in nodes]}),
        lambda key, _: key[0] == NODE and key[2] in nodes,
    )


def of_edges(
    edges: Collection[Ends],
    settled_before: int | None = None,
    *,
    kinds: Collection[int] = (EDGE, LINK),
) -> Units:
    """The calls and links along edges, those from unconfirmed clients only if they are settled."""
    account = "if(startsWith(source_type, 'client'), '', source_account)"
    name = "edges_" + "_".join(map(str, kinds))
    condition = (
        f"(kind IN ({', '.join(map(str, kinds))}) AND (({account}, {_SOURCE_KEY}), ({_KEY}))"
        f" IN {{{name}:Array(Tuple({_KEY_TYPE}, {_KEY_TYPE}))}}"
    )
    if settled_before is not None:
        settled = settled_before // SETTLE_SLOT * SETTLE_SLOT
        unconfirmed = queries.IS_UNCONFIRMED.render().text
        condition += f" AND NOT ({unconfirmed} AND start >= {settled})"

    def matches(key: Key, aggregate: Aggregate) -> bool:
        kind, source, target = key
        return (
            kind in kinds
            and (confirmed(source), target) in edges
            and is_settled(source, aggregate.start, settled_before)
        )

    pairs = [(tuple(source), tuple(target)) for source, target in edges]
    return Units(Sql(condition + ")", {name: pairs}), matches)


def of_entities(entities: Entities, settled_before: int | None) -> Units:
    """The units of some nodes, edges of calls and edges of links; there must be any."""
    units = [
        *([of_nodes(entities.nodes)] if entities.nodes else []),
        *(
            of_edges(edges, settled_before, kinds=(kind,))
            for kind, edges in ((EDGE, entities.edges), (LINK, entities.links))
            if edges
        ),
    ]
    condition = parenthesized(joined(" OR ", [each.condition for each in units]))
    return Units(condition, lambda *each: any(one.matches(*each) for one in units))


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
        fragments = {"key": ALL_UNITS, "bucket": MINUTE_OF}
        collect(_raw(run, chosen.partial_minutes, queries.AGGREGATED_UNITS, fragments), found)
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
    """Rows of kind, key and columns (queries/units/columns.sql), summed over the current revisions of slots (a condition)."""
    fragments = {"slots": Sql(slots)}
    counts, rows = run_concurrently(
        run, queries.ROLLED_UP_HISTOGRAMS.render(fragments), queries.ROLLED_UP.render(fragments)
    )
    times: dict[int, dict[int, int]] = dict(counts)
    for id, *key_and_columns in rows:
        yield *key_and_columns[:-3], times.get(id, {}), *key_and_columns[-2:]


def series(run: RunQuery, units: Units, window: TimeRange, step: int) -> list[TimeBucket]:
    """Statistics per step of microseconds."""
    fragments = {
        "key": units.condition,
        "bucket": Sql(f"intDiv(start - {window.start}, {step})"),
    }
    if step % MINUTE or window.start % MINUTE:
        rows = _raw(run, [window], queries.UNIT_STEPS, fragments)
        return _slices(_by_number(rows), window, step)
    chosen = plan(run, window, wide=False)
    rows = []
    if chosen.slots:
        rows += run(
            queries.ROLLED_UP_STEPS.render(
                {"slots": Sql(rows_of(chosen.slots)), "key": units.condition},
                first=window.start // MINUTE,
                step=step // MINUTE,
            )
        )
    if chosen.partial_minutes:
        rows += _raw(run, chosen.partial_minutes, queries.UNIT_STEPS, fragments)
    return _slices(_by_number(rows), window, step)


def failures(
    run: RunQuery, units: Units, window: TimeRange, rollup_cache: RollupCache
) -> list[Failure]:
    """Failures by label."""
    counts: Counter[tuple[str, State]] = Counter()
    chosen, sums = _summed(run, window, rollup_cache, None)
    found = {key: each for key, each in sums.items() if units.matches(key, each)}
    if chosen.partial_minutes:
        fragments = {"key": units.condition, "bucket": MINUTE_OF}
        collect(_raw(run, chosen.partial_minutes, queries.AGGREGATED_UNITS, fragments), found)
    for aggregate in found.values():
        for label, count in aggregate.failures.items():
            state, _, text = label.partition(":")
            counts[text, State(int(state))] += count
    return failures_by_frequency(counts)


def _raw(
    run: RunQuery,
    partial_minutes: list[TimeRange],
    template: Template,
    fragments: Mapping[str, Sql],
) -> Rows:
    """The rows of a statement over units, after preparing its temporary tables."""
    scope = dependencies.resolve_scope(
        run, dependencies.minutes_of(partial_minutes), partial_minutes
    )
    parents.prepare(run, scope)
    rows = run(scope.fill(template, fragments))
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
