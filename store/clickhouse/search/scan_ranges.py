"""A piece of a search's window on one time axis, in SQL: which traces lie in it, and where their rows do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from store.clickhouse.connection import sql
from store.model import MINUTE, TimeRange
from store.protocol import Axis
from store.trace_id import DAY

SECOND = 1_000_000
_BEFORE, _AFTER = 2 * MINUTE, 10 * MINUTE
"""How far around a range most rows of its traces are expected."""

_EPOCH = "toInt64(byteSwap(reinterpretAsUInt32(trace_id))) * 1000000"


@dataclass(frozen=True, slots=True)
class ScanRange:
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


def _by_trace_id(span: TimeRange, window: TimeRange) -> ScanRange:
    """`store.trace_id.trace_time`: the epoch in the id, or the first start when that is implausible.

    Ids with an epoch are a range of the key of `traces`; of implausible ones a document in the slice
    is marked `implausible_epoch`.
    """
    plausible = _ids(-(-span.start // SECOND), -(-span.end // SECOND))
    implausible_epoch = (
        f"SELECT trace_id FROM segments PREWHERE implausible_epoch = 1 WHERE minute BETWEEN "
        f"{minute_of(span.start)} AND {minute_of(span.end - 1)} "
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

    return ScanRange(
        span,
        f"({plausible} OR trace_id IN ({implausible_epoch}))",
        (minute_of(span.start - _BEFORE), minute_of(span.end + _AFTER)),
        hint,
        timed,
    )


def _by_event(span: TimeRange, window: TimeRange) -> ScanRange:
    """The last arrival of one of its documents."""

    def timed(condition: str, minutes: str) -> str:
        return (
            f"SELECT trace_id, max(updated) AS at, {minutes} AS minutes FROM traces "
            f"WHERE {condition} GROUP BY trace_id HAVING max(sampled) = 1"
        )

    return ScanRange(
        span,
        "trace_id IN (SELECT trace_id FROM traces "
        f"WHERE updated >= {span.start} AND updated < {span.end})",
        (minute_of(span.start - _AFTER), minute_of(span.end + _BEFORE)),
        "1",
        timed,
    )


def _by_service(span: TimeRange, window: TimeRange) -> ScanRange:
    """The latest end, in the window, of one of its finished segments."""
    first, last = minute_of(span.start - _AFTER), minute_of(window.end)

    def ending(start: int, end: int) -> Iterator[str]:
        """Rows that may end there: those that start near it, and those that last long."""
        finished = (
            "independent = 0 AND state != 0 "
            f"AND start + duration >= {start} AND start + duration < {end}"
        )
        yield f"minute BETWEEN {first} AND {minute_of(end)} AND {finished}"
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
            f"WHERE trace_id IN ({members}) GROUP BY trace_id HAVING max(sampled) = 1) AS sampled "
            "USING trace_id"
        )

    return ScanRange(
        span,
        f"trace_id IN ({members})",
        (first, min(last, minute_of(span.end + _BEFORE))),
        "1",
        timed,
    )


SCAN_RANGES: dict[Axis, Callable[[TimeRange, TimeRange], ScanRange]] = {
    Axis.TRACE_ID: _by_trace_id,
    Axis.EVENT: _by_event,
    Axis.SERVICE: _by_service,
}


def minute_of(instant: int) -> int:
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
