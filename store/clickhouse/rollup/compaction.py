"""Adds quiet minutes up to wider slots, so that a long window costs few rows."""

from __future__ import annotations

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.connection.sql import bind
from store.clickhouse.rollup.buckets import (
    AT_ONCE,
    BEHIND,
    MARKER,
    NO_KEY,
    NOTHING,
    PREFIX,
    WIDTHS,
    now,
    revision,
    values_list,
)
from store.clickhouse.units.aggregates import COLUMNS_COUNTED, KEY, SUMMED

QUIET = 120_000_000
"""Microseconds without a new count after which minutes are added up to wider slots."""

# A wide bucket as it was added up last, under a new revision.
_KEEP_WIDE = f"""
INSERT INTO rollups {AT_ONCE} SELECT * REPLACE (:rev AS rev) FROM rollups AS r
WHERE width = :width AND kind < 255 AND bucket IN (:wides) AND (bucket, r.rev) IN (
    SELECT bucket, max(rev) FROM rollups WHERE width = :width AND kind < 255 GROUP BY bucket
)
UNION ALL
SELECT * REPLACE (1 AS complete, :rev AS rev) FROM rollups FINAL
WHERE width = :width AND kind = {MARKER} AND bucket IN (:wides)
"""
# With the minutes each was added up from last, and those there are.
_QUIET_SLOTS = """
SELECT bucket, had, have FROM (
    SELECT bucket, argMax(complete, rev) AS whole, argMax(rows, rev) AS had, max(rev) AS newest
    FROM rollups WHERE width = :width AND kind = 255 GROUP BY bucket
) AS wide
LEFT JOIN (
    SELECT intDiv(bucket, :width) * :width AS bucket, uniqExact(rollups.bucket) AS have
    FROM rollups WHERE width = 1 AND kind = 255 GROUP BY bucket
) AS narrow USING bucket
WHERE whole = 0 AND intDiv(newest, 1024) < :before AND (bucket + :width) * 60000000 < :before
ORDER BY bucket DESC LIMIT 200
"""
_WIDEN = f"""
INSERT INTO rollups ({PREFIX}) {AT_ONCE}
SELECT toUInt16(:width) AS width_, kind, wide, {KEY}, {COLUMNS_COUNTED}, {BEHIND.format(1)}
FROM (
    SELECT kind, intDiv(bucket, :width) * :width AS wide, {KEY}, {SUMMED}
    FROM rollups
    WHERE width = 1 AND kind < 255 AND :slots AND (bucket, rev) IN (
        SELECT bucket, max(rev) FROM rollups WHERE width = 1 AND kind = 255 AND :slots GROUP BY bucket
    )
    GROUP BY kind, wide, {KEY}
)
UNION ALL
SELECT toUInt16(:width), {MARKER}, bucket, {NO_KEY}, [], 0, 0, 0, {NOTHING},
       1, rows, toDateTime(0), 0, 0, :rev
FROM VALUES('bucket UInt32, rows UInt64', :wides)
"""
# Wide slots are out of date, said once more: of what was being added up meanwhile.
_REOPEN = f"""
INSERT INTO rollups (width, kind, bucket, rows, rev) SELECT width, {MARKER}, bucket, rows, :rev
FROM VALUES('width UInt16, bucket UInt32, rows UInt64', :wides)
"""


def invalidate_parents(ask: RunQuery, wides: list[tuple[int, int, int]], instant: int) -> None:
    """Say that wide slots (width, first minute, minutes they were added up from) are out of date."""
    ask(bind(_REOPEN, rev=revision(instant), wides=values_list(wides)))


def downsample(ask: RunQuery) -> int:
    """Add quiet minutes up to wider slots; the number of slots.

    A bucket of which minutes have expired stays as it was added up last.
    """
    complete = 0
    for width in WIDTHS:
        instant = now(ask)
        rev = revision(instant)
        found = ask(bind(_QUIET_SLOTS, width=width, before=instant - QUIET))
        whole = [(bucket, have) for bucket, had, have in found if have >= had]
        faded = [bucket for bucket, had, have in found if have < had]
        if whole:
            ranges = [f"bucket BETWEEN {bucket} AND {bucket + width - 1}" for bucket, _ in whole]
            slots = f"({' OR '.join(ranges)})"
            ask(bind(_WIDEN, width=width, slots=slots, rev=rev, wides=values_list(whole)))
        if faded:
            kept = ", ".join(map(str, faded))
            ask(bind(_KEEP_WIDE, width=width, rev=rev, wides=kept))
        complete += len(found)
    return complete
