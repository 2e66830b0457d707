"""Finds traces by scanning from the newest to the oldest, range by range, until the page is full.

SQL selects the candidates of a range (`store.clickhouse.search.prefilter` builds conditions that every
match meets, and little else); whole traces are then judged by the same pure function as in every
store (`store.trace_filter.matches`). So the cost depends on the page, not on the window, and the
result is exact.

Most documents of a range's traces have their rows near it, in one range of the tables' sort key.
Traces with rows elsewhere (the two ends of a queue, hours apart) are found by the `traces` table and
read where they are.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.clickhouse.queries import Sql, in_traces, joined, parenthesized
from store.clickhouse.search.get_traces import MAX_LOCATIONS, matching, row_locations
from store.clickhouse.search.prefilter import prefilter
from store.clickhouse.search.scan_ranges import SCAN_RANGES, SECOND, ScanRange, minute_of
from store.cursor import decode_cursor, encode_cursor
from store.filters.narrow import narrowed
from store.model import MINUTE, State, TimeRange
from store.protocol import Page, TraceHit, TraceQuery

Place = tuple[int, bytes]
"""A position in the order of results: time on the axis, trace id."""

CHUNK = 500
"""Maximum number of traces judged at once."""
MAX_ROWS = 4_000_000
"""Maximum number of segments in a range: one statement may have to read them into memory."""
MAX_FAR_TRACES = 1000
"""Maximum number of traces with rows outside a range that are located one by one."""
GROWTH = 8
"""Maximum ratio between the lengths of consecutive ranges."""
MAX_SECONDS = 20.0
"""Seconds after which a page ends short."""

ROWS_OF_FOUND = 8
"""Segments per trace of a page in the first range, if most traces match."""
PLANNING_ROWS = 400_000
"""Segments that a statement scans in the time it takes to be planned."""
MANY_REJECTED = 400
"""Rejected candidates after which exact conditions pay off: they take three times as long in SQL,
which is the time of judging so many."""
FEW = 1000
"""Segments with an annotation below which one statement searches the whole window."""

MAX_INT64 = 2**63 - 1

_FAILURES = {State.ERROR, State.THROTTLE, State.FAULT}


def find_traces(
    ask: RunQuery,
    query: TraceQuery,
    *,
    limit: int,
    cursor: str | None,
    max_seconds: float = MAX_SECONDS,
) -> Page:
    """A page of traces, newest first; see `TraceReader.find_traces`."""
    return _Search(ask, narrowed(query), limit, time.monotonic() + max_seconds).run(
        decode_cursor(cursor)
    )


class _Search:
    def __init__(self, ask: RunQuery, query: TraceQuery, limit: int, deadline: float) -> None:
        self._run = ask
        self._query = query
        self._limit = limit
        self._deadline = deadline
        self._found: list[TraceHit] = []
        self._scanned = 0
        self._judged = 0
        self._rejected = 0
        self._affordable_rows = False
        """Whether one statement may scan the whole window."""

    def run(self, before: Place | None) -> Page:
        """The page after a position."""
        start, end = self._query.window
        if before is not None:
            end = min(end, before[0] + 1)
        width = self._first_width(start, end)
        while start < end:
            begin = max(start, end - self._affordable(end, width))
            seen = len(self._found)
            place = self._look(TimeRange(begin, end), before)
            if place is None and begin > start and time.monotonic() > self._deadline:
                place = begin, bytes(16)
            if place is not None:
                return Page(self._found, self._scanned, encode_cursor(*place))
            width = self._next_width(end - begin, len(self._found) - seen)
            end = begin
        return Page(self._found, self._scanned, None)

    def _look(self, span: TimeRange, before: Place | None) -> Place | None:
        """Add the matches of a range; returns the position where the page ended, if it did."""
        slice = SCAN_RANGES[self._query.axis](span, self._query.window)
        condition, answer = self._first(slice, before)
        while True:
            size, room = self._size, self._limit - len(self._found)
            rows = [
                (TraceHit(bytes.fromhex(digits), at), minutes) for digits, at, minutes in answer
            ]
            candidates = [found for found, _ in rows]
            matched = self._matching(rows)
            more = len(candidates) == size
            if len(matched) > room or (len(matched) == room and more):
                last = matched[room - 1] if room else self._found[-1]
                self._scanned += candidates.index(last) + 1 if room else 0
                self._found += matched[:room]
                return last.time, last.trace_id
            self._found += matched
            self._scanned += len(candidates)
            if not more:
                return None
            before = candidates[-1].time, candidates[-1].trace_id
            if time.monotonic() > self._deadline:
                return before
            answer = self._run(self._candidates(slice, condition, before))

    @property
    def _size(self) -> int:
        """How many candidates to read: one more than the page has room for shows whether more
        follow. Three times as many if they may be rejected: another query costs more than judging."""
        room = self._limit - len(self._found) + 1
        return min(CHUNK, (room if self._query.is_plain else 3 * room) + 2 * self._rejected)

    def _first(self, slice: ScanRange, before: Place | None) -> tuple[Sql, Rows]:
        """A condition on trace_id that every match in a range meets, and its first candidates."""
        if self._query.is_plain or self._query.is_filter_alone:
            return slice.member, self._run(self._candidates(slice, slice.member, before))
        # Candidates are judged one by one; when too many are rejected, exact conditions, which take
        # longer in SQL, are cheaper.
        exact = self._rejected > max(MANY_REJECTED, self._judged * 3 // 4)
        condition = prefilter(self._query, slice.near_rows, exact=exact)
        # Mostly no trace has rows far away, and the second answer is final.
        far, answer = run_concurrently(
            self._run, _far(slice.far), self._candidates(slice, condition, before)
        )
        if not far:
            return condition, answer
        minutes = {bytes.fromhex(digits): minutes for digits, minutes in far}
        if len(far) <= MAX_FAR_TRACES and sum(map(len, minutes.values())) <= MAX_LOCATIONS:
            rows = row_locations(minutes)
        else:
            rows = in_traces(slice.far)
        distant = prefilter(self._query, rows, exact=exact)
        condition = parenthesized(joined(" OR ", map(parenthesized, [condition, distant])))
        return condition, self._run(self._candidates(slice, condition, before))

    def _candidates(self, slice: ScanRange, condition: Sql, before: Place | None) -> Sql:
        where = [
            Sql(
                "at >= {at_start:Int64} AND at < {at_end:Int64}",
                {"at_start": slice.span.start, "at_end": slice.span.end},
            )
        ]
        if before is not None:
            where.append(_before(before))
        minutes = Sql("[]" if self._query.is_plain else "groupUniqArray(minute)")
        return queries.CANDIDATES.render(
            {"timed": slice.timed(condition, minutes), "where": joined(" AND ", where)},
            size=self._size,
        )

    def _matching(self, candidates: list[tuple[TraceHit, Sequence[int]]]) -> list[TraceHit]:
        if self._query.is_plain or not candidates:
            return [found for found, _ in candidates]
        minutes = {found.trace_id: minutes for found, minutes in candidates}
        matched = matching(self._run, self._query, minutes)
        self._judged += len(candidates)
        self._rejected += len(candidates) - len(matched)
        return [found for found, _ in candidates if found.trace_id in matched]

    def _first_width(self, start: int, end: int) -> int:
        """The length of a range that one statement scans at about the cost of planning it; longer for
        rare conditions."""
        rows = self._count(start, end)
        self._affordable_rows = rows <= MAX_ROWS
        wanted = self._limit * ROWS_OF_FOUND
        if self._affordable_rows and rows > PLANNING_ROWS and self._is_rare(start, end):
            return end - start
        if self._query.annotations or (self._query.states and self._query.states <= _FAILURES):
            wanted = max(wanted, PLANNING_ROWS)
        elif not self._query.is_plain:
            wanted *= 4
        width = (end - start) * wanted // rows if rows else end - start
        return max(10 * SECOND, width)

    def _count(self, start: int, end: int) -> int:
        """Approximate number of segments that start in between, from the primary index."""
        ((rows,),) = self._run(
            Sql(
                "SELECT count() FROM segments WHERE minute BETWEEN {first:UInt64} AND {last:UInt64}",
                {"first": minute_of(start), "last": minute_of(end)},
            )
        )
        return int(rows)

    def _is_rare(self, start: int, end: int) -> bool:
        """Whether few segments that start in between have one of the annotations."""
        counts = [
            queries.RARE_ANNOTATION.render(
                first_minute=minute_of(start), last_minute=minute_of(end), annotation=item, few=FEW
            )
            for item in self._query.annotations
        ]
        return bool(counts) and any(
            rows < FEW for ((rows,),) in run_concurrently(self._run, *counts)
        )

    def _affordable(self, end: int, width: int) -> int:
        """At most ``width``, shortened to about MAX_ROWS segments."""
        if width <= 60 * MINUTE or self._affordable_rows:
            return width
        width = min(width, end - self._query.window.start)
        rows = self._count(end - width, end)
        return max(MINUTE, width * MAX_ROWS // rows) if rows > MAX_ROWS else width

    def _next_width(self, width: int, gained: int) -> int:
        """The next length: what the rest of the page needs, extrapolated from this range."""
        if not gained:
            return width * GROWTH
        needed = 3 * width * (self._limit - len(self._found) + 1) // (2 * gained)
        return max(width // GROWTH, min(width * GROWTH, needed))


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
