"""Dirty buckets: which buckets to aggregate, in what order, and the marks on dependent buckets.

The table `dirty` stores for each bucket when rows arrived that its aggregates depend on, and when a count
has last looked (schema/0001_initial.sql).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql
from store.clickhouse.rollup.buckets import now
from store.times import BUCKET

SETTLE = 60_000_000
"""Microseconds after which an insert that was running is visible or has failed."""
GUARD = 2_000_000
"""Microseconds after the insertion of a row in which a count may not have seen it."""
CHUNK_ROWS = 4_000_000
"""Rows that are aggregated in one statement at most: they fit into memory."""
CHUNK_BUCKETS = 2_000
"""Buckets: a statement repeats their list several times."""
MOST = 20_000
"""Buckets that are read at once: after a back-fill a million may be dirty, and a round counts a few thousand."""
FEW = 5_000
"""Buckets of which is read what is known of each; of more SQL makes sums, and names those whose turn is next."""
FILLING_ROWS = 20_000
"""Rows from which on a count of a bucket takes longer than the statements around it."""
FILLING = 4_000_000
"""Microseconds between two counts of such a bucket while the map is read."""
ARRIVING = 5_000_000
"""Microseconds since the last row after which no more are expected: a collector's longest linger, and an
insert on a busy machine."""
LATE = 10_000_000
"""Microseconds after its end from which on a bucket no longer fills: what arrives is late."""
FIRST_ROWS = 1_000_000
"""Rows in the first chunk of a round, the one with the newest bucket, which readers wait for."""
FIRST_BUCKETS = 240
"""Buckets in it: of live traffic twenty minutes."""


class DirtyBucket(NamedTuple):
    """A bucket to look at, and what was known of it at the time ``read_at``. Times in microseconds.

    ``rows``: approximately; ``looked``: when a count has last seen it; ``far``: whether rows elsewhere
    may have changed; ``confirming``: whether nothing is known to have; ``waited``: for how long something has.
    """

    bucket: int
    rows: int
    arrived: int = 0
    related: int = 0
    recheck: int = 0
    looked: int = 0
    read_at: int = 0
    far: int = 0
    confirming: int = 0
    waited: int = 0

    def is_filling(self, watched: bool) -> bool:
        """Whether the next count is better left until later, since it costs as much as the whole bucket.

        While the map is read (``watched``), a bucket of many rows is counted every few seconds;
        else once, when no more rows arrive.
        """
        if self.rows <= FILLING_ROWS:
            return False
        if self.read_at - self.looked < FILLING:
            return True
        arriving = self.read_at - self.arrived < ARRIVING
        return arriving and not watched and self.arrived - (self.bucket + 1) * BUCKET < LATE


def dirty_buckets(run: RunQuery, *, guard: int = 0) -> list[DirtyBucket]:
    """Buckets whose aggregates may be out of date, the newest first; of very many those whose turn is next.

    ``guard``: microseconds after an arrival for which a bucket is dirty although it was looked at since.
    """
    few = few_dirty(run, guard=guard)
    return next_buckets(run, guard=guard) if few is None else few


def next_buckets(run: RunQuery, *, guard: int = 0) -> list[DirtyBucket]:
    """The same where they are many."""
    statement = queries.NEXT_BUCKETS.render(guard=guard, first=FIRST_BUCKETS, most=MOST)
    return [DirtyBucket(*row) for row in run(statement)]


def few_dirty(run: RunQuery, *, guard: int = 0) -> list[DirtyBucket] | None:
    """All dirty buckets, the newest first; None if there are more than `FEW`."""
    rows = run(queries.FEW_DIRTY.render(guard=guard, most=FEW + 1))
    if len(rows) > FEW:
        return None
    return [each for row in rows if (each := _dirty(guard, *row)) is not None]


def _dirty(
    guard: int,
    bucket: int,
    rows: int,
    arrived: int,
    related: int,
    recheck: int,
    looked: int,
    now: int,
) -> DirtyBucket | None:
    """queries/rollup/dirty_buckets.sql of one bucket."""
    far = looked <= related + guard or looked < recheck <= now
    if not (far or looked <= arrived + guard):
        return None
    since = arrived if looked <= arrived else related if looked <= related else now
    confirming = looked > arrived and looked > related
    return DirtyBucket(
        bucket, rows, arrived, related, recheck, looked, now, far, confirming, now - since
    )


def chunks(buckets: Sequence[DirtyBucket], rows: int, most: int) -> list[list[DirtyBucket]]:
    """Buckets grouped into chunks that are aggregated together and fit into memory."""
    parts: list[list[DirtyBucket]] = []
    room = 0
    for each in buckets:
        if not parts or each.rows > room or len(parts[-1]) >= most:
            room = rows
            parts.append([])
        parts[-1].append(each)
        room -= each.rows
    return parts


def schedule(buckets: Sequence[DirtyBucket]) -> list[list[DirtyBucket]]:
    """The chunks of dirty buckets, in order: a small one with the newest, then those with changes, then those to
    confirm; each group by when it was last looked at, so that stopping early starves none, and the newest first."""
    changed = [each for each in buckets if not each.confirming]
    unsure = [each for each in buckets if each.confirming]
    first = chunks(changed or unsure, FIRST_ROWS, FIRST_BUCKETS)[:1]
    taken = len(first[0]) if first else 0
    if changed:
        others = [*_by_turn(changed[taken:]), *_by_turn(unsure)]
    else:
        others = _by_turn(unsure[taken:])
    return [*first, *others]


def _by_turn(buckets: Sequence[DirtyBucket]) -> list[list[DirtyBucket]]:
    return sorted(
        chunks(buckets, CHUNK_ROWS, CHUNK_BUCKETS),
        key=lambda part: min(each.looked for each in part),
    )


def note_looked(run: RunQuery, seen: Sequence[DirtyBucket]) -> None:
    """All that was known of buckets when they were read as dirty is counted.

    What was known is repeated, so that the row does not expire before the one it answers.
    """
    rows = [(e.bucket, e.arrived, e.related, e.recheck, e.read_at) for e in seen]
    run(queries.MARK.render()._replace(rows=rows))


def mark_changed(run: RunQuery, buckets: Collection[int], instant: int) -> None:
    """Mark buckets whose rows may have changed, whenever these arrived."""
    rows = [(bucket, 0, instant, instant + SETTLE, 0) for bucket in buckets]
    run(queries.MARK.render()._replace(rows=rows))


def mark_looked_since(run: RunQuery, since: int) -> None:
    """The same for all buckets that a count has looked at since an instant (microseconds)."""
    statement = "SELECT bucket FROM dirty GROUP BY bucket HAVING max(looked) >= {since:Int64}"
    if buckets := [bucket for (bucket,) in run(Sql(statement, {"since": since}))]:
        mark_changed(run, buckets, now(run))


def mark(
    run: RunQuery,
    came: Mapping[int, tuple[int, int]],
    counted: Collection[int],
    instant: int,
) -> None:
    """Mark buckets that have not been looked at since rows they depend on arrived.

    ``came``: by bucket, when the newest of those rows was inserted and when the bucket was looked at
    (microseconds). ``counted``: buckets to compare once more when inserts that are running have
    settled, and counts that do not know of their references yet.
    """
    marks: dict[int, tuple[int, int]] = {}
    for bucket, (inserted, looked) in came.items():
        if looked <= inserted + GUARD:
            marks[bucket] = instant, instant + SETTLE
        elif looked < inserted + SETTLE:
            marks[bucket] = 0, max(inserted, instant) + SETTLE
    for bucket in counted:
        related, recheck = marks.get(bucket, (0, 0))
        marks[bucket] = related, max(recheck, instant + SETTLE)
    if marks:
        rows = [(bucket, 0, *times, 0) for bucket, times in marks.items()]
        run(queries.MARK.render()._replace(rows=rows))
