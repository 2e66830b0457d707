"""Finding traces: a walk from the newest to the oldest, slice by slice, until the page is full.

A slice is asked in SQL for traces that may match (`store.clickhouse.narrowing` makes conditions that
every match meets, and hardly anything else); whole traces then decide, by the same pure function as
everywhere (`store.matching.matches`). So an answer costs what its page costs, not what the window
holds, and is exact.

Where the documents of a slice's traces lie: most of them near the slice, which is a range of the
tables' sort key. Traces with anything outside that range (the two ends of a queue, hours apart) are
found by the `traces` table and looked at where they lie.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from store.clickhouse import sql
from store.clickhouse.asker import Ask
from store.clickhouse.narrowing import narrowed
from store.clickhouse.traces import MOST_PLACES, matching, places_of
from store.cursor import decode_cursor, encode_cursor
from store.interface import Axis, Found, Page, TraceQuery
from store.model import MINUTE, State, TimeRange
from store.trace_id import DAY

Place = tuple[int, bytes]
"""A time on the axis and a trace id: where a page ends."""

CHUNK = 500
"""Traces judged in one go, at most."""
MOST_ROWS = 4_000_000
"""Segments in a slice, at most: what one statement may have to hold in memory."""
MOST_FAR = 1000
"""Traces with rows outside of a slice that are looked up one by one."""
GROWTH = 8
"""How many times longer than the last a slice may be."""
PATIENCE = 20.0
"""Seconds after which a page ends short."""

SECOND = 1_000_000
_BEFORE, _AFTER = 2 * MINUTE, 10 * MINUTE
"""How far around a slice the documents of its traces are expected."""

_EPOCH = "toInt64(byteSwap(reinterpretAsUInt32(trace_id))) * 1000000"


@dataclass(frozen=True, slots=True)
class Slice:
    """A piece of a window on one axis, in SQL.

    ``member``: a condition on trace_id that the traces whose time lies in it meet. ``near``: the
    minutes in which most of their rows start; ``hint``: what trace_id is in such rows. ``timed``:
    traces that meet a condition, as (trace_id, at), or with their minutes as well.
    """

    span: TimeRange
    member: str
    near: tuple[int, int]
    hint: str
    timed: Callable[[str, str], str]

    @property
    def near_rows(self) -> str:
        """A condition on rows of segments and calls."""
        return f"minute BETWEEN {self.near[0]} AND {self.near[1]} AND {self.hint}"

    @property
    def far(self) -> str:
        """Ids of member traces with rows outside of ``near``."""
        first, last = self.near
        # Rows with minute 0 and a later start were written before rows had a minute, and again since.
        before = f"(minute < {first} AND (minute != 0 OR lo < {MINUTE}))"
        return (
            f"SELECT trace_id FROM traces PREWHERE minute < {first} OR minute > {last} "
            f"WHERE ({before} OR minute > {last}) AND {self.member}"
        )


def find_traces(
    ask: Ask, query: TraceQuery, *, limit: int, cursor: str | None, patience: float = PATIENCE
) -> Page:
    """Traces by time, newest first."""
    return _Search(ask, query, limit, time.monotonic() + patience).run(decode_cursor(cursor))


class _Search:
    def __init__(self, ask: Ask, query: TraceQuery, limit: int, deadline: float) -> None:
        self._ask = ask
        self._query = query
        self._limit = limit
        self._deadline = deadline
        self._found: list[Found] = []
        self._scanned = 0
        self._judged = 0
        self._rejected = 0

    def run(self, before: Place | None) -> Page:
        """The page behind a place."""
        start, end = self._query.window
        if before is not None:
            end = min(end, before[0] + 1)
        width = _first_width(self._query)
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
        slice = _SLICES[self._query.axis](span, self._query.window)
        condition = slice.member if self._query.is_plain else self._matching(slice)
        while True:
            room = self._limit - len(self._found)
            # One more than there is room for says whether anything comes behind the page.
            size = min(CHUNK, room + 1 + 2 * self._rejected)
            rows = self._candidates(slice, condition, before, size)
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

    def _candidates(
        self, slice: Slice, condition: str, before: Place | None, size: int
    ) -> list[tuple[Found, Sequence[int]]]:
        where = f"at >= {slice.span.start} AND at < {slice.span.end}"
        if before is not None:
            where += f" AND (at, trace_id) < ({before[0]}, {sql.trace_literal(before[1])})"
        minutes = "[]" if self._query.is_plain else "groupUniqArray(minute)"
        rows = self._ask(
            f"SELECT hex(trace_id), at, minutes FROM ({slice.timed(condition, minutes)}) "
            f"WHERE {where} ORDER BY at DESC, trace_id DESC LIMIT {size}"
        )
        return [(Found(bytes.fromhex(digits), at), minutes) for digits, at, minutes in rows]

    def _kept(self, candidates: list[tuple[Found, Sequence[int]]]) -> list[Found]:
        if self._query.is_plain or not candidates:
            return [found for found, _ in candidates]
        minutes = {found.trace_id: minutes for found, minutes in candidates}
        kept = matching(self._ask, self._query, minutes)
        self._judged += len(candidates)
        self._rejected += len(candidates) - len(kept)
        return [found for found, _ in candidates if found.trace_id in kept]

    def _matching(self, slice: Slice) -> str:
        """A condition on trace_id that every match in a slice meets."""
        # What the conditions let through is judged trace by trace: when that is too much, stricter
        # ones, which take longer to ask, are cheaper.
        strict = self._rejected > max(50, self._judged // 2)
        near = narrowed(self._query, slice.near_rows, strict=strict)
        far = self._ask(
            "SELECT hex(trace_id), groupUniqArray(minute) FROM traces "
            f"WHERE trace_id IN ({slice.far}) GROUP BY trace_id LIMIT {MOST_FAR + 1}"
        )
        if not far:
            return near
        minutes = {bytes.fromhex(digits): minutes for digits, minutes in far}
        if len(far) <= MOST_FAR and sum(map(len, minutes.values())) <= MOST_PLACES:
            rows = places_of(minutes)
        else:
            rows = f"trace_id IN ({slice.far})"
        return f"(({near}) OR ({narrowed(self._query, rows, strict=strict)}))"

    def _affordable(self, end: int, width: int) -> int:
        """At most ``width``, and about as much as holds MOST_ROWS segments."""
        if width <= 60 * MINUTE:
            return width
        width = min(width, end - self._query.window.start)
        # Answered from the primary index.
        ((rows,),) = self._ask(
            "SELECT count() FROM segments "
            f"WHERE minute BETWEEN {_minute(end - width)} AND {_minute(end)}"
        )
        return max(MINUTE, width * MOST_ROWS // rows) if rows > MOST_ROWS else width

    def _next_width(self, width: int, gained: int) -> int:
        """As wide as the rest of the page needs, going by what this slice gave."""
        needed = GROWTH
        if gained:
            needed = min(GROWTH, -(-3 * (self._limit - len(self._found) + 1) // (2 * gained)))
        return width * max(1, needed)


def _first_width(query: TraceQuery) -> int:
    """What is rare is looked for in a longer slice at once."""
    failures = {State.ERROR, State.THROTTLE, State.FAULT}
    if query.annotations:
        return 10 * MINUTE
    if query.states and query.states <= failures:
        return 4 * MINUTE
    return 10 * SECOND


def _by_trace_id(span: TimeRange, window: TimeRange) -> Slice:
    """`store.trace_id.trace_time`: the epoch in the id, or the first start when that is implausible.

    Ids with an epoch are a range of the key of `traces`; of implausible ones a document in the slice
    is marked `strange`.
    """
    plausible = _ids(-(-span.start // SECOND), -(-span.end // SECOND))
    strange = (
        f"SELECT trace_id FROM segments PREWHERE strange = 1 WHERE minute BETWEEN "
        f"{_minute(span.start)} AND {_minute(span.end - 1)} "
        f"AND start >= {span.start} AND start < {span.end}"
    )
    hint = "1"
    if span.end - span.start < 2 * MINUTE:
        # Pieces of minutes, then: reads of them only what may belong to the slice.
        before = _ids(0, -(-(span.end - DAY) // SECOND))
        after = _ids((span.start + DAY) // SECOND, 1 << 32)
        hint = f"({plausible} OR {before} OR {after})"

    def timed(condition: str, minutes: str) -> str:
        return (
            f"SELECT trace_id, if(abs({_EPOCH} - first) <= {DAY}, {_EPOCH}, first) AS at, minutes "
            f"FROM (SELECT trace_id, min(start) AS first, {minutes} AS minutes FROM traces "
            f"WHERE {condition} GROUP BY trace_id HAVING max(sampled) = 1)"
        )

    return Slice(
        span,
        f"({plausible} OR trace_id IN ({strange}))",
        (_minute(span.start - _BEFORE), _minute(span.end + _AFTER)),
        hint,
        timed,
    )


def _by_event(span: TimeRange, window: TimeRange) -> Slice:
    """The last arrival of one of its documents."""

    def timed(condition: str, minutes: str) -> str:
        return (
            f"SELECT trace_id, max(updated) AS at, {minutes} AS minutes FROM traces "
            f"WHERE {condition} GROUP BY trace_id HAVING max(sampled) = 1"
        )

    return Slice(
        span,
        "trace_id IN (SELECT trace_id FROM traces "
        f"WHERE updated >= {span.start} AND updated < {span.end})",
        (_minute(span.start - _AFTER), _minute(span.end + _BEFORE)),
        "1",
        timed,
    )


def _by_service(span: TimeRange, window: TimeRange) -> Slice:
    """The latest end, in the window, of one of its finished segments."""
    first, last = _minute(span.start - _AFTER), _minute(window.end)

    def ending(start: int, end: int) -> Iterator[str]:
        """Rows that may end there: those that start near it, and those that last long."""
        finished = (
            "independent = 0 AND state != 0 "
            f"AND start + duration >= {start} AND start + duration < {end}"
        )
        yield f"minute BETWEEN {first} AND {_minute(end)} AND {finished}"
        yield f"minute < {first} AND duration >= {_AFTER - MINUTE} AND {finished}"

    members = " UNION ALL ".join(
        f"SELECT trace_id FROM segments WHERE {rows}" for rows in ending(*span)
    )

    def timed(condition: str, minutes: str) -> str:
        rows = " UNION ALL ".join(
            f"SELECT trace_id, start + duration AS end FROM segments FINAL "
            f"WHERE {rows} AND trace_id IN ({members}) AND ({condition})"
            for rows in ending(span.start, window.end)
        )
        return (
            f"SELECT trace_id, at, minutes FROM ("
            f"SELECT trace_id, max(end) AS at FROM ({rows}) GROUP BY trace_id) AS ended "
            f"ANY INNER JOIN (SELECT trace_id, {minutes} AS minutes FROM traces "
            f"WHERE trace_id IN ({members}) GROUP BY trace_id HAVING max(sampled) = 1) AS kept "
            "USING trace_id"
        )

    return Slice(
        span,
        f"trace_id IN ({members})",
        (first, min(last, _minute(span.end + _BEFORE))),
        "1",
        timed,
    )


_SLICES: dict[Axis, Callable[[TimeRange, TimeRange], Slice]] = {
    Axis.TRACE_ID: _by_trace_id,
    Axis.EVENT: _by_event,
    Axis.SERVICE: _by_service,
}


def _minute(instant: int) -> int:
    """The `minute` of a row that starts then."""
    return max(0, instant // MINUTE)


def _ids(start: int, end: int) -> str:
    """A condition: the epoch in the id, seconds, lies in [start, end)."""
    if end <= max(0, start) or start >= 1 << 32:
        return "0"
    bounds = []
    if start > 0:
        bounds.append(f"trace_id >= {_first_id(start)}")
    if end < 1 << 32:
        bounds.append(f"trace_id < {_first_id(end)}")
    return f"({' AND '.join(bounds) or '1'})"


def _first_id(epoch: int) -> str:
    return sql.trace_literal(epoch.to_bytes(4, "big") + bytes(12))
