"""Plans how a window is read: slots of `rollups`, each at its current revision, and the remaining pieces.

Whole minutes are read from the rollups. Of minutes that a window cuts the buckets are read while they
are stored; what the window cuts of those, or of older minutes, is aggregated from the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.clickhouse.queries import Sql
from store.clickhouse.rollup.bucket_state import (
    Version,
    bucket_versions,
    bucket_versions_query,
    read_versions,
)
from store.clickhouse.rollup.buckets import WIDTHS, AddedUp, added_up
from store.clickhouse.rollup.dirty import SETTLE
from store.clickhouse.units.base_buckets import numbers_in, range_of
from store.model import TimeRange
from store.times import BUCKET, MINUTE, PER_MINUTE

LAST_MINUTE = (1 << 32) - 1
MOST_RAW = 200_000
"""Rows that are aggregated for a request at most, which takes half a second. With more, whole minutes are shown."""
FEW = 500
"""Rows that are counted as fast as buckets are read."""
FEW_MINUTES = 10
"""Minutes whose buckets are as quickly listed as those of two."""
SETTLED = SETTLE
"""Microseconds after a count from which on rows are read as it saw them, or it has been repeated."""
SHORT = 6 * 60
"""Minutes of a window whose markers are all read at once. For a longer window only those of the wide slots are
read, and then those of the minutes that the wide slots leave."""


class Slot(NamedTuple):
    """A bucket of `rollups` at one revision; the contents of a revision never change."""

    width: int
    first: int
    rev: int


class BucketSlot(NamedTuple):
    """A bucket of `bucket_rollups` at one revision."""

    bucket: int
    rev: int


class Pieces(NamedTuple):
    """How minutes that a window cuts are read: whole buckets, and pieces that are read from the rows.

    ``rows``: so many are in the buckets or minutes of these pieces; ``named``: at most so many names of
    nodes are in one of the minutes; ``settled``: the buckets of those raw pieces that were counted so long ago that
    inserts which were running then are visible, or have failed.
    """

    buckets: list[BucketSlot]
    raw: list[TimeRange]
    rows: int
    named: int
    settled: Mapping[TimeRange, BucketSlot] = {}


NO_PIECES = Pieces([], [], 0, 0)


class CutMinute(NamedTuple):
    """A minute that a window cuts: what it was added up from, and its number of rows."""

    added_up: AddedUp
    rows: int


class Plan(NamedTuple):
    """Where the figures of a window come from: slots, and pieces of the minutes that it cuts."""

    slots: list[Slot]
    pieces: Pieces


class Marks(NamedTuple):
    """What windows are planned from: the rows of versions.sql, and the versions of buckets by minute."""

    slots: Rows
    buckets: Mapping[int, list[Version]]


def marks_queries(windows: Sequence[TimeRange]) -> list[Sql]:
    """The statements whose result rows `marks_of` takes."""
    minutes = set().union(*map(_minutes_by_bucket, windows))
    versions = [bucket_versions_query(minutes)] if minutes else []
    return [versions_query(windows), *versions]


def _minutes_by_bucket(window: TimeRange) -> set[int]:
    """The minutes whose buckets are among the marks: those that the window cuts, and all of a short one, whose
    series will need them."""
    first, last = bounds(window)
    cut = ends_of(window)
    return set(range(first, last + 1)) if cut and last - first < FEW_MINUTES else cut


def marks_of(windows: Sequence[TimeRange], slots: Rows, buckets: Rows | None = None) -> list[Marks]:
    """The result rows of `marks_queries`, for each window those of its minutes."""
    versions = _by_minute(read_versions(buckets or []))
    found = []
    for window in windows:
        first, last = bounds(window)
        found.append(Marks([row for row in slots if first <= row[1] <= last], versions))
    return found


def versions_query(windows: Sequence[TimeRange]) -> Sql:
    """The newest versions of slots that windows overlap."""
    ends = [bounds(window) for window in windows]
    which = []
    for window, (first, last) in zip(windows, ends, strict=True):
        minutes = f"bucket BETWEEN {first} AND {last}"
        if last - first >= SHORT:
            minutes += f" AND (width > 1 OR {_listed(ends_of(window))})"
        which.append(f"({minutes})")
    return queries.VERSIONS.render(
        {"which": Sql(f"({' OR '.join(which)})")},
        first=min(first for first, _ in ends),
        last=max(last for _, last in ends),
    )


def plan(
    run: RunQuery,
    window: TimeRange,
    marks: Marks | None = None,
    *,
    widths: Collection[int] = WIDTHS,
) -> Plan:
    """The widest slots (of minutes, and of these ``widths``) that fill a window, and the remaining pieces.

    A minute that the window cuts is read as a whole when all of its units lie inside the window.
    ``marks``: those of the window, or of one that it is in, when the caller has them.
    """
    first, last = bounds(window)
    if window.end <= window.start or first > LAST_MINUTE:
        return Plan([], NO_PIECES)
    if marks is None:
        (marks,) = marks_of([window], *run_concurrently(run, *marks_queries([window])))
    whole: dict[int, list[Slot]] = {width: [] for width in WIDTHS}
    narrow: dict[int, Slot] = {}
    cut: dict[int, CutMinute] = {}  # a minute that was never aggregated has no rows
    ends = ends_of(window)

    def note(rows: Rows) -> None:
        for width, bucket, complete, low, high, parts, rev in rows:
            if width == 1:
                if bucket in ends and not (low in window and high in window):
                    cut[bucket] = _cut_minute(*parts)
                narrow[bucket] = Slot(1, bucket, rev)
            elif complete and width in widths and bucket + width - 1 <= last:
                whole[width].append(Slot(width, bucket, rev))

    note(marks.slots)
    taken = set(cut.keys())
    slots: list[Slot] = []
    for width, found in whole.items():  # the widest first
        chosen = [s for s in found if taken.isdisjoint(range(s.first, s.first + width))]
        for bucket in chosen:
            taken.update(range(bucket.first, bucket.first + width))
        slots += chosen
    if last - first >= SHORT:
        covered = [(s.first, s.first + s.width) for s in slots] + [(m, m + 1) for m in cut]
        gaps = " OR ".join(f"bucket BETWEEN {a} AND {b}" for a, b in _gaps(first, last, covered))
        if gaps:
            which = Sql(f"width = 1 AND ({gaps})")
            note(run(queries.VERSIONS.render({"which": which}, first=first, last=last)))
    taken |= cut.keys()  # one may have a new revision since the first statement
    slots += [bucket for minute, bucket in sorted(narrow.items()) if minute not in taken]
    return Plan(slots, pieces_of(window, cut, marks.buckets))


def pieces_of(
    window: TimeRange, minutes: Mapping[int, CutMinute], versions: Mapping[int, list[Version]]
) -> Pieces:
    """What lies in a window of some minutes. A minute that was added up from other buckets than the stored ones,
    because those expire sooner, is read from the rows."""
    buckets: list[BucketSlot] = []
    raw: list[TimeRange] = []
    settled: dict[TimeRange, BucketSlot] = {}
    rows = named = 0
    for minute, last in sorted(minutes.items()):
        found = versions.get(minute, [])
        if added_up([version.rev for version in found]) != last.added_up:
            raw.append(_within(window, minute * MINUTE, (minute + 1) * MINUTE))
            rows, named = rows + last.rows, max(named, 2 * last.rows)
            continue
        named = max(named, sum(version.named for version in found))
        for version in sorted(found):
            bucket, (length, _, _, low, high) = version.bucket, version.fingerprint
            if low in window and high in window:
                buckets.append(BucketSlot(bucket, version.rev))
            elif low < window.end and high >= window.start:
                raw.append(piece := _within(window, *range_of(bucket)))
                rows += length
                if version.age > SETTLED:
                    settled[piece] = BucketSlot(bucket, version.rev)
    return Pieces(buckets, raw, rows, named, settled)


def bucket_pieces(run: RunQuery, window: TimeRange, marks: Marks) -> Pieces:
    """What lies in a window, by buckets only. ``marks``: those of the window."""
    first, last = bounds(window)
    found = marks.slots
    if last - first >= SHORT:
        found = run(queries.VERSIONS.render({"which": Sql("width = 1")}, first=first, last=last))
    minutes = {m: _cut_minute(*parts) for width, m, _, _, _, parts, _ in found if width == 1}
    known = marks.buckets
    if unknown := minutes.keys() - _minutes_by_bucket(window):
        known = {**known, **_by_minute(bucket_versions(run, unknown))}
    return pieces_of(window, minutes, known)


def _by_minute(versions: Iterable[Version]) -> dict[int, list[Version]]:
    found: dict[int, list[Version]] = {}
    for version in versions:
        found.setdefault(version.bucket // PER_MINUTE, []).append(version)
    return found


def _cut_minute(buckets: int, revisions: int, rows: int) -> CutMinute:
    return CutMinute(AddedUp(buckets, revisions), rows)


def _within(window: TimeRange, start: int, end: int) -> TimeRange:
    return TimeRange(max(window.start, start), min(window.end, end))


def snapped(window: TimeRange, marks: Marks) -> TimeRange:
    """The window, extended to whole minutes at the ends where it cuts units, when those have many rows."""
    if window.end <= window.start:
        return window
    ends = ends_of(window)
    cut = {
        bucket: rows
        for width, bucket, _, low, high, (_, _, rows), _ in marks.slots
        if width == 1 and bucket in ends and not (low in window and high in window)
    }
    if sum(cut.values()) <= MOST_RAW:
        return window
    first, last = bounds(window)
    return TimeRange(
        first * MINUTE if first in cut else window.start,
        (last + 1) * MINUTE if last in cut else window.end,
    )


def quick_step(window: TimeRange, marks: Marks) -> int:
    """The smallest step of a series that takes no longer than the graph: of any length while the window has few
    rows, else a bucket's, and in long windows a minute's."""
    rows = row_count(window, marks)
    return MINUTE if rows > MOST_RAW else BUCKET if rows > FEW else 1


def row_count(window: TimeRange, marks: Marks) -> int:
    """The rows of the minutes that a window overlaps; of a long window, whose marks lack minutes, more than any
    statement reads."""
    first, last = bounds(window)
    if last - first >= SHORT:
        return MOST_RAW + 1
    return sum(parts[-1] for width, _, _, _, _, parts, _ in marks.slots if width == 1)


def min_step(run: RunQuery, window: TimeRange) -> int:
    """The smallest step of a series, microseconds: a minute when the window has more than MOST_RAW rows."""
    first, last = bounds(window)
    ((rows,),) = run(queries.MINUTE_ROWS.render(first=first, last=last))
    return MINUTE if rows > MOST_RAW else 1


def bounds(window: TimeRange) -> tuple[int, int]:
    """The first and the last minute that a window overlaps."""
    return window.start // MINUTE, min((window.end - 1) // MINUTE, LAST_MINUTE)


def ends_of(window: TimeRange) -> set[int]:
    """The minutes that the window cuts."""
    return {minute for minute in bounds(window) if not _contains(window, minute)}


def rows_of(slots: Iterable[Slot]) -> str:
    """A condition on rows of `rollups` of any revision: the key ranges of the slots."""
    by_width: dict[int, list[int]] = {}
    for bucket in slots:
        by_width.setdefault(bucket.width, []).append(bucket.first)
    parts = [f"(width = {width} AND {_listed(found)})" for width, found in by_width.items()]
    return f"({' OR '.join(parts)})" if parts else "0"


def _listed(minutes: Collection[int]) -> str:
    return numbers_in("bucket", minutes)


def _gaps(first: int, last: int, covered: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """The closed ranges within [first, last] that the half-open ranges do not cover."""
    at = first
    for start, end in sorted(covered):
        if start > at:
            yield at, start - 1
        at = max(at, end)
    if at <= last:
        yield at, last


def _contains(window: TimeRange, minute: int) -> bool:
    return window.start <= minute * MINUTE and (minute + 1) * MINUTE <= window.end
