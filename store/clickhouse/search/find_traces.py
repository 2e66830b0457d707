"""Finding traces: a walk from the newest to the oldest, slice by slice, until the page is full.

A slice is asked in SQL for traces that may match (`store.clickhouse.search.prefilter` makes conditions that
every match meets, and hardly anything else); whole traces then decide, by the same pure function as
everywhere (`store.trace_filter.matches`). So an answer costs what its page costs, not what the window
holds, and is exact.

Where the documents of a slice's traces lie: most of them near the slice, which is a range of the
tables' sort key. Traces with anything outside that range (the two ends of a queue, hours apart) are
found by the `traces` table and looked at where they lie.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from store.clickhouse.connection import sql
from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.clickhouse.search.get_traces import MAX_LOCATIONS, matching, row_locations
from store.clickhouse.search.prefilter import prefilter
from store.clickhouse.search.scan_ranges import SECOND, SLICES, ScanRange, minute_of
from store.cursor import decode_cursor, encode_cursor
from store.model import MINUTE, State, TimeRange
from store.protocol import Page, TraceHit, TraceQuery

Place = tuple[int, bytes]
"""A time on the axis and a trace id: where a page ends."""

CHUNK = 500
"""Traces judged in one go, at most."""
MOST_ROWS = 4_000_000
"""Segments in a slice, at most: what one statement may have to hold in memory."""
MOST_FAR = 1000
"""Traces with rows outside of a slice that are looked up one by one."""
GROWTH = 8
"""How many times longer, or shorter, than the last a slice may be."""
PATIENCE = 20.0
"""Seconds after which a page ends short."""

ROWS_OF_FOUND = 8
"""Segments that the first slice holds for each trace of a page, when most of its traces match."""
CHEAP_ROWS = 400_000
"""Segments that a statement looks through in the time it takes to be planned."""
MANY_REJECTED = 400
"""Traces that were judged in vain before stricter conditions are worth their time: three times as long
in SQL as the others, which is as long as judging so many takes."""
FEW = 1000
"""Segments with an annotation of which one statement may well find the traces of a whole window."""

_FAILURES = {State.ERROR, State.THROTTLE, State.FAULT}


def find_traces(
    ask: RunQuery, query: TraceQuery, *, limit: int, cursor: str | None, patience: float = PATIENCE
) -> Page:
    """Traces by time, newest first."""
    return _Search(ask, query, limit, time.monotonic() + patience).run(decode_cursor(cursor))


class _Search:
    def __init__(self, ask: RunQuery, query: TraceQuery, limit: int, deadline: float) -> None:
        self._ask = ask
        self._query = query
        self._limit = limit
        self._deadline = deadline
        self._found: list[TraceHit] = []
        self._scanned = 0
        self._judged = 0
        self._rejected = 0
        self._affordable_rows = False
        """Whether the whole window is what one statement may look through."""

    def run(self, before: Place | None) -> Page:
        """The page behind a place."""
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
        """Take what a slice has; the place where the page ended, if it did."""
        slice = SLICES[self._query.axis](span, self._query.window)
        condition, answer = self._first(slice, before)
        while True:
            size, room = self._size, self._limit - len(self._found)
            rows = [
                (TraceHit(bytes.fromhex(digits), at), minutes) for digits, at, minutes in answer
            ]
            candidates = [found for found, _ in rows]
            kept = self._kept(rows)
            more = len(candidates) == size
            if len(kept) > room or (len(kept) == room and more):
                last = kept[room - 1] if room else self._found[-1]
                self._scanned += candidates.index(last) + 1 if room else 0
                self._found += kept[:room]
                return last.time, last.trace_id
            self._found += kept
            self._scanned += len(candidates)
            if not more:
                return None
            before = candidates[-1].time, candidates[-1].trace_id
            if time.monotonic() > self._deadline:
                return before
            answer = self._ask(self._candidates(slice, condition, before))

    @property
    def _size(self) -> int:
        """How many candidates to ask for: one more than there is room for says whether anything
        comes behind the page. Of those that may fail three times as many: to ask again takes longer
        than to judge them."""
        room = self._limit - len(self._found) + 1
        return min(CHUNK, (room if self._query.is_plain else 3 * room) + 2 * self._rejected)

    def _first(self, slice: ScanRange, before: Place | None) -> tuple[str, Rows]:
        """A condition on trace_id that every match in a slice meets, and the first that meet it."""
        if self._query.is_plain:
            return slice.member, self._ask(self._candidates(slice, slice.member, before))
        # What the conditions let through is judged trace by trace: when that is too much, stricter
        # ones, which take longer to ask, are cheaper.
        strict = self._rejected > max(MANY_REJECTED, self._judged * 3 // 4)
        condition = prefilter(self._query, slice.near_rows, strict=strict)
        # Mostly no trace has rows far away, and what was asked second holds.
        far, answer = run_concurrently(
            self._ask, _far(slice.far), self._candidates(slice, condition, before)
        )
        if not far:
            return condition, answer
        minutes = {bytes.fromhex(digits): minutes for digits, minutes in far}
        if len(far) <= MOST_FAR and sum(map(len, minutes.values())) <= MAX_LOCATIONS:
            rows = row_locations(minutes)
        else:
            rows = f"trace_id IN ({slice.far})"
        condition = f"(({condition}) OR ({prefilter(self._query, rows, strict=strict)}))"
        return condition, self._ask(self._candidates(slice, condition, before))

    def _candidates(self, slice: ScanRange, condition: str, before: Place | None) -> str:
        where = f"at >= {slice.span.start} AND at < {slice.span.end}"
        if before is not None:
            where += f" AND (at, trace_id) < ({before[0]}, {sql.trace_literal(before[1])})"
        minutes = "[]" if self._query.is_plain else "groupUniqArray(minute)"
        return (
            f"SELECT hex(trace_id), at, minutes FROM ({slice.timed(condition, minutes)}) "
            f"WHERE {where} ORDER BY at DESC, trace_id DESC LIMIT {self._size}"
        )

    def _kept(self, candidates: list[tuple[TraceHit, Sequence[int]]]) -> list[TraceHit]:
        if self._query.is_plain or not candidates:
            return [found for found, _ in candidates]
        minutes = {found.trace_id: minutes for found, minutes in candidates}
        kept = matching(self._ask, self._query, minutes)
        self._judged += len(candidates)
        self._rejected += len(candidates) - len(kept)
        return [found for found, _ in candidates if found.trace_id in kept]

    def _first_width(self, start: int, end: int) -> int:
        """As long as one statement looks through at about the cost of planning it; at once longer
        for what is rare."""
        rows = self._count(start, end)
        self._affordable_rows = rows <= MOST_ROWS
        wanted = self._limit * ROWS_OF_FOUND
        if self._affordable_rows and rows > CHEAP_ROWS and self._is_rare(start, end):
            return end - start
        if self._query.annotations or (self._query.states and self._query.states <= _FAILURES):
            wanted = max(wanted, CHEAP_ROWS)
        elif not self._query.is_plain:
            wanted *= 4
        width = (end - start) * wanted // rows if rows else end - start
        return max(10 * SECOND, width)

    def _count(self, start: int, end: int) -> int:
        """Segments that start between, roughly: answered from the primary index."""
        ((rows,),) = self._ask(
            f"SELECT count() FROM segments WHERE minute BETWEEN {minute_of(start)} AND {minute_of(end)}"
        )
        return int(rows)

    def _is_rare(self, start: int, end: int) -> bool:
        """Whether an annotation is on few segments that start between: seen from an index, or soon."""
        counts = [
            f"SELECT count() FROM (SELECT 1 FROM segments WHERE minute BETWEEN {minute_of(start)} "
            f"AND {minute_of(end)} AND has(annotations, {sql.text(item)}) LIMIT {FEW})"
            for item in self._query.annotations
        ]
        return bool(counts) and any(
            rows < FEW for ((rows,),) in run_concurrently(self._ask, *counts)
        )

    def _affordable(self, end: int, width: int) -> int:
        """At most ``width``, and about as much as holds MOST_ROWS segments."""
        if width <= 60 * MINUTE or self._affordable_rows:
            return width
        width = min(width, end - self._query.window.start)
        rows = self._count(end - width, end)
        return max(MINUTE, width * MOST_ROWS // rows) if rows > MOST_ROWS else width

    def _next_width(self, width: int, gained: int) -> int:
        """As wide as the rest of the page needs, going by what this slice gave."""
        if not gained:
            return width * GROWTH
        needed = 3 * width * (self._limit - len(self._found) + 1) // (2 * gained)
        return max(width // GROWTH, min(width * GROWTH, needed))


def _far(ids: str) -> str:
    """The minutes of the traces that a statement gives; those of MOST_FAR + 1 at most."""
    return (
        "SELECT hex(trace_id), groupUniqArray(minute) FROM traces "
        f"WHERE trace_id IN ({ids}) GROUP BY trace_id LIMIT {MOST_FAR + 1}"
    )
