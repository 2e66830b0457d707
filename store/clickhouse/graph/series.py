"""Time series of some nodes and edges, queried from ClickHouse."""

from __future__ import annotations

from collections.abc import Iterable, Set
from functools import partial
from itertools import chain
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import (
    Rows,
    RunQuery,
    run_both,
    run_concurrently,
)
from store.clickhouse.graph.cut_buckets import CutBuckets, read_cut
from store.clickhouse.graph.matching import Units
from store.clickhouse.graph.pieces import is_small, prepare, release, stored
from store.clickhouse.graph.window_plan import (
    Marks,
    Pieces,
    Plan,
    bucket_pieces,
    plan,
    row_count,
    rows_of,
)
from store.clickhouse.queries import Sql
from store.clickhouse.rollup.buckets import WIDTHS, values_list
from store.clickhouse.units.aggregates import Aggregate, add, copy_of, read_aggregate
from store.clickhouse.units.unit_sums import CutUnit
from store.model import TimeRange
from store.query import TimeBucket
from store.times import BUCKET, MINUTE


class CutUnits(NamedTuple):
    """The units of raw pieces of a window, which have been read one by one."""

    pieces: frozenset[TimeRange] = frozenset()
    units: tuple[CutUnit, ...] = ()


NOT_READ = CutUnits()


def series(
    run: RunQuery,
    units: Units,
    window: TimeRange,
    step: int,
    marks: Marks,
    cut: CutBuckets,
    known: CutUnits = NOT_READ,
) -> list[TimeBucket]:
    """Statistics per step (`store.protocol.GraphReader.node_series`).

    ``marks``: those of the window; ``known``: units that need not be read again.
    """
    if window.end <= window.start:
        return []
    chosen = _plan(run, window, step, marks)
    read = known.pieces & set(chosen.pieces.raw)
    pieces = _without(chosen.pieces, read)
    rows, found = run_both(
        run,
        partial(_stored_steps, units=units, chosen=chosen, step=step),
        partial(_raw_pieces, units=units, pieces=pieces, step=step, cut=cut),
    )
    there = [unit for unit in known.units if any(unit[1].start in piece for piece in read)]
    for part in (_by_step(there, units, step), _by_number(rows)):
        add(part, found)
    return _slices(found, step)


def _plan(run: RunQuery, window: TimeRange, step: int, marks: Marks) -> Plan:
    """Where the steps of a window come from: no slot or bucket is in two of them."""
    if step % MINUTE == 0:
        return plan(run, window, marks, widths=[w for w in WIDTHS if step % (w * MINUTE) == 0])
    if step % BUCKET == 0:
        return Plan([], bucket_pieces(run, window, marks))
    rows = row_count(window, marks)
    return Plan([], Pieces([], [window], rows, 2 * rows))


def _without(pieces: Pieces, read: Set[TimeRange]) -> Pieces:
    """Without the raw pieces that have been read."""
    settled = {piece: slot for piece, slot in pieces.settled.items() if piece not in read}
    rest = [piece for piece in pieces.raw if piece not in read]
    return pieces._replace(raw=rest, settled=settled)


def _stored_steps(run: RunQuery, units: Units, chosen: Plan, step: int) -> Rows:
    """Aggregates of minutes and buckets, by the number of their step."""
    statements: list[Sql] = []
    minutes = [slot for slot in chosen.slots if slot.width == 1]
    wide = [slot for slot in chosen.slots if slot.width > 1]
    if minutes:
        fragments = {"slots": Sql(rows_of(minutes)), "key": units.condition}
        statements.append(queries.ROLLED_UP_STEPS.render(fragments, step=step // MINUTE))
    if wide:  # which a late document may have reopened since
        fragments = {
            "slots": Sql(rows_of(wide)),
            "revisions": values_list(wide),
            "key": units.condition,
        }
        statements.append(queries.WIDE_STEPS.render(fragments, step=step // MINUTE))
    if chosen.pieces.buckets:
        template = queries.BUCKET_STEPS
        statements.append(stored(template, chosen.pieces, units.condition, step=step))
    return list(chain(*run_concurrently(run, *statements))) if statements else []


def _raw_pieces(
    run: RunQuery, units: Units, pieces: Pieces, step: int, cut: CutBuckets
) -> dict[int, Aggregate]:
    """Aggregates of units in raw pieces."""
    if not pieces.raw:
        return {}
    if is_small(pieces):
        return _by_step(read_cut(run, pieces, cut), units, step)
    return _by_number(_raw_steps(run, units, pieces.raw, step))


def _raw_steps(run: RunQuery, units: Units, pieces: list[TimeRange], step: int) -> Rows:
    """The same by a statement over units."""
    scope = prepare(run, pieces)
    bucket = Sql(f"intDiv(start, {step})")
    rows = run(scope.fill(queries.UNIT_STEPS, {"key": units.condition, "bucket": bucket}))
    release(run)
    return rows


def _by_step(found: Iterable[CutUnit], units: Units, step: int) -> dict[int, Aggregate]:
    steps: dict[int, Aggregate] = {}
    for key, aggregate, _ in found:
        if units.matches(key, aggregate):
            add({aggregate.start // step: copy_of(aggregate)}, steps)
    return steps


def _by_number(rows: Rows) -> dict[int, Aggregate]:
    """Aggregates by the number of their step; rows of calls and links, of rollups and units are added."""
    found: dict[int, Aggregate] = {}
    for number, *columns in rows:
        add({number: read_aggregate(columns)}, found)
    return found


def _slices(found: dict[int, Aggregate], step: int) -> list[TimeBucket]:
    return [TimeBucket(number * step, found[number].statistics) for number in sorted(found)]
