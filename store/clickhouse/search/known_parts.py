"""The parts of a window whose candidates probes have named (`store.clickhouse.search.probe`), and what SQL selects
of these.

Whatever a probe does not see, as it reads rows near a part, is a candidate too: traces with rows elsewhere. Other
statements name them; as a condition of that which selects the candidates, they take it three times as long.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from dataclasses import replace
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.queries import Sql, joined
from store.clickhouse.search.bounds import FALSE, NEVER, UNKNOWN, Bounds, conjunction
from store.clickhouse.search.compile import compiled
from store.clickhouse.search.get_traces import located
from store.clickhouse.search.probe import NewestRows
from store.clickhouse.search.scan_ranges import MARGINS, SCAN_RANGES, ScanRange, near_minutes
from store.filters.ast import And, Expression, needs_documents
from store.model import TimeRange
from store.query import TraceQuery
from store.times import BUCKET, PER_MINUTE

MOST_UNREAD = 1000
"""Rows that a statement which a probe left out may find in a part."""
ROWS_OF_LOOKUP = 2000
"""Segments that are scanned in the time that the rows of one trace are looked up."""
GROWTH = 8
"""Ratio between the numbers of candidates of consecutive parts."""


class KnownPart(NamedTuple):
    """A part of a window with its candidates, the newest first, but for those with rows ``far`` away and those that
    ``unread`` statements name.
    ``term``: of the filter, which they have rows for. ``rows``: segments near it, approximately; None: not known."""

    slice: ScanRange
    ids: Set[bytes]
    far: Sql
    unread: list[Sql]
    term: Expression | None
    rows: int | None

    @property
    def near_rows(self) -> Sql | None:
        """A condition on rows of the candidates: where they are near and many, one scan finds them sooner than
        one look-up each. It misses those ``far`` away."""
        if self.rows is None or self.rows > ROWS_OF_LOOKUP * len(self.ids):
            return None
        return joined(" AND ", [self.slice.near_rows, _among(self.ids)])


def known_parts(
    query: TraceQuery, window: TimeRange, newest: NewestRows, size: int, rows: int | None
) -> Iterator[KnownPart]:
    """The part of a window of which all candidates are known, from its end, in pieces: the first has about
    ``size`` candidates, and the next ones more and more. ``rows``: segments of the window."""
    first_minute, last_minute = near_minutes(query, window)
    near_first, near_last = first_minute * PER_MINUTE, (last_minute + 1) * PER_MINUTE - 1
    buckets = list(newest.buckets.values())
    end = window.end
    while end > window.start:
        ends = size >= len(buckets)
        first = newest.reach if ends else max(newest.reach, buckets[size])
        start = first * BUCKET + MARGINS[query.axis] if first else window.start
        span = TimeRange(max(window.start, start), end)
        if span.start < span.end:
            slice = replace(
                SCAN_RANGES[query.axis](span, query.window), near=(first or near_first, near_last)
            )
            ids = {id: bucket for id, bucket in newest.buckets.items() if bucket >= first}.keys()
            minutes = (first // PER_MINUTE if first else first_minute, last_minute)
            unread = newest.unread.statements(*minutes, MOST_UNREAD) if newest.unread else []
            far = queries.FAR_IDS.render({"far": slice.far}, most=MOST_UNREAD)
            near = rows and rows * (span.end - span.start) // (window.end - window.start)
            yield KnownPart(slice, ids, far, unread, newest.term, near)
            end = span.start
        if ends:
            return
        size *= GROWTH


def bounds_among(
    ids: Collection[bytes],
    filter: Expression,
    term: Expression | None,
    rows: Sql | None = None,
    *,
    sure: bool,
) -> Bounds:
    """The bounds of a filter among candidates that have rows for a term of it.

    Most of them match a filter of one term. Of a conjunction SQL looks at the other terms, and at root causes, whose
    texts no row of a service has, unless
    ``sure``: then at all of it, and says which surely match. ``rows``: a condition on their rows; without
    one these are looked up."""
    if not ids:
        return NEVER
    bounds = UNKNOWN
    if sure:
        bounds = compiled(filter, rows or located(sorted(ids)), sure=True)
    elif isinstance(filter, And):
        others = And(tuple(e for e in filter.terms if e != term or needs_documents(e)))
        bounds = compiled(others, rows or located(sorted(ids)), sure=False)._replace(must=FALSE)
    known = _among(ids)
    return Bounds(conjunction([known, bounds.may]), conjunction([known, bounds.must]))


def may_match(ids: Collection[bytes], filter: Expression) -> Sql:
    """The statement for those of some traces, of which no probe knows, that may match."""
    listed = sorted(ids)
    may = compiled(filter, located(listed), sure=False).may
    return queries.MAY_MATCH.render({"may": may}, ids=listed)


def _among(ids: Collection[bytes]) -> Sql:
    return Sql("trace_id IN {ids:Array(FixedString(16))}", {"ids": sorted(ids)})
