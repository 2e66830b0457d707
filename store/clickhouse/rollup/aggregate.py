"""Aggregates the rows of minutes into the table `rollups`.

A minute is recomputed from its rows whenever relevant rows arrive; a result is never incremented. A
minute with many rows is aggregated by partition (`store.clickhouse.rollup.partitions`). Any number of
processes may aggregate the same minute at the same time: the newest marker wins
(`store.clickhouse.rollup.buckets`). Minutes elsewhere that depend on the rows are found from
`cross_minute_refs` and from the minutes of their traces (`store.clickhouse.units.dependencies`) and
invalidated in `dirty` (`store.clickhouse.rollup.dirty`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql
from store.clickhouse.rollup import compaction, dirty, partitions
from store.clickhouse.rollup.buckets import (
    WIDTHS,
    Fingerprint,
    combine,
    now,
    revision,
    values_list,
    version_row,
)
from store.clickhouse.rollup.minute_state import MinuteState, read_minutes, slots
from store.clickhouse.units import dependencies, parents
from store.clickhouse.units.aggregates import ALL_UNITS, MINUTE_OF
from store.clickhouse.units.dependencies import in_minutes
from store.clickhouse.units.partition import ALL, partition_of, row_condition

_RECORD_REFS = (
    "INSERT INTO cross_minute_refs (trace_id, minute, partition) "
    "SELECT trace_id, minute, partition FROM cross_minute_refs_in_scope"
)
_REFS = "SELECT DISTINCT minute, partition FROM cross_minute_refs_in_scope"


class _Count(NamedTuple):
    """One aggregation: its time in microseconds, its revision, whether weights above 1 may occur."""

    instant: int
    rev: int
    weighed: bool


def recount_minutes(run: RunQuery, minutes: Collection[int]) -> None:
    """Aggregate minutes again, and invalidate minutes elsewhere that depend on their rows.

    Minutes without changes and minutes whose rows have begun to expire are only confirmed.
    """
    instant = now(run)
    found, heaviest = read_minutes(run, minutes)
    # A row of greater weight that arrives from now on makes its minute dirty again.
    count = _Count(instant, revision(instant), heaviest > 1)
    unchanged, stale = [], []
    for minute in found:
        counted_at = minute.before.counted_at if minute.before else 0
        if minute.has_expired or not (minute.has_changed or minute.is_stale(counted_at, instant)):
            unchanged.append(minute.number)
        else:
            stale.append(minute)
    if unchanged:
        run(queries.CONFIRM_MINUTES.render({"slots": slots(unchanged)}, rev=count.rev))
    if not stale:
        return
    wides = sorted({(width, m.number // width * width) for m in stale for width in WIDTHS})
    known = run(queries.WIDE_ROWS.render({"wides": values_list(wides)}))
    parts = {(width, first): rows for width, first, rows in known}
    reopened = [(*wide, parts.get(wide, 0)) for wide in wides]
    if len(stale) == 1 and stale[0].fingerprint.rows > dirty.LONG:
        _recount_by_partition(run, stale[0], count, reopened)
    else:
        _recount(run, stale, count, reopened)
    finished = now(run)
    if finished - instant > compaction.QUIET // 4:
        # Another process may have downsampled without these.
        compaction.invalidate_parents(run, reopened, finished)


def _markers(
    minutes: Iterable[tuple[int, Fingerprint, int]], reopened: Iterable[tuple[int, int, int]]
) -> list[tuple[int, ...]]:
    """Markers of minutes (number, rows, time of the aggregation) and of wide buckets that are out of date."""
    ours = [
        version_row(1, number, fingerprint, counted_at)
        for number, fingerprint, counted_at in minutes
    ]
    return [
        *ours,
        *(version_row(width, bucket, Fingerprint(rows)) for width, bucket, rows in reopened),
    ]


def _recount(
    run: RunQuery, stale: list[MinuteState], count: _Count, reopened: list[tuple[int, int, int]]
) -> None:
    """Aggregate whole minutes."""
    markers = _markers(((m.number, m.fingerprint, count.instant) for m in stale), reopened)
    condition = in_minutes([minute.number for minute in stale])
    fresh = {minute.number for minute in stale if minute.has_changed}

    def insert(scope: dependencies.UnitScope) -> None:
        fragments = {"bucket": MINUTE_OF, "key": ALL_UNITS, "markers": values_list(markers)}
        run(scope.fill(queries.RECOUNT_MINUTES, fragments, rev=count.rev))

    _count_scope(run, condition, condition, count, insert, lambda minute, _: minute in fresh)


def _recount_by_partition(
    run: RunQuery, minute: MinuteState, count: _Count, reopened: list[tuple[int, int, int]]
) -> None:
    """Aggregate the partitions of a minute that have changed, and merge all of them into its rollup."""
    number = minute.number
    known = partitions.counted(run, number)
    changed: dict[int, Fingerprint] = {}
    fresh = set()
    # Which names are in excess depends on all rows of the minute.
    many_names = bool(run(dependencies.many_names_statement(f"minute = {number}")))
    for partition in minute.fingerprints.keys() | known.keys():
        fingerprint = minute.fingerprints.get(partition, Fingerprint())
        before = known.get(partition)
        if before is None or not before.fingerprint.matches(fingerprint):
            changed[partition] = fingerprint
            fresh.add(partition)
        elif many_names or any(
            mark.is_stale(before.counted_at, count.instant)
            for mark in minute.marks
            if mark.partition in (partition, ALL)
        ):
            changed[partition] = fingerprint
    if changed:
        here = f"(minute = {number} AND partition IN ({', '.join(map(str, changed))}))"
        rows = values_list((partition, *fingerprint) for partition, fingerprint in changed.items())

        def insert(scope: dependencies.UnitScope) -> None:
            partition = Sql(partition_of("trace_id", str(number)))
            fragments = {"bucket": partition, "key": ALL_UNITS, "counted": rows}
            run(scope.fill(queries.RECOUNT_PARTITIONS, fragments, minute=number, rev=count.rev))

        changed_rows = row_condition(number, changed)
        _count_scope(
            run,
            changed_rows,
            here,
            count,
            insert,
            lambda _, partition: partition in fresh,
            f"minute = {number}",
        )
        known = partitions.counted(run, number)
    fingerprint = combine([each.fingerprint for each in known.values()])
    counted_at = min((each.counted_at for each in known.values()), default=count.instant)
    partitions.merge(
        run, number, known, _markers([(number, fingerprint, counted_at)], reopened), count.rev
    )


def _count_scope(
    run: RunQuery,
    row_condition: str,
    here: str,
    count: _Count,
    insert: Callable[[dependencies.UnitScope], None],
    is_fresh: Callable[[int, int], bool],
    whole_minutes: str = "",
) -> None:
    """Aggregate the units of some rows, record their cross-minute references, and invalidate their dependents.

    ``row_condition`` selects the rows, ``here`` the same minutes and partitions in statements without trace
    ids. ``is_fresh``: whether a minute and partition has new rows. ``whole_minutes`` as in `UnitScope`.
    """
    scope = dependencies.resolve_scope(
        run, row_condition, weighed=count.weighed, whole_minutes=whole_minutes
    )
    parents.prepare(run, scope)
    run(_RECORD_REFS)
    insert(scope)
    parents.release(run)
    dependents = queries.DEPENDENTS.render(
        {
            "minutes": Sql(row_condition),
            "here": Sql(here),
            "partition": Sql(partition_of("trace_id", "minute")),
        }
    )
    came = {(minute, partition): last for minute, partition, last in run(dependents)}
    # A process that aggregates the referenced rows right now does not see these references yet.
    again = [(m, s) for m, s in run(_REFS) if is_fresh(m, s)]
    dependencies.drop_scope(run)
    counted_at = _last_counts(run, {minute for minute, _ in came})
    dirty.invalidate(
        run, {place: (last, counted_at(*place)) for place, last in came.items()}, again, now(run)
    )


def _last_counts(run: RunQuery, minutes: Collection[int]) -> Callable[[int, int], int]:
    """When a partition of these minutes was last aggregated, microseconds (0: never)."""
    if not minutes:
        return lambda minute, partition: 0
    whole = {
        m: counted_at
        for m, (counted_at, *_) in run(queries.MINUTE_MARKERS.render({"slots": slots(minutes)}))
    }
    parts: dict[int, dict[int, int]] = {}
    for minute, partition, counted_at in run(
        queries.PARTITION_TIMES.render({"slots": slots(minutes)})
    ):
        parts.setdefault(minute, {})[partition] = counted_at

    def last_count(minute: int, partition: int) -> int:
        known = parts.get(minute, {})
        if partition == ALL and known:
            return min(known.values())
        counted_at: int = known.get(partition, whole.get(minute, 0))
        return counted_at

    return last_count
