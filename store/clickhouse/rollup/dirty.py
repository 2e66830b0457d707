"""Which minutes are to be counted, in what turn, and who is told of rows elsewhere.

The table `dirty` says of each minute when rows came that matter to it (migrations/0003_rollups.sql and
0008_shares.sql).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from store.clickhouse.connection.query_runner import Rows, RunQuery
from store.clickhouse.connection.sql import bind
from store.clickhouse.rollup.buckets import values_list
from store.clickhouse.units.dependencies import in_minutes

SETTLE = 60_000_000
"""Microseconds after which whatever was being inserted is visible, or never will be."""
CHUNK_ROWS = 4_000_000
CHUNK_MINUTES = 500
LONG = 200_000
"""Rows of a minute that take so long to be counted that it is done apart from others, and by partition_rollups."""

_DUE = """
SELECT d.minute, d.rows, intDiv(r.rev, 1024) AS seen,
       seen > arrived + :guard AND seen >= related AND NOT (seen < review AND review <= now)
FROM (
    SELECT minute, max(arrived) AS arrived, max(related) AS related, max(review) AS review,
           max(confirm) AS confirm, sum(rows) AS rows, toUnixTimestamp64Micro(now64(6)) AS now
    FROM dirty GROUP BY minute
) AS d
LEFT JOIN (
    SELECT bucket, max(rev) AS rev FROM rollups WHERE width = 1 AND kind = 255 GROUP BY bucket
) AS r ON d.minute = r.bucket
WHERE seen <= arrived + :guard OR seen < related OR (seen < review AND review <= now)
   OR (seen < confirm AND confirm <= now)
ORDER BY d.minute DESC
"""
_MARKS = """
SELECT minute, partition, max(related) AS related, max(review) AS review FROM dirty WHERE :minutes
GROUP BY minute, partition HAVING related > 0 OR review > 0
"""
_MARK = """
INSERT INTO dirty (minute, partition, related, review, confirm) SELECT * FROM VALUES(
    'minute UInt32, partition UInt8, related Int64, review Int64, confirm Int64', :marks
)
"""


class DirtyMinute(NamedTuple):
    """A minute to be counted: its rows, roughly, when it was counted last (microseconds), and whether
    only to confirm that."""

    minute: int
    rows: int
    seen: int
    confirming: int = 0


class Invalidation(NamedTuple):
    """What is known of rows elsewhere that matter to a partition: when one was noticed, and from when on
    the partition is to be counted once more in any case (microseconds, 0: not)."""

    partition: int
    related: int
    review: int

    def asks(self, counted_at: int, instant: int) -> bool:
        """Whether a count of the moment ``counted_at`` is to be made anew."""
        return counted_at < self.related or counted_at < self.review <= instant


def dirty_minutes(ask: RunQuery, *, guard: int = 0) -> list[DirtyMinute]:
    """Minutes whose count may be out of date, the newest first.

    ``guard``: microseconds for which a minute is counted anew though no further row came.
    """
    return read_dirty(ask(dirty_statement(guard=guard)))


def dirty_statement(*, guard: int = 0) -> str:
    """What `dirty_minutes` asks."""
    return bind(_DUE, guard=guard)


def read_dirty(rows: Rows) -> list[DirtyMinute]:
    """What the answer says."""
    return [DirtyMinute(*row) for row in rows]


def chunks(minutes: Sequence[DirtyMinute]) -> list[list[int]]:
    """Minutes to be counted together: so many that they fit into memory, and long ones alone, since
    people wait for the newest."""
    parts: list[list[int]] = []
    room = 0
    for minute, rows, *_ in minutes:
        if not parts or rows > min(room, LONG) or len(parts[-1]) >= CHUNK_MINUTES:
            parts.append([])
            room = CHUNK_ROWS if rows <= LONG else 0
        parts[-1].append(minute)
        room -= rows
    return parts


def schedule(minutes: Sequence[DirtyMinute]) -> list[list[int]]:
    """The chunks of what is due: with the newest minute first, then those with something new before
    those that are only confirmed, of each the one that was counted longest ago: who stops early leaves
    out none for ever."""
    place = {minute: (confirming, seen) for minute, _, seen, confirming in minutes}
    first, *others = chunks(minutes) or [[]]
    return [first, *sorted(others, key=lambda part: min(place[minute] for minute in part))]


def marks(ask: RunQuery, minutes: Collection[int]) -> Mapping[int, list[Invalidation]]:
    """What is known of rows elsewhere, by minute."""
    found: dict[int, list[Invalidation]] = defaultdict(list)
    for minute, *mark in ask(bind(_MARKS, minutes=in_minutes(minutes))):
        found[minute].append(Invalidation(*mark))
    return found


def mark(
    ask: RunQuery,
    came: Mapping[tuple[int, int], tuple[int, int]],
    again: Iterable[tuple[int, int]],
    instant: int,
) -> None:
    """Make partition_rollups due that have not been counted since rows elsewhere came.

    ``came``: by minute and partition, when the newest of those rows came and when the partition was counted
    (microseconds). ``again``: partition_rollups to be counted once more when all is settled.
    """
    marks: dict[tuple[int, int], tuple[int, int]] = {}
    for place, (inserted, counted_at) in came.items():
        settled = inserted + SETTLE
        if counted_at <= inserted or counted_at < settled <= instant:
            marks[place] = instant, settled
        elif counted_at < settled:
            marks[place] = 0, settled
    for place in again:
        related, review = marks.get(place, (0, 0))
        marks[place] = related, max(review, instant + SETTLE)
    if marks:
        # A count may be under way that does not know of this yet, and call the minute seen: counted_at
        # at once more when that is over.
        rows = [(*place, *times, instant + 2 * SETTLE) for place, times in marks.items()]
        ask(bind(_MARK, marks=values_list(rows)))
