"""Downsamples unchanged minutes into wide buckets, so that a long window reads few rows."""

from __future__ import annotations

from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.connection.sql import bind
from store.clickhouse.rollup.buckets import (
    MARKER,
    NO_KEY,
    NOTHING,
    PREFIX,
    SINGLE_PART,
    TRAILING,
    WIDTHS,
    now,
    revision,
    values_list,
)
from store.clickhouse.units.aggregates import COLUMNS_COUNTED, KEY, SUMMED

QUIET = 120_000_000
"""Microseconds since the last aggregation after which minutes are downsampled."""

# Writes the last contents of wide buckets again under a new revision.
_CONFIRM_WIDE = f"""
INSERT INTO rollups {SINGLE_PART} SELECT * REPLACE (:rev AS rev) FROM rollups AS r
WHERE width = :width AND kind < 255 AND bucket IN (:wides) AND (bucket, r.rev) IN (
    SELECT bucket, max(rev) FROM rollups WHERE width = :width AND kind < 255 GROUP BY bucket
)
UNION ALL
SELECT * REPLACE (1 AS complete, :rev AS rev) FROM rollups FINAL
WHERE width = :width AND kind = {MARKER} AND bucket IN (:wides)
"""
# Wide buckets that are out of date, with the number of minutes they were built from and of those there are now.
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
INSERT INTO rollups ({PREFIX}) {SINGLE_PART}
SELECT toUInt16(:width) AS width_, kind, wide, {KEY}, {COLUMNS_COUNTED}, {TRAILING.format(1)}
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
# Marks wide buckets as out of date once more, for downsampling that ran in the meantime.
_REOPEN = f"""
INSERT INTO rollups (width, kind, bucket, rows, rev) SELECT width, {MARKER}, bucket, rows, :rev
FROM VALUES('width UInt16, bucket UInt32, rows UInt64', :wides)
"""


def invalidate_parents(run: RunQuery, wides: list[tuple[int, int, int]], instant: int) -> None:
    """Mark wide buckets (width, first minute, minutes they were built from) as out of date."""
    run(bind(_REOPEN, rev=revision(instant), wides=values_list(wides)))


def downsample(run: RunQuery) -> int:
    """Downsample unchanged minutes into wide buckets; returns the number of buckets.

    A bucket some of whose minutes have expired retains its last contents.
    """
    complete = 0
    for width in WIDTHS:
        instant = now(run)
        rev = revision(instant)
        found = run(bind(_QUIET_SLOTS, width=width, before=instant - QUIET))
        whole = [(bucket, have) for bucket, had, have in found if have >= had]
        faded = [bucket for bucket, had, have in found if have < had]
        if whole:
            ranges = [f"bucket BETWEEN {bucket} AND {bucket + width - 1}" for bucket, _ in whole]
            slots = f"({' OR '.join(ranges)})"
            run(bind(_WIDEN, width=width, slots=slots, rev=rev, wides=values_list(whole)))
        if faded:
            confirmed = ", ".join(map(str, faded))
            run(bind(_CONFIRM_WIDE, width=width, rev=rev, wides=confirmed))
        complete += len(found)
    return complete
