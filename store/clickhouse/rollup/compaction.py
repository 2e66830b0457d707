"""Downsamples unchanged minutes into wide buckets, so that a long window reads few rows."""

from __future__ import annotations

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql
from store.clickhouse.rollup.buckets import WIDTHS, now, revision, values_list

QUIET = 120_000_000
"""Microseconds since the last aggregation after which minutes are downsampled."""


def invalidate_parents(run: RunQuery, wides: list[tuple[int, int, int]], instant: int) -> None:
    """Mark wide buckets (width, first minute, minutes they were built from) as out of date."""
    run(queries.REOPEN_WIDE.render({"wides": values_list(wides)}, rev=revision(instant)))


def downsample(run: RunQuery) -> int:
    """Downsample unchanged minutes into wide buckets; returns the number of buckets.

    A bucket some of whose minutes have expired retains its last contents.
    """
    complete = 0
    for width in WIDTHS:
        instant = now(run)
        rev = revision(instant)
        found = run(queries.OUTDATED_WIDE.render(width=width, before=instant - QUIET))
        whole = [(bucket, have) for bucket, had, have in found if have >= had]
        faded = [bucket for bucket, had, have in found if have < had]
        if whole:
            ranges = [f"bucket BETWEEN {bucket} AND {bucket + width - 1}" for bucket, _ in whole]
            slots = Sql(f"({' OR '.join(ranges)})")
            wides = values_list(whole)
            run(queries.DOWNSAMPLE.render({"slots": slots, "wides": wides}, width=width, rev=rev))
        if faded:
            confirmed = Sql(", ".join(map(str, faded)))
            run(queries.CONFIRM_WIDE.render({"wides": confirmed}, width=width, rev=rev))
        complete += len(found)
    return complete
