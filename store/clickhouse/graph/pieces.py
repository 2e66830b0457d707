"""Reads the pieces of a window that no whole slot of `rollups` covers: buckets, and raw rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery, run_both
from store.clickhouse.graph import small_pieces
from store.clickhouse.graph.cut_buckets import read_cut
from store.clickhouse.graph.rollup_cache import RollupCache
from store.clickhouse.graph.stored_buckets import read_stored
from store.clickhouse.graph.window_plan import Pieces
from store.clickhouse.queries import Sql, Template, joined
from store.clickhouse.units import dependencies, facts
from store.clickhouse.units.aggregates import (
    ALL_UNITS,
    MINUTE_OF,
    Aggregate,
    Key,
    collect,
)
from store.clickhouse.units.unit_sums import Counted, CutUnit
from store.model import TimeRange
from store.rules import other_names


class PieceSums(NamedTuple):
    """The aggregates of pieces by node and edge, and the units of raw pieces one by one: None if they were
    aggregated by statements."""

    sums: dict[Key, Aggregate]
    units: list[CutUnit] | None


def read_pieces(run: RunQuery, windows: Sequence[Pieces], cache: RollupCache) -> list[PieceSums]:
    """All units in pieces of minutes, for each window; no bucket is in two windows."""
    if is_small(together := together_of(windows)):
        return _small(run, windows, together, cache)
    if len(windows) > 1:
        return [found for pieces in windows for found in read_pieces(run, [pieces], cache)]
    return [_by_statements(run, pieces) for pieces in windows]


def together_of(windows: Sequence[Pieces]) -> Pieces:
    """The pieces of all windows."""
    return Pieces(
        [bucket for pieces in windows for bucket in pieces.buckets],
        [piece for pieces in windows for piece in pieces.raw],
        sum(pieces.rows for pieces in windows),
        max((pieces.named for pieces in windows), default=0),
        {piece: slot for pieces in windows for piece, slot in pieces.settled.items()},
    )


def _by_statements(run: RunQuery, pieces: Pieces) -> PieceSums:
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


def _small(
    run: RunQuery, windows: Sequence[Pieces], together: Pieces, cache: RollupCache
) -> list[PieceSums]:
    units, sums = run_both(
        run,
        lambda run: read_cut(run, together, cache.cut),
        lambda run: read_stored(run, windows, cache.stored),
    )
    found = []
    for pieces, of_window in zip(windows, sums, strict=True):
        here = [unit for unit in units if any(unit[1].start in piece for piece in pieces.raw)]
        counted = Counted()
        for each in (*of_window, *here):
            counted.add(*each)
        found.append(PieceSums(counted.finish(), here))
    return found


def stored(template: Template, pieces: Pieces, key: Sql, **parameters: int) -> Sql:
    """A statement over the buckets of pieces, of the units that match ``key``."""
    return template.render({"key": key, "revisions": revisions_of(pieces)}, **parameters)


def revisions_of(pieces: Pieces) -> Sql:
    """The buckets of pieces and their revisions, as a list."""
    return Sql(", ".join(str(tuple(each)) for each in pieces.buckets))


def prepare(run: RunQuery, pieces: list[TimeRange]) -> dependencies.UnitScope:
    """The scope of the units in pieces of minutes, with the temporary tables that its statements read."""
    return facts.prepare(run, dependencies.resolve_scope(run, pieces))


def release(run: RunQuery) -> None:
    """Drop the temporary tables of `prepare`."""
    facts.release(run)
    dependencies.drop_scope(run)
