"""Finds traces from the newest to the oldest, range by range, until the page is full.

`store.clickhouse.search.scan_plan` names the newest candidates where probes can find them. Elsewhere SQL selects
the candidates of a range and says which of them surely match (`store.clickhouse.search.compile`).
Candidates are read and judged by the evaluator that every store uses (`store.filters.evaluate`). So
the cost depends on the page, not on the window, and the result is exact.

Most documents of a range's traces have their rows near it, in one range of the tables' sort key.
Traces with rows elsewhere (the two ends of a queue, hours apart) are found by the `traces` table and
read where they are.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Set

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import (
    Rows,
    RunQuery,
    run_concurrently,
    run_groups,
)
from store.clickhouse.queries import Sql, in_traces, joined, parenthesized
from store.clickhouse.search.bounds import (
    ALWAYS,
    TRUE,
    Bounds,
)
from store.clickhouse.search.candidates import Candidate, Judge
from store.clickhouse.search.compile import compiled
from store.clickhouse.search.judge import (
    MAX_LOCATIONS,
    row_locations,
)
from store.clickhouse.search.known_parts import (
    MOST_UNREAD,
    KnownPart,
    bounds_among,
    known_parts,
    may_match,
)
from store.clickhouse.search.probe import reach_of
from store.clickhouse.search.reading import KnownRows
from store.clickhouse.search.scan_plan import (
    GROWTH,
    ROWS_OF_FOUND,
    ScanPlan,
    count_rows,
    probed_rows,
    scan_plan,
)
from store.clickhouse.search.scan_ranges import MAX_FAR_TRACES, SCAN_RANGES, ScanRange, far_buckets
from store.cursor import decode_cursor, encode_cursor
from store.filters.ast import And, Expression
from store.model import TimeRange
from store.query import Page, TraceHit, TraceQuery
from store.times import MINUTE, SECOND

Place = tuple[int, bytes]
"""A position in the order of results: time on the axis, trace id."""

CHUNK = 500
"""Maximum number of traces judged at once."""
MAX_ROWS = 4_000_000
"""Maximum number of segments in a range: one statement may have to read them into memory."""
MAX_SECONDS = 20.0
"""Seconds after which a page ends short."""

SEVERAL = 4
"""How many times as many rows a probe looks for where another term rejects most: to scan once more costs more."""
MOST_PROBED = 8000
"""Maximum number of rows that a probe looks for."""
MAX_INT64 = 2**63 - 1
NO_ID = bytes(16)
"""Before any trace id: no trace of the same time comes after it."""


def find_traces(
    ask: RunQuery,
    query: TraceQuery,
    *,
    limit: int,
    cursor: str | None,
    raw: bool = False,
    max_seconds: float = MAX_SECONDS,
) -> Page:
    """A page of traces, newest first; see `TraceReader.find_traces`."""
    judge = Judge(ask, query.filter, limit, raw=raw)
    search = _Search(ask, query, limit, judge, time.monotonic() + max_seconds)
    return search.run(decode_cursor(cursor))


class _Search:
    def __init__(
        self, ask: RunQuery, query: TraceQuery, limit: int, judge: Judge, deadline: float
    ) -> None:
        self._run = ask
        self._query = query
        self._limit = limit
        self._deadline = deadline
        self._found: list[TraceHit] = []
        self._scanned = 0
        self._affordable_rows = False
        """Whether one statement may scan the whole window."""
        self._ids_decide = False
        """Whether candidates are given by their ids, which need not be looked for in a range."""
        self._judge = judge

    def run(self, before: Place | None) -> Page:
        """The page after a position."""
        start, end = window_before(self._query.window, before)
        if start >= end:
            return Page([], 0, None)
        few, known = probed_rows(self._limit), True
        if isinstance(self._query.filter, And):
            few *= SEVERAL
        while known:
            window = TimeRange(start, end)
            plan = scan_plan(self._run, self._query, window, self._limit, few)
            known = False
            for part in self._known_parts(plan, window):
                first = self._first_of_known(part, before)
                known = first is not None
                if first is None:
                    break
                end = part.slice.span.start
                place = self._ended(self._look(part.slice, *first), end)
                if place is not None or end <= start:
                    return self._page(place)
            self._ids_decide = False
            few = min(few * GROWTH, MOST_PROBED)
        return self._scan(plan, TimeRange(start, end), before)

    def _known_parts(self, plan: ScanPlan, window: TimeRange) -> Iterator[KnownPart]:
        """The parts of a window whose candidates are known; of a conjunction fewer of them match."""
        if plan.newest is None:
            return iter(())
        size = self._judge.spare * (self._limit + 1)
        if isinstance(self._query.filter, And):
            size *= 16  # SQL leaves few of them (`bounds_among`)
        return known_parts(self._query, window, plan.newest, size, plan.rows)

    def _scan(self, plan: ScanPlan, window: TimeRange, before: Place | None) -> Page:
        """The rest of the page, range by range."""
        start, end = window
        width = max(SECOND, plan.width)
        if self._query.filter is not None:
            rows = count_rows(self._run, window) if plan.rows is None else plan.rows
            self._affordable_rows = rows <= MAX_ROWS
            typical = (end - start) * self._limit * ROWS_OF_FOUND // rows if rows else end - start
            width = max(10 * SECOND, width, typical)
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
        return (begin, NO_ID) if place is None and late else place

    def _page(self, place: Place | None) -> Page:
        cursor = None if place is None else encode_cursor(*place)
        judge = self._judge
        shown = {hit.trace_id for hit in self._found} & judge.traces.keys()
        traces = {id: judge.traces[id] for id in shown}
        return Page(self._found, self._scanned, cursor, traces, judge.any_links)

    def _look(self, slice: ScanRange, bounds: Bounds, answer: Rows) -> Place | None:
        """Add the matches of a range, of which the first candidates are given; returns the position
        where the page ended, if it did."""
        while True:
            size, room = self._size(bounds), self._limit - len(self._found)
            candidates = [
                Candidate(TraceHit(bytes.fromhex(digits), at), buckets, bool(certain))
                for digits, at, buckets, certain in answer
            ]
            hits = [each.hit for each in candidates]
            matched = self._judge.matching(candidates, room, named=self._ids_decide)
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
        follow; several times as many if they may be rejected."""
        room = self._limit - len(self._found) + 1
        if self._query.filter is None:
            return room
        room *= 1 if bounds.is_exact else self._judge.spare
        return min(CHUNK, room + 2 * self._judge.rejected)

    def _first_of_known(self, part: KnownPart, before: Place | None) -> tuple[Bounds, Rows] | None:
        """As `_first`, where candidates are known, but for those that other statements name; None if these
        are many."""
        filter = self._query.filter
        assert filter is not None, "without a filter nothing is probed"
        self._ids_decide = True
        sure, room = self._judge.sure, self._limit - len(self._found)
        near = part.near_rows
        bounds = bounds_among(part.ids, filter, part.term, near, sure=sure)
        reading = self._judge.reading_ahead(part.ids, room)
        ahead = reading.statements if reading else []
        named_ones = [self._candidates(part.slice, bounds, before)] if part.ids else []
        first, others, *read = run_groups(
            self._run, [*named_ones, part.far], part.unread, *([each] for each in ahead)
        )
        *answers, far = first
        answer = answers[0] if answers else []
        if len(far) >= MOST_UNREAD or any(reach_of(rows, MOST_UNREAD) for rows in others):
            return None
        self._judge.take(reading.rows([rows for (rows,) in read]) if reading else KnownRows())
        named = part.ids | _traces_in(others)
        named |= self._may_match(_traces_in([far]) - named, filter)
        if len(named) > len(part.ids) or (near and any([far, *others])):
            bounds = bounds_among(named, filter, part.term, sure=sure)
            answer = self._run(self._candidates(part.slice, bounds, before))
        return bounds, answer

    def _may_match(self, ids: Set[bytes], filter: Expression) -> set[bytes]:
        """Those of some traces that may match. One of hours has rows far from every range, and is not to be read whole
        by each search."""
        if not ids:
            return set()
        return _traces_in([self._run(may_match(ids, filter))])

    def _first(self, slice: ScanRange, before: Place | None) -> tuple[Bounds, Rows]:
        """The bounds of the filter on trace_id in a range, and its first candidates."""
        if self._query.filter is None:
            return ALWAYS, self._run(self._candidates(slice, ALWAYS, before))
        sure = self._judge.sure
        bounds = compiled(self._query.filter, slice.near_rows, sure=sure, member=slice.member)
        # Mostly no trace has rows far away, and the second answer is final.
        far, answer = run_concurrently(
            self._run, far_buckets(slice), self._candidates(slice, bounds, before)
        )
        if not far:
            return bounds, answer
        places = {bytes.fromhex(digits): buckets for digits, buckets in far}
        if len(far) <= MAX_FAR_TRACES and sum(map(len, places.values())) <= MAX_LOCATIONS:
            distant = row_locations(places)
        else:
            distant = in_traces(slice.far)
        rows = parenthesized(joined(" OR ", [parenthesized(slice.near_rows), distant]))
        bounds = compiled(self._query.filter, rows, sure=sure, member=slice.member)
        return bounds, self._run(self._candidates(slice, bounds, before))

    def _candidates(self, slice: ScanRange, bounds: Bounds, before: Place | None) -> Sql:
        exact = bounds.is_exact
        condition = bounds.may if self._ids_decide else slice.among(bounds.may)
        buckets = Sql("[]" if exact else "groupUniqArray(bucket)")
        return queries.CANDIDATES.render(
            {
                "certain": TRUE if exact else bounds.must,
                "timed": slice.timed(condition, buckets),
                "where": joined(" AND ", located(slice, before)),
            },
            size=self._size(bounds),
        )

    def _affordable(self, end: int, width: int) -> int:
        """At most ``width``, shortened to about MAX_ROWS segments."""
        if width <= 60 * MINUTE or self._affordable_rows:
            return width
        width = min(width, end - self._query.window.start)
        rows = count_rows(self._run, TimeRange(end - width, end))
        return max(MINUTE, width * MAX_ROWS // rows) if rows > MAX_ROWS else width

    def _next_width(self, width: int, gained: int) -> int:
        """The next length: what the rest of the page needs, extrapolated from this range."""
        if not gained:
            return width * GROWTH
        needed = 3 * width * (self._limit - len(self._found) + 1) // (2 * gained)
        return max(width // GROWTH, min(width * GROWTH, needed))


def _traces_in(answers: Iterable[Rows]) -> set[bytes]:
    return {bytes.fromhex(digits) for rows in answers for digits, *_ in rows}


def window_before(window: TimeRange, before: Place | None) -> TimeRange:
    """The part of a window in which traces after a position are."""
    if before is None:
        return window
    return TimeRange(window.start, min(window.end, before[0] + (before[1] > NO_ID)))


def located(slice: ScanRange, before: Place | None, until: Place | None = None) -> list[Sql]:
    """The conditions that a candidate lies in a range, after a position and not after another."""
    span = {"at_start": slice.span.start, "at_end": slice.span.end}
    where = [Sql("at >= {at_start:Int64} AND at < {at_end:Int64}", span)]
    where += [] if before is None else [_compared("<", "before", before)]
    return where if until is None else [*where, _compared(">=", "until", until)]


def _compared(operator: str, name: str, place: Place) -> Sql:
    """The condition on which side of a position a candidate is. A client may have made that up."""
    at = min(place[0], MAX_INT64)
    return Sql(
        f"(at, trace_id) {operator} ({{{name}_at:Int64}}, {{{name}_id:FixedString(16)}})",
        {f"{name}_at": at, f"{name}_id": place[1]},
    )
