"""Which counts fill a window: slots of `rollups`, each at the revision that holds, and what is left.

Whole minutes come from the rollups, minutes that a window cuts through from the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from store.clickhouse.connection.query_runner import Rows, RunQuery
from store.clickhouse.connection.sql import bind
from store.clickhouse.rollup.buckets import WIDTHS
from store.clickhouse.units.dependencies import in_minutes
from store.model import MINUTE, TimeRange

LAST_MINUTE = (1 << 32) - 1
MOST_RAW = 200_000
"""Rows that are counted while somebody waits: half a second. Of more, whole minutes are shown."""
SHORT = 6 * 60
"""Minutes of a window all of whose markers are asked for at once; of a duration_delta one only the wide
slots' are, and then those of the minutes that they leave."""

_MARKS = """
SELECT width, bucket, argMax(complete, rev), argMax(start, rev), argMax(end, rev), max(rev) FROM rollups
WHERE kind = 255 AND bucket >= :first AND bucket <= :last AND :which
GROUP BY width, bucket
"""
_LENGTHS = """
SELECT bucket, argMax(rows, rev) AS length, argMax(start, rev), argMax(end, rev) FROM rollups
WHERE width = 1 AND kind = 255 AND :slots GROUP BY bucket
"""


class Slot(NamedTuple):
    """Some minutes as they were counted once. What a revision says of a bucket never changes."""

    width: int
    first: int
    rev: int


class Plan(NamedTuple):
    """Where the figures of a window come from: slots, and pieces of minutes."""

    slots: list[Slot]
    partial_minutes: list[TimeRange]


def versions_query(window: TimeRange) -> str:
    """The statement whose answer `plan` goes by."""
    first, last = bounds(window)
    which = "1"
    if last - first >= SHORT:
        which = f"(width > 1 OR {_listed(ends_of(window))})"
    return bind(_MARKS, first=first, last=last, which=which)


def plan(ask: RunQuery, window: TimeRange, marks: Rows | None = None, *, wide: bool = True) -> Plan:
    """The widest slots that fill a window, or its minutes, and what they leave.

    A minute that the window cuts through is taken whole when all of its units lie inside.
    ``marks``: the answer to `versions_query` the window, if it was asked already.
    """
    first, last = bounds(window)
    if window.end <= window.start or first > LAST_MINUTE:
        return Plan([], [])
    whole: dict[int, list[Slot]] = {width: [] for width in WIDTHS}
    narrow: dict[int, Slot] = {}
    cut = set()  # a minute that was never counted has no rows
    ends = ends_of(window)

    def note(rows: Rows) -> None:
        for width, bucket, complete, low, high, rev in rows:
            if width == 1:
                if bucket in ends and not (low in window and high in window):
                    cut.add(bucket)
                narrow[bucket] = Slot(1, bucket, rev)
            elif complete and wide and bucket + width - 1 <= last:
                whole[width].append(Slot(width, bucket, rev))

    note(ask(versions_query(window)) if marks is None else marks)
    taken = set(cut)
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
            which = f"width = 1 AND ({gaps})"
            note(ask(bind(_MARKS, first=first, last=last, which=which)))
    taken |= cut  # one may have been counted anew between the two answers
    slots += [bucket for minute, bucket in sorted(narrow.items()) if minute not in taken]
    partial_minutes = [
        TimeRange(max(window.start, m * MINUTE), min(window.end, (m + 1) * MINUTE))
        for m in sorted(cut)
    ]
    return Plan(slots, partial_minutes)


def snap_window(ask: RunQuery, window: TimeRange) -> TimeRange:
    """The window, or with the minutes taken whole that it really cuts through, when they are long."""
    cut = {
        bucket: rows
        for bucket, rows, low, high in ask(bind(_LENGTHS, slots=_listed(ends_of(window))))
        if not (low in window and high in window)
    }
    if sum(cut.values()) <= MOST_RAW:
        return window
    first, last = bounds(window)
    return TimeRange(
        first * MINUTE if first in cut else window.start,
        (last + 1) * MINUTE if last in cut else window.end,
    )


def min_step(ask: RunQuery, window: TimeRange) -> int:
    """A minute, when the window holds more rows than can be counted while somebody waits."""
    first, last = bounds(window)
    lengths = bind(_LENGTHS, slots=f"bucket BETWEEN {first} AND {last}")
    ((rows,),) = ask(f"SELECT sum(length) FROM ({lengths})")
    return MINUTE if rows > MOST_RAW else 1


def bounds(window: TimeRange) -> tuple[int, int]:
    """The first and the last minute that a window touches."""
    return window.start // MINUTE, min((window.end - 1) // MINUTE, LAST_MINUTE)


def ends_of(window: TimeRange) -> set[int]:
    """The minutes that the window cuts through."""
    return {minute for minute in bounds(window) if not _contains(window, minute)}


def rows_of(slots: Iterable[Slot]) -> str:
    """A condition on rows of `rollups`, of whatever revision: the slots' ranges of its key."""
    by_width: dict[int, list[int]] = {}
    for bucket in slots:
        by_width.setdefault(bucket.width, []).append(bucket.first)
    parts = [f"(width = {width} AND {_listed(found)})" for width, found in by_width.items()]
    return f"({' OR '.join(parts)})" if parts else "0"


def _listed(minutes: Collection[int]) -> str:
    return in_minutes(minutes).replace("minute", "bucket")


def _gaps(first: int, last: int, covered: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """The closed ranges in [first, last] that half-open ranges leave."""
    at = first
    for start, end in sorted(covered):
        if start > at:
            yield at, start - 1
        at = max(at, end)
    if at <= last:
        yield at, last


def _contains(window: TimeRange, minute: int) -> bool:
    return window.start <= minute * MINUTE and (minute + 1) * MINUTE <= window.end
