"""Reads the pieces of a window that no whole slot of `rollups` covers: buckets, and raw rows."""

from __future__ import annotations

from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery, run_both
from store.clickhouse.graph import small_pieces
from store.clickhouse.graph.small_pieces import CutUnit
from store.clickhouse.graph.window_plan import Pieces
from store.clickhouse.queries import Sql, Template, joined
from store.clickhouse.units import dependencies, parents
from store.clickhouse.units.aggregates import (
    ALL_UNITS,
    MINUTE_OF,
    Aggregate,
    Key,
    collect,
    read_aggregate,
)
from store.model import NodeKey, TimeRange
from store.rules import other_names


class PieceSums(NamedTuple):
    """The aggregates of pieces by node and edge, and the units of raw pieces one by one: None if they were
    aggregated by statements."""

    sums: dict[Key, Aggregate]
    units: list[CutUnit] | None


def read_pieces(run: RunQuery, pieces: Pieces) -> PieceSums:
    """All units in pieces of minutes."""
    if is_small(pieces):
        return _small(run, pieces)
    parts: list[Sql] = []
    if pieces.buckets:
        parts.append(stored(queries.STORED_PIECE, pieces, ALL_UNITS))
    if pieces.raw:
        scope = prepare(run, pieces.raw)
        parts.append(scope.fill(queries.COUNTED_PIECE, {"key": ALL_UNITS, "bucket": MINUTE_OF}))
    found: dict[Key, Aggregate] = {}
    if parts:
        collect(run(queries.PIECES.render({"pieces": joined(" UNION ALL ", parts)})), found)
    if pieces.raw:
        release(run)
    return PieceSums(found, None if pieces.raw else [])


def is_small(pieces: Pieces) -> bool:
    """Whether `store.clickhouse.graph.small_pieces` applies."""
    return (
        bool(pieces.raw)
        and pieces.rows <= small_pieces.SMALL
        and pieces.named <= other_names.MOST_NAMES
    )


def _small(run: RunQuery, pieces: Pieces) -> PieceSums:
    counted = small_pieces.Counted()
    units, rows = run_both(
        run,
        lambda run: small_pieces.read(run, pieces.raw),
        lambda run: run(stored(queries.STORED_VISITS, pieces, ALL_UNITS)) if pieces.buckets else [],
    )
    for kind, *rest in rows:
        width = len(NodeKey._fields)
        key = kind, NodeKey(*rest[:width]), NodeKey(*rest[width : 2 * width])
        columns = rest[2 * width :]
        visits, columns[4] = columns[4], 0
        counted.add(key, read_aggregate(columns), visits)
    for unit in units:
        counted.add(*unit)
    return PieceSums(counted.finish(), units)


def stored(template: Template, pieces: Pieces, key: Sql, **parameters: int) -> Sql:
    """A statement over the buckets of pieces, of the units that match ``key``."""
    revisions = Sql(", ".join(str(tuple(each)) for each in pieces.buckets))
    return template.render({"key": key, "revisions": revisions}, **parameters)


def prepare(run: RunQuery, pieces: list[TimeRange]) -> dependencies.UnitScope:
    """The scope of the units in pieces of minutes, with the temporary tables that its statements read."""
    scope = dependencies.resolve_scope(run, dependencies.minutes_of(pieces), pieces)
    parents.prepare(run, scope)
    return scope


def release(run: RunQuery) -> None:
    """Drop the temporary tables of `prepare`."""
    parents.release(run)
    dependencies.drop_scope(run)
