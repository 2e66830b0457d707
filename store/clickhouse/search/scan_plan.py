"""Where a search begins: the newest traces that may match, if these can be named, or how long the first range
has to be.

Probes (`store.clickhouse.search.probe`) look for the newest rows that each term of the filter needs. A trace that
matches has such rows for all terms, so those of the rarest term name the candidates.
Rollups say in which minutes to look for what some terms need (`store.clickhouse.search.rollup_index`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_as_one, run_groups
from store.clickhouse.queries import Sql
from store.clickhouse.search.probe import NewestRows, Probe, newest_rows, probes, reach_of
from store.clickhouse.search.rollup_index import IndexedMinutes, Minutes, indexed_minutes
from store.clickhouse.search.scan_ranges import bucket_of, minute_of, near_minutes
from store.filters.ast import And, EdgeMatch
from store.filters.selectivity import is_selective
from store.model import TimeRange
from store.query import TraceQuery
from store.times import BUCKET, PER_MINUTE

ROWS_OF_PAGE = 15
"""Rows that a probe looks for, per trace of a page: a trace has several, and some traces only seem to match."""
LEAST_ROWS, MOST_ROWS = 200, 1000
"""Rows that a first probe looks for at least and at most."""
ROWS_OF_FOUND = 8
"""Segments per trace of a page in the first range, if most traces match."""
SPARE = 2
"""How many times the traces of a page the first range contains, as far as probes show: some only seem
to match, and a longer range costs less than another one."""
ROWS_OF_UNIT = 8
"""How many rows a probe looks for, per unit that rollups count: most of those are what is looked for, and each is
maybe in a granule of its own."""
CHEAP_ROWS = 400_000
"""Segments that one statement scans in the time that some others are planned."""
FAST_ROWS = 1_000_000
"""Segments that are scanned in the time that rollups take to say where to look; for an edge a fifth, as many
rows of either end are none of it."""
MOST_DOCUMENTS = 2_000_000
"""Segments of which a probe reads the documents at most, in about a second."""
LEAST_MINUTES = 5
"""Minutes of which it reads them in any case."""
GROWTH = 8
"""Maximum ratio between the lengths of consecutive ranges, and that between the sizes of consecutive probes."""


class ScanPlan(NamedTuple):
    """``rows``: segments of the window, approximately; None: not counted. ``width``: of the first range; without a
    filter all that decides about it.
    ``newest``: the traces that may match, newest first, as far as they are known."""

    rows: int | None
    width: int
    newest: NewestRows | None = None


def probed_rows(limit: int) -> int:
    """How many rows to look for at first, for a page of so many traces."""
    return min(MOST_ROWS, max(LEAST_ROWS, ROWS_OF_PAGE * limit))


def scan_plan(
    run: RunQuery, query: TraceQuery, window: TimeRange, limit: int, few: int
) -> ScanPlan:
    """The plan for a page of ``limit`` traces from a window, which a cursor may have shortened.

    ``few``: rows that probes look for."""
    if query.filter is None:
        return ScanPlan(None, newest_width(run, window, SPARE * ROWS_OF_FOUND * limit))
    planned = probes(query.filter)
    if not planned:
        rows = count_rows(run, window)
        cheap = is_selective(query.filter) and rows <= CHEAP_ROWS
        return ScanPlan(rows, window.end - window.start if cheap else 0)
    near = near_minutes(query, window)
    counts = any(probe.units or probe.reads_documents for probe in planned)
    counted = count_rows(run, window) if counts else None
    count = [_count(window)] if isinstance(query.filter, And) and not counts else []
    minutes = _minutes(run, planned, near, few, counted)
    newest, also = _newest(run, planned, near, minutes, few, count)
    counted = int(also[0][0][0]) if also else counted
    return ScanPlan(counted, _first_width(window, newest, limit), _rarest(newest))


def newest_width(run: RunQuery, window: TimeRange, rows: int) -> int:
    """How far back the newest segments reach, so many of them; the whole window if there are fewer. The last
    seconds of a window that ends now are empty, and how many depends on how far inserts are behind."""
    found = run(
        queries.NEWEST_START.render(
            first=minute_of(window.start),
            last=minute_of(window.end - 1),
            end=window.end,
            offset=rows,
        )
    )
    start = int(found[0][0]) if found else window.start
    return window.end - start


def count_rows(run: RunQuery, window: TimeRange) -> int:
    """The approximate number of segments that start in a window, from the primary index."""
    ((rows,),) = run(_count(window))
    return int(rows)


def _count(window: TimeRange) -> Sql:
    return Sql(
        "SELECT count() FROM segments WHERE minute BETWEEN {first:UInt64} AND {last:UInt64}",
        {"first": minute_of(window.start), "last": minute_of(window.end)},
    )


def _minutes(
    run: RunQuery, planned: Sequence[Probe], near: Minutes, few: int, rows: int | None
) -> Sequence[IndexedMinutes | None]:
    """Where each probe looks; None: in all minutes. ``rows``: segments of the window, None if not counted."""
    if rows is None:
        return [None] * len(planned)
    if planned[0].reads_documents:
        return [_affordable(near, rows)]
    of_edges = any(isinstance(probe.term, EdgeMatch) for probe in planned)
    if rows <= (FAST_ROWS // 5 if of_edges else FAST_ROWS):
        return [None] * len(planned)
    enough = max(1, few // ROWS_OF_UNIT)
    return indexed_minutes(run, [probe.units for probe in planned], near, enough)


def _affordable(near: Minutes, rows: int) -> IndexedMinutes:
    """The newest minutes whose documents one statement may read."""
    first, last = near
    length = max(LEAST_MINUTES, (last - first + 1) * MOST_DOCUMENTS // max(1, rows))
    begin = last - length + 1
    return IndexedMinutes([(max(first, begin), last)], begin if begin > first else 0)


def _newest(
    run: RunQuery,
    planned: Sequence[Probe],
    near: Minutes,
    minutes: Sequence[IndexedMinutes | None],
    few: int,
    also: Sequence[Sql],
) -> tuple[list[NewestRows], list[Rows]]:
    """What probes find in some minutes, and the answers to other statements."""
    parts = [
        probe.statements(*near, few, where) for probe, where in zip(planned, minutes, strict=True)
    ]
    at_once = [each if probe.rare else each[:1] for probe, each in zip(planned, parts, strict=True)]
    *answers, others = run_groups(run, *at_once, also)
    found = []
    for probe, where, each, rows in zip(planned, minutes, parts, answers, strict=True):
        rest = each[len(rows) :]
        if rest and not reach_of(rows[0], few):  # else they need not be read in the whole window
            rows += run_as_one(run, *rest)
        found.append(newest_rows(probe, rows, few, where.reach * PER_MINUTE if where else 0))
    return found, others


def _rarest(newest: Sequence[NewestRows]) -> NewestRows:
    """What the probe found that reaches farthest; what all found if several are complete."""
    rarest = min(newest, key=lambda each: each.reach)
    if not rarest.complete:
        return rarest
    others = [each.buckets for each in newest if each.complete and each is not rarest]
    joint = {
        id: bucket for id, bucket in rarest.buckets.items() if all(id in other for other in others)
    }
    return rarest._replace(buckets=joint)


def _first_width(window: TimeRange, newest: list[NewestRows], limit: int) -> int:
    """Until there are enough traces with all rows that are needed, extrapolated from the buckets that all
    probes reach."""
    wanted, joint = SPARE * limit, _joint(newest, bucket_of(window.end))
    if len(joint) >= wanted:
        return window.end - joint[wanted - 1] * BUCKET
    reach = max(each.reach for each in newest) or bucket_of(window.start)
    return (window.end - reach * BUCKET) * min(wanted // max(1, len(joint)), GROWTH**2)


def _joint(newest: list[NewestRows], last: int) -> list[int]:
    """The buckets in which all probes found the same trace, descending."""
    reach = max(each.reach for each in newest)
    first, *others = newest
    return sorted(
        (
            bucket
            for trace_id, bucket in first.buckets.items()
            if reach <= bucket <= last and all(trace_id in each.buckets for each in others)
        ),
        reverse=True,
    )
