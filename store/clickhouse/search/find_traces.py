"""Finds traces by scanning from the newest to the oldest, range by range, until the page is full.

SQL selects the candidates of a range and says which of them surely match (`store.clickhouse.search.compile`);
the others are read and judged by the evaluator that every store uses (`store.filters.evaluate`). So
the cost depends on the page, not on the window, and the result is exact.

`store.clickhouse.search.scan_plan` says how long the first range is, or which traces are the only candidates.

Most documents of a range's traces have their rows near it, in one range of the tables' sort key.
Traces with rows elsewhere (the two ends of a queue, hours apart) are found by the `traces` table and
read where they are.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.clickhouse.queries import Sql, in_traces, joined, parenthesized
from store.clickhouse.search.bounds import ALWAYS, FALSE, TRUE, Bounds
from store.clickhouse.search.compile import compiled
from store.clickhouse.search.judge import MAX_LOCATIONS, matching, row_locations
from store.clickhouse.search.scan_plan import GROWTH, ScanPlan, count_rows, scan_plan
from store.clickhouse.search.scan_ranges import SCAN_RANGES, ScanRange
from store.cursor import decode_cursor, encode_cursor
from store.filters.selectivity import is_selective
from store.model import TimeRange
from store.query import Page, TraceHit, TraceQuery
from store.times import MINUTE

Place = tuple[int, bytes]
"""A position in the order of results: time on the axis, trace id."""

CHUNK = 500
"""Maximum number of traces judged at once."""
MAX_ROWS = 4_000_000
"""Maximum number of segments in a range: one statement may have to read them into memory."""
MAX_FAR_TRACES = 1000
"""Maximum number of traces with rows outside a range that are located one by one."""
MAX_SECONDS = 20.0
"""Seconds after which a page ends short."""

ENOUGH_UNITS = 200
"""Units that rollups look for at first: a page needs few, and each is maybe in a granule of its own."""
MANY_REJECTED = 400
"""Rejected candidates after which SQL has to be sure: that takes it three times as long, which is the
time of judging so many."""

MAX_INT64 = 2**63 - 1


def find_traces(
    ask: RunQuery,
    query: TraceQuery,
    *,
    limit: int,
    cursor: str | None,
    max_seconds: float = MAX_SECONDS,
) -> Page:
    """A page of traces, newest first; see `TraceReader.find_traces`."""
    return _Search(ask, query, limit, time.monotonic() + max_seconds).run(decode_cursor(cursor))


class _Candidate(NamedTuple):
    """``certain``: it surely matches. ``minutes``: where its rows are, if that is not so."""

    hit: TraceHit
    minutes: Sequence[int]
    certain: bool


class _Search:
    def __init__(self, ask: RunQuery, query: TraceQuery, limit: int, deadline: float) -> None:
        self._run = ask
        self._query = query
        self._limit = limit
        self._deadline = deadline
        self._selective = query.filter is not None and is_selective(query.filter)
        self._found: list[TraceHit] = []
        self._scanned = 0
        self._judged = 0
        self._rejected = 0
        self._affordable_rows = False
        """Whether one statement may scan the whole window."""
        self._ids_decide = False
        """Whether candidates are given by their ids, which need not be looked for in a range."""

    def run(self, before: Place | None) -> Page:
        """The page after a position."""
        start, end = self._query.window
        if before is not None:
            end = min(end, before[0] + 1)
        if start >= end:
            return Page([], 0, None)
        enough, plan = ENOUGH_UNITS, self._plan(start, end, ENOUGH_UNITS)
        while plan.few is not None:
            first = self._first_of_few(plan.known, plan.few, before)
            if first is None:
                break
            end = plan.known.span.start
            place = self._ended(self._look(plan.known, *first), end)
            self._ids_decide = False
            if place is not None or end <= start:
                return self._page(place)
            enough *= GROWTH
            plan = self._plan(start, end, enough)
        return self._scan(plan, TimeRange(start, end), before)

    def _plan(self, start: int, end: int, enough: int) -> ScanPlan:
        return scan_plan(self._run, self._query, TimeRange(start, end), self._limit, enough)

    def _scan(self, plan: ScanPlan, window: TimeRange, before: Place | None) -> Page:
        """The rest of the page, range by range."""
        start, end = window
        self._affordable_rows, width = plan.rows <= MAX_ROWS, plan.width
        while start < end:
            begin = max(start, end - self._affordable(end, width))
            seen = len(self._found)
            slice = SCAN_RANGES[self._query.axis](TimeRange(begin, end), self._query.window)
            place = self._ended(self._look(slice, *self._first(slice, before)), begin)
            if place is not None:
                return self._page(place)
            width = self._next_width(end - begin, len(self._found) - seen)
            end = begin
        return self._page(None)

    def _ended(self, place: Place | None, begin: int) -> Place | None:
        """Where the page ended in a range that begins then: there if time is over."""
        late = begin > self._query.window.start and time.monotonic() > self._deadline
        return (begin, bytes(16)) if place is None and late else place

    def _page(self, place: Place | None) -> Page:
        return Page(self._found, self._scanned, None if place is None else encode_cursor(*place))

    def _look(self, slice: ScanRange, bounds: Bounds, answer: Rows) -> Place | None:
        """Add the matches of a range, of which the first candidates are given; returns the position
        where the page ended, if it did."""
        while True:
            size, room = self._size(bounds), self._limit - len(self._found)
            candidates = [
                _Candidate(TraceHit(bytes.fromhex(digits), at), minutes, bool(certain))
                for digits, at, minutes, certain in answer
            ]
            hits = [each.hit for each in candidates]
            matched = self._matching(candidates, room)
            more = len(candidates) == size
            if len(matched) > room or (len(matched) == room and more):
                last = matched[room - 1] if room else self._found[-1]
                self._scanned += hits.index(last) + 1 if room else 0
                self._found += matched[:room]
                return last.time, last.trace_id
            self._found += matched
            self._scanned += len(candidates)
            if not more:
                return None
            before = hits[-1].time, hits[-1].trace_id
            if time.monotonic() > self._deadline:
                return before
            answer = self._run(self._candidates(slice, bounds, before))

    def _size(self, bounds: Bounds) -> int:
        """How many candidates to read: one more than the page has room for shows whether more
        follow. Three times as many if they may be rejected: another query costs more than judging."""
        room = self._limit - len(self._found) + 1
        return min(CHUNK, (room if _is_exact(bounds) else 3 * room) + 2 * self._rejected)

    def _first_of_few(
        self, known: ScanRange, few: Collection[bytes], before: Place | None
    ) -> tuple[Bounds, Rows] | None:
        """As `_first`, where all candidates are known, but for traces with rows elsewhere; None if these
        are many."""
        self._ids_decide = True
        bounds = Bounds(_among(few), FALSE)
        far, answer = run_concurrently(
            self._run, _far(known.far), self._candidates(known, bounds, before)
        )
        if not far:
            return bounds, answer
        if len(far) > MAX_FAR_TRACES:
            self._ids_decide = False
            return None
        bounds = Bounds(_among({*few, *(bytes.fromhex(digits) for digits, _ in far)}), FALSE)
        return bounds, self._run(self._candidates(known, bounds, before))

    def _first(self, slice: ScanRange, before: Place | None) -> tuple[Bounds, Rows]:
        """The bounds of the filter on trace_id in a range, and its first candidates."""
        if self._query.filter is None:
            return ALWAYS, self._run(self._candidates(slice, ALWAYS, before))
        # Candidates are judged one by one; when too many are rejected, SQL that is sure is cheaper.
        sure = self._rejected > max(MANY_REJECTED, self._judged * 3 // 4)
        bounds = compiled(self._query.filter, slice.near_rows, sure=sure, member=slice.member)
        # Mostly no trace has rows far away, and the second answer is final.
        far, answer = run_concurrently(
            self._run, _far(slice.far), self._candidates(slice, bounds, before)
        )
        if not far:
            return bounds, answer
        minutes = {bytes.fromhex(digits): minutes for digits, minutes in far}
        if len(far) <= MAX_FAR_TRACES and sum(map(len, minutes.values())) <= MAX_LOCATIONS:
            distant = row_locations(minutes)
        else:
            distant = in_traces(slice.far)
        rows = parenthesized(joined(" OR ", [parenthesized(slice.near_rows), distant]))
        bounds = compiled(self._query.filter, rows, sure=sure, member=slice.member)
        return bounds, self._run(self._candidates(slice, bounds, before))

    def _candidates(self, slice: ScanRange, bounds: Bounds, before: Place | None) -> Sql:
        where = [
            Sql(
                "at >= {at_start:Int64} AND at < {at_end:Int64}",
                {"at_start": slice.span.start, "at_end": slice.span.end},
            )
        ]
        if before is not None:
            where.append(_before(before))
        exact = _is_exact(bounds)
        condition = bounds.may if self._ids_decide else slice.among(bounds.may)
        minutes = Sql("[]" if exact else "groupUniqArray(minute)")
        return queries.CANDIDATES.render(
            {
                "certain": TRUE if exact else bounds.must,
                "timed": slice.timed(condition, minutes),
                "where": joined(" AND ", where),
            },
            size=self._size(bounds),
        )

    def _matching(self, candidates: list[_Candidate], room: int) -> list[TraceHit]:
        """The candidates that match: all, or more than there is room for. If most traces match, or those that
        probes found are all there are, that is so after a few."""
        matched: list[TraceHit] = []
        several = self._selective and not self._ids_decide
        size = len(candidates) if several else room + room // 4 + 1
        while candidates and len(matched) <= room:
            matched += self._judge(candidates[:size])
            candidates, size = candidates[size:], len(candidates)
        return matched

    def _judge(self, candidates: list[_Candidate]) -> list[TraceHit]:
        unsure = {each.hit.trace_id: each.minutes for each in candidates if not each.certain}
        matched = set[bytes]()
        if unsure and self._query.filter is not None:
            matched = matching(self._run, self._query.filter, unsure)
            self._judged += len(unsure)
            self._rejected += len(unsure) - len(matched)
        return [each.hit for each in candidates if each.certain or each.hit.trace_id in matched]

    def _affordable(self, end: int, width: int) -> int:
        """At most ``width``, shortened to about MAX_ROWS segments."""
        if width <= 60 * MINUTE or self._affordable_rows:
            return width
        width = min(width, end - self._query.window.start)
        ((rows,),) = self._run(count_rows(TimeRange(end - width, end)))
        return max(MINUTE, width * MAX_ROWS // rows) if rows > MAX_ROWS else width

    def _next_width(self, width: int, gained: int) -> int:
        """The next length: what the rest of the page needs, extrapolated from this range."""
        if not gained:
            return width * GROWTH
        needed = 3 * width * (self._limit - len(self._found) + 1) // (2 * gained)
        return max(width // GROWTH, min(width * GROWTH, needed))


def _is_exact(bounds: Bounds) -> bool:
    return bounds.may.text == bounds.must.text


def _among(ids: Collection[bytes]) -> Sql:
    if not ids:
        return FALSE
    return Sql("trace_id IN {ids:Array(FixedString(16))}", {"ids": sorted(ids)})


def _before(place: Place) -> Sql:
    """The condition that a candidate comes after a position, which a client may have made up."""
    at = min(place[0], MAX_INT64)
    return Sql(
        "(at, trace_id) < ({before_at:Int64}, {before_id:FixedString(16)})",
        {"before_at": at, "before_id": place[1]},
    )


def _far(ids: Sql) -> Sql:
    """The minutes of the traces that a subquery selects, at most MAX_FAR_TRACES + 1 traces."""
    return Sql(
        f"SELECT hex(trace_id), groupUniqArray(minute) FROM traces "
        f"WHERE {in_traces(ids).text} GROUP BY trace_id LIMIT {MAX_FAR_TRACES + 1}",
        ids.parameters,
    )
