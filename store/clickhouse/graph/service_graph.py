"""The service graph, time series and error breakdowns, queried from ClickHouse.

Whole minutes and buckets are read from the rollups; buckets that a window cuts are aggregated from the rows,
by the same expressions (`store.clickhouse.units.aggregates`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.clickhouse.graph import small_pieces
from store.clickhouse.graph.rollup_cache import MOST_SLOTS, RollupCache
from store.clickhouse.graph.window_plan import (
    Pieces,
    Plan,
    minutes_between,
    pieces_of,
    plan,
    rows_of,
)
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
    add,
    collect,
    graph_of,
    read_aggregate,
)
from store.clickhouse.units.base_buckets import BUCKET
from store.graph import ServiceGraph
from store.model import SETTLE_SLOT, NodeKey, State, TimeRange, confirmed, is_settled
from store.query import Ends, Entities, Failure, TimeBucket, failures_by_frequency
from store.rules import other_names
from store.times import MINUTE

TRIES = 5
"""Attempts to read a map: it is planned anew when rollups changed between its plan and its reading."""


class Units(NamedTuple):
    """The units of some nodes or edges: their condition on units and rows of `rollups`, and on aggregates."""

    condition: Sql
    matches: Callable[[Key, Aggregate], bool]


EVERY = Units(ALL_UNITS, lambda key, aggregate: True)
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
    add(read_pieces(run, chosen.pieces, EVERY), found)
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


def read_pieces(run: RunQuery, pieces: Pieces, units: Units) -> dict[Key, Aggregate]:
    """The aggregates of the units in pieces of minutes that match a condition."""
    if _is_small(pieces):
        return _small_pieces(run, pieces, units)
    key = units.condition
    parts: list[Sql] = []
    if pieces.buckets:
        parts.append(_stored(queries.STORED_PIECE, pieces, key))
    if pieces.raw:
        scope = _prepare(run, pieces.raw)
        parts.append(scope.fill(queries.COUNTED_PIECE, {"key": key, "bucket": MINUTE_OF}))
    found: dict[Key, Aggregate] = {}
    if parts:
        collect(run(queries.PIECES.render({"pieces": joined(" UNION ALL ", parts)})), found)
    if pieces.raw:
        _release(run)
    return found


def _is_small(pieces: Pieces) -> bool:
    """Whether `store.clickhouse.graph.small_pieces` applies."""
    return (
        bool(pieces.raw)
        and pieces.rows <= small_pieces.SMALL
        and pieces.named <= other_names.MOST_NAMES
    )


def _small_pieces(run: RunQuery, pieces: Pieces, units: Units) -> dict[Key, Aggregate]:
    counted = small_pieces.Counted()
    stored = _stored(queries.STORED_VISITS, pieces, units.condition) if pieces.buckets else None
    found, rows = small_pieces.read(run, pieces.raw, stored)
    for kind, *rest in rows:
        width = len(NodeKey._fields)
        key = kind, NodeKey(*rest[:width]), NodeKey(*rest[width : 2 * width])
        columns = rest[2 * width :]
        visits, columns[4] = columns[4], 0
        counted.add(key, read_aggregate(columns), visits)
    for key, aggregate, visits in found:
        if units.matches(key, aggregate):
            counted.add(key, aggregate, visits)
    return counted.finish()


def _stored(template: Template, pieces: Pieces, key: Sql, **parameters: int) -> Sql:
    revisions = Sql(", ".join(str(tuple(each)) for each in pieces.buckets))
    return template.render({"key": key, "revisions": revisions}, **parameters)


def series(run: RunQuery, units: Units, window: TimeRange, step: int) -> list[TimeBucket]:
    """Statistics per step of microseconds."""
    if step % BUCKET or window.start % BUCKET:
        return _slices(_by_number(_raw_steps(run, units, window, [window], step)), window, step)
    if step % MINUTE or window.start % MINUTE:
        chosen = Plan([], pieces_of(run, window, minutes_between(run, window)))
    else:
        chosen = plan(run, window, wide=False)
    rows: Rows = []
    if chosen.slots:
        rows += run(
            queries.ROLLED_UP_STEPS.render(
                {"slots": Sql(rows_of(chosen.slots)), "key": units.condition},
                first=window.start // MINUTE,
                step=step // MINUTE,
            )
        )
    stored = None
    if chosen.pieces.buckets:
        template = queries.BUCKET_STEPS
        stored = _stored(template, chosen.pieces, units.condition, start=window.start, step=step)
    found: dict[int, Aggregate] = {}
    if _is_small(chosen.pieces):
        some, more = small_pieces.read(run, chosen.pieces.raw, stored)
        rows += more
        for key, aggregate, _ in some:
            if units.matches(key, aggregate):
                add({(aggregate.start - window.start) // step: aggregate}, found)
    else:
        if stored:
            rows += run(stored)
        if chosen.pieces.raw:
            rows += _raw_steps(run, units, window, chosen.pieces.raw, step)
    add(_by_number(rows), found)
    return _slices(found, window, step)


def _raw_steps(
    run: RunQuery, units: Units, window: TimeRange, pieces: list[TimeRange], step: int
) -> Rows:
    """Aggregates of units in pieces of a window, by the number of their step."""
    scope = _prepare(run, pieces)
    bucket = Sql(f"intDiv(start - {window.start}, {step})")
    rows = run(scope.fill(queries.UNIT_STEPS, {"key": units.condition, "bucket": bucket}))
    _release(run)
    return rows


def failures(
    run: RunQuery, units: Units, window: TimeRange, rollup_cache: RollupCache
) -> list[Failure]:
    """Failures by label."""
    counts: Counter[tuple[str, State]] = Counter()
    chosen, sums = _summed(run, window, rollup_cache, None)
    found = {key: each for key, each in sums.items() if units.matches(key, each)}
    add(read_pieces(run, chosen.pieces, units), found)
    for aggregate in found.values():
        for label, count in aggregate.failures.items():
            state, _, text = label.partition(":")
            counts[text, State(int(state))] += count
    return failures_by_frequency(counts)


def _prepare(run: RunQuery, pieces: list[TimeRange]) -> dependencies.UnitScope:
    """The scope of the units in pieces of minutes, with the temporary tables that its statements read."""
    scope = dependencies.resolve_scope(run, dependencies.minutes_of(pieces), pieces)
    parents.prepare(run, scope)
    return scope


def _release(run: RunQuery) -> None:
    parents.release(run)
    dependencies.drop_scope(run)


def _by_number(rows: Rows) -> dict[int, Aggregate]:
    """Aggregates by the number of their step; rows of calls and links, of rollups and units are added."""
    found: dict[int, Aggregate] = {}
    for number, *columns in rows:
        add({number: read_aggregate(columns)}, found)
    return found


def _slices(found: dict[int, Aggregate], window: TimeRange, step: int) -> list[TimeBucket]:
    return [
        TimeBucket(window.start + number * step, found[number].statistics)
        for number in sorted(found)
    ]
