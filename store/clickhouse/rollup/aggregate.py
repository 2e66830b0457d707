"""Counting minutes: from rows to the table `rollups`.

A minute is counted from its rows, as often as rows arrive that matter to it; nothing is ever added to
a count. A long one is counted by partition_rollups (`store.clickhouse.rollup.partitions`). Any number of processes may count
the same minute at the same time: the newest marker decides (`store.clickhouse.rollup.buckets`). What a row
changes elsewhere is found from `cross_minute_refs` and from the places of its trace
(`store.clickhouse.units.dependencies`), and marked in `dirty` (`store.clickhouse.rollup.dirty`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.connection.sql import bind
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.rollup import compaction, dirty, partitions
from store.clickhouse.rollup.buckets import (
    AT_ONCE,
    BEHIND,
    MARKERS,
    PREFIX,
    WIDTHS,
    Fingerprint,
    combine,
    now,
    revision,
    values_list,
    version_row,
)
from store.clickhouse.rollup.partitions import ALL, partition_of
from store.clickhouse.units import dependencies, parents
from store.clickhouse.units.aggregates import COLUMNS_COUNTED, COUNT, KEY_COUNTED, MINUTE_OF
from store.clickhouse.units.dependencies import in_minutes

DAY = 86_400

_THERE = f"""
SELECT minute, :partition AS partition, count(), sum(toUInt64(inserted)), toUnixTimestamp(min(received)),
       min(start), max(start), max(weight)
FROM (
    SELECT minute, trace_id, inserted, received, start, weight FROM segments WHERE :minutes AND {NOT_PINNED_COPY}
    UNION ALL
    SELECT minute, trace_id, inserted, received, start, weight FROM calls WHERE :minutes AND {NOT_PINNED_COPY}
    UNION ALL
    SELECT minute, trace_id, inserted, received, start, weight FROM links WHERE :minutes AND {NOT_PINNED_COPY}
)
GROUP BY minute, partition
"""
_MARKERS = """
SELECT bucket, argMax((counted_at, rows, checksum, toUnixTimestamp(oldest), start, end), rev) FROM rollups
WHERE width = 1 AND kind = 255 AND :slots GROUP BY bucket
"""
# The rows of some minutes once more, under a new revision.
_KEEP = f"""
INSERT INTO rollups {AT_ONCE} SELECT * REPLACE (:rev AS rev) FROM rollups AS r
WHERE width = 1 AND :slots AND (bucket, r.rev) IN (
    SELECT bucket, max(rev) FROM rollups WHERE width = 1 AND kind = 255 AND :slots GROUP BY bucket
)
"""
_PARTS = """
SELECT width, bucket, argMax(rows, rev) FROM rollups
WHERE width > 1 AND kind = 255 AND (width, bucket) IN (:wides) GROUP BY width, bucket
"""
_NOTE = "INSERT INTO cross_minute_refs (trace_id, minute, partition) SELECT trace_id, minute, partition FROM strays"
_ROLL = f"""
INSERT INTO rollups ({PREFIX}) {AT_ONCE}
SELECT toUInt16(1) AS width_, kind, bucket, {KEY_COUNTED}, {COLUMNS_COUNTED}, {BEHIND.format(1)}
FROM ({COUNT})
UNION ALL {MARKERS}
"""
# Traces with rows here and units elsewhere: when the newest of those rows came, by where those are.
_ELSEWHERE = f"""
SELECT minute, partition, max(inserted) FROM (
    SELECT trace_id, max(inserted) AS inserted FROM (
        SELECT trace_id, inserted FROM segments
        WHERE :minutes AND trace_id IN (SELECT trace_id FROM far)
        UNION ALL
        SELECT trace_id, inserted FROM calls
        WHERE :minutes AND trace_id IN (SELECT trace_id FROM far)
    ) GROUP BY trace_id
) AS came
INNER JOIN (
    SELECT trace_id, minute, {partition_of("trace_id", "minute")} AS partition FROM places
    UNION ALL
    SELECT trace_id, minute, partition FROM cross_minute_refs WHERE trace_id IN (SELECT trace_id FROM far)
) AS lies ON came.trace_id = lies.trace_id
WHERE NOT :here
GROUP BY minute, partition
"""
_STRAYS = "SELECT DISTINCT minute, partition FROM strays"


class _LastCount(NamedTuple):
    """A minute as it was counted last: when, and the rows there were."""

    counted_at: int
    held: Fingerprint


class _MinuteState(NamedTuple):
    """A minute's rows by partition (or all of them as ANY), its last count, what is known of rows elsewhere."""

    number: int
    there: Mapping[int, Fingerprint]
    before: _LastCount | None
    marks: list[dirty.Invalidation]

    @property
    def held(self) -> Fingerprint:
        return combine(self.there.values())

    @property
    def has_changed(self) -> bool:
        """Whether a row has come or gone since it was counted."""
        return self.before is None or not self.before.held.matches(self.held)

    def asks(self, counted_at: int, instant: int) -> bool:
        """Whether rows elsewhere make a count of the moment ``counted_at`` doubtful."""
        return any(mark.asks(counted_at, instant) for mark in self.marks)

    @property
    def has_expired(self) -> bool:
        """Whether rows that the count was made of are gone: then it stays as it is."""
        if self.before is None:
            return False
        counted, held = self.before.held, self.held
        return held.rows < counted.rows and (held.rows == 0 or held.oldest >= counted.oldest + DAY)


class _Count(NamedTuple):
    """One count: its moment, its revision, and whether units may weigh more than 1 in it."""

    instant: int
    rev: int
    weighed: bool


def recount_minutes(ask: RunQuery, minutes: Collection[int]) -> None:
    """Count minutes, and mark those elsewhere that their rows have changed.

    A minute whose rows have begun to expire keeps its count, and one in which nothing is new.
    """
    instant = now(ask)
    found, heaviest = _read(ask, minutes)
    # A heavier row that comes from now on makes its minute due again.
    count = _Count(instant, revision(instant), heaviest > 1)
    kept, live = [], []
    for minute in found:
        counted_at = minute.before.counted_at if minute.before else 0
        if minute.has_expired or not (minute.has_changed or minute.asks(counted_at, instant)):
            kept.append(minute.number)
        else:
            live.append(minute)
    if kept:
        ask(bind(_KEEP, slots=_slots(kept), rev=count.rev))
    if not live:
        return
    wides = sorted({(width, m.number // width * width) for m in live for width in WIDTHS})
    parts = {(w, s): n for w, s, n in ask(bind(_PARTS, wides=values_list(wides)))}
    reopened = [(*wide, parts.get(wide, 0)) for wide in wides]
    if len(live) == 1 and live[0].held.rows > dirty.LONG:
        _roll_long(ask, live[0], count, reopened)
    else:
        _roll(ask, live, count, reopened)
    finished = now(ask)
    if (
        finished - instant > compaction.QUIET // 4
    ):  # another process may have added up without these
        compaction.invalidate_parents(ask, reopened, finished)


def _read(ask: RunQuery, minutes: Collection[int]) -> tuple[list[_MinuteState], int]:
    """Minutes as they are, and the greatest weight of a row. Shares are told apart of one alone."""
    partition = partition_of("trace_id", "minute") if len(minutes) == 1 else f"toUInt8({ALL})"
    there: dict[int, dict[int, Fingerprint]] = {minute: {} for minute in minutes}
    heaviest = 1
    rows = ask(bind(_THERE, minutes=in_minutes(minutes), partition=partition))
    for minute, number, *figures, weight in rows:
        there[minute][number] = Fingerprint(*figures)
        heaviest = max(heaviest, weight)
    before = {
        minute: _LastCount(counted_at, Fingerprint(*held))
        for minute, (counted_at, *held) in ask(bind(_MARKERS, slots=_slots(minutes)))
    }
    marks = dirty.marks(ask, minutes)
    found = [
        _MinuteState(minute, there[minute], before.get(minute), marks.get(minute, []))
        for minute in sorted(minutes)
    ]
    return found, heaviest


def _slots(minutes: Collection[int]) -> str:
    return in_minutes(minutes).replace("minute", "bucket")


def _markers(
    minutes: Iterable[tuple[int, Fingerprint, int]], reopened: Iterable[tuple[int, int, int]]
) -> list[tuple[int, ...]]:
    """The markers of minutes (number, rows, when they were counted) and those of wide slots."""
    ours = [version_row(1, number, held, counted_at) for number, held, counted_at in minutes]
    return [
        *ours,
        *(version_row(width, bucket, Fingerprint(rows)) for width, bucket, rows in reopened),
    ]


def _roll(
    ask: RunQuery, live: list[_MinuteState], count: _Count, reopened: list[tuple[int, int, int]]
) -> None:
    """Count minutes as they are."""
    markers = _markers(((m.number, m.held, count.instant) for m in live), reopened)
    condition = in_minutes([minute.number for minute in live])
    fresh = {minute.number for minute in live if minute.has_changed}

    def insert(scope: dependencies.UnitScope) -> None:
        ask(
            scope.fill(
                _ROLL, bucket=MINUTE_OF, key="1", rev=count.rev, markers=values_list(markers)
            )
        )

    _count(ask, condition, condition, count, insert, lambda minute, _: minute in fresh)


def _roll_long(
    ask: RunQuery, minute: _MinuteState, count: _Count, reopened: list[tuple[int, int, int]]
) -> None:
    """Count those partition_rollups of a minute that have changed, and add it up from all."""
    number = minute.number
    known = partitions.counted(ask, number)
    changed: dict[int, Fingerprint] = {}
    fresh = set()
    for partition in minute.there.keys() | known.keys():
        held, before = minute.there.get(partition, Fingerprint()), known.get(partition)
        if before is None or not before.held.matches(held):
            changed[partition] = held
            fresh.add(partition)
        elif any(
            mark.asks(before.counted_at, count.instant)
            for mark in minute.marks
            if mark.partition in (partition, ALL)
        ):
            changed[partition] = held
    if changed:
        here = f"(minute = {number} AND partition IN ({', '.join(map(str, changed))}))"
        rows = values_list((partition, *held) for partition, held in changed.items())

        def insert(scope: dependencies.UnitScope) -> None:
            partition = partition_of("trace_id", str(number))
            places: dict[str, int | str] = {
                "bucket": partition,
                "key": "1",
                "minute": number,
                "rev": count.rev,
            }
            ask(scope.fill(partitions.COUNT_SHARES, counted=rows, **places))

        row_condition = partitions.row_condition(number, changed)
        _count(ask, row_condition, here, count, insert, lambda _, partition: partition in fresh)
        known = partitions.counted(ask, number)
    held = combine([each.held for each in known.values()])
    counted_at = min((each.counted_at for each in known.values()), default=count.instant)
    partitions.merge(
        ask, number, known, _markers([(number, held, counted_at)], reopened), count.rev
    )


def _count(
    ask: RunQuery,
    row_condition: str,
    here: str,
    count: _Count,
    insert: Callable[[dependencies.UnitScope], None],
    is_fresh: Callable[[int, int], bool],
) -> None:
    """Count what lies ``inside`` (a condition on rows), note what it depends on, and mark those elsewhere
    that it matters to. ``here``: the same as a condition on minute and partition; ``is_fresh``: whether rows
    of a minute and partition are new."""
    scope = dependencies.resolve_scope(ask, row_condition, weighed=count.weighed)
    parents.prepare(ask, scope)
    ask(_NOTE)
    insert(scope)
    parents.release(ask)
    came = {(m, s): last for m, s, last in ask(bind(_ELSEWHERE, minutes=row_condition, here=here))}
    # Who has counted those rows meanwhile did not know yet that something here depends on them.
    again = [(m, s) for m, s in ask(_STRAYS) if is_fresh(m, s)]
    dependencies.drop_scope(ask)
    counted_at = _looked(ask, {minute for minute, _ in came})
    dirty.mark(
        ask, {place: (last, counted_at(*place)) for place, last in came.items()}, again, now(ask)
    )


def _looked(ask: RunQuery, minutes: Collection[int]) -> Callable[[int, int], int]:
    """When a partition of one of these minutes was counted (0: never)."""
    if not minutes:
        return lambda minute, partition: 0
    whole = {m: counted_at for m, (counted_at, *_) in ask(bind(_MARKERS, slots=_slots(minutes)))}
    parts: dict[int, dict[int, int]] = {}
    for minute, partition, counted_at in ask(bind(partitions.LOOKED, slots=_slots(minutes))):
        parts.setdefault(minute, {})[partition] = counted_at

    def resolve_scope(minute: int, partition: int) -> int:
        known = parts.get(minute, {})
        if partition == ALL and known:
            return min(known.values())
        counted_at: int = known.get(partition, whole.get(minute, 0))
        return counted_at

    return resolve_scope
