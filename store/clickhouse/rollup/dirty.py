"""Dirty minutes: which minutes to aggregate, in what order, and the invalidation of dependent minutes.

The table `dirty` stores for each minute when rows arrived that its aggregates depend on
(schema/0001_initial.sql).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows, RunQuery
from store.clickhouse.queries import Sql
from store.clickhouse.rollup.buckets import values_list
from store.clickhouse.units.dependencies import in_minutes

SETTLE = 60_000_000
"""Microseconds after which an insert that was running is visible or has failed."""
CHUNK_ROWS = 4_000_000
"""Rows that are aggregated in one statement at most: they fit into memory."""
CHUNK_MINUTES = 500
LONG = 200_000
"""A minute with more rows is aggregated apart from other minutes, and by partition."""


class DirtyMinute(NamedTuple):
    """A minute to aggregate: its approximate number of rows, when it was last aggregated, whether that is only to
    be confirmed, and how long it has been known to be out of date (microseconds)."""

    minute: int
    rows: int
    seen: int
    confirming: int = 0
    waited: int = 0


class Invalidation(NamedTuple):
    """Rows elsewhere that a partition depends on: when one was noticed (``related``), and from when on the
    partition is aggregated again in any case (``review``); microseconds, 0: never."""

    partition: int
    related: int
    review: int

    def is_stale(self, counted_at: int, instant: int) -> bool:
        """Whether an aggregation that ran at ``counted_at`` is out of date at ``instant``."""
        return counted_at < self.related or counted_at < self.review <= instant


def dirty_minutes(run: RunQuery, *, guard: int = 0) -> list[DirtyMinute]:
    """Minutes whose aggregates may be out of date, the newest first.

    ``guard``: microseconds after an arrival for which a minute is dirty although it was aggregated since.
    """
    return read_dirty(run(dirty_statement(guard=guard)))


def dirty_statement(*, guard: int = 0) -> Sql:
    """The statement of `dirty_minutes`."""
    return queries.DIRTY_MINUTES.render(guard=guard)


def read_dirty(rows: Rows) -> list[DirtyMinute]:
    """The result rows of `dirty_statement`."""
    return [DirtyMinute(*row) for row in rows]


def chunks(minutes: Sequence[DirtyMinute]) -> list[list[int]]:
    """Minutes grouped into chunks that are aggregated together: a chunk fits into memory, and long minutes are
    alone because readers wait for the newest one."""
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
    """The chunks of dirty minutes, in order: the one with the newest minute, then those with changes, then those
    to confirm; each group by its last aggregation, so that stopping early starves none."""
    place = {each.minute: (each.confirming, each.seen) for each in minutes}
    first, *others = chunks(minutes) or [[]]
    return [first, *sorted(others, key=lambda part: min(place[minute] for minute in part))]


def invalidations(run: RunQuery, minutes: Collection[int]) -> Mapping[int, list[Invalidation]]:
    """Invalidations by minute."""
    found: dict[int, list[Invalidation]] = defaultdict(list)
    statement = queries.INVALIDATIONS.render({"minutes": Sql(in_minutes(minutes))})
    for minute, *mark in run(statement):
        found[minute].append(Invalidation(*mark))
    return found


def invalidate(
    run: RunQuery,
    came: Mapping[tuple[int, int], tuple[int, int]],
    again: Iterable[tuple[int, int]],
    instant: int,
) -> None:
    """Make partitions dirty that have not been aggregated since rows they depend on arrived.

    ``came``: by minute and partition, when the newest of those rows was inserted and when the partition was
    aggregated (microseconds). ``again``: partitions to aggregate again once running inserts have settled.
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
        # An aggregation that does not know of this yet may be running and may mark the minute as
        # aggregated: check once more when it must be over.
        rows = [(*place, *times, instant + 2 * SETTLE) for place, times in marks.items()]
        run(queries.INVALIDATE.render({"marks": values_list(rows)}))
