"""A piece of a search's window on one time axis, in SQL: which traces lie in it, and where their rows do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from store.clickhouse import queries
from store.clickhouse.queries import Sql, in_traces, joined, parenthesized
from store.model import TimeRange
from store.query import Axis, TraceQuery
from store.times import BUCKET, DAY, MINUTE, PER_MINUTE, SECOND

_NEVER = Sql("0")
_BEFORE, _AFTER = 2 * MINUTE, 10 * MINUTE
"""How far around a range most rows of its traces are expected."""
MARGINS = {Axis.TRACE_ID: 0, Axis.EVENT: MINUTE, Axis.SERVICE: MINUTE}
"""How long before a range rows of its traces are so common that looking for each costs more than a longer range."""
MAX_FAR_TRACES = 1000
"""Maximum number of traces with rows outside a range that are located one by one."""


@dataclass(frozen=True, slots=True)
class ScanRange:
    """A piece of a window on one axis, in SQL.

    ``member``: a condition on trace_id that the traces whose time lies in it meet. ``near``: the
    buckets in which most of their rows start; ``hint``: what trace_id is in such rows. ``timed``:
    traces that meet a condition, as (trace_id, at, buckets); ``times_members``: only member traces.
    """

    span: TimeRange
    member: Sql
    near: tuple[int, int]
    hint: Sql
    timed: Callable[[Sql, Sql], Sql]
    times_members: bool = False
    passed: Sql = _NEVER
    """What rows of `traces` say of those that lie before it."""

    def among(self, condition: Sql) -> Sql:
        """Member traces that meet a condition, as a condition for ``timed``."""
        return condition if self.times_members else joined(" AND ", [self.member, condition])

    @property
    def near_rows(self) -> Sql:
        """A condition on rows of segments and calls."""
        first, last = self.near
        near = Sql(
            "minute BETWEEN {near_first_minute:UInt64} AND {near_last_minute:UInt64} "
            "AND bucket BETWEEN {near_first:UInt64} AND {near_last:UInt64}",
            {
                "near_first_minute": first // PER_MINUTE,
                "near_last_minute": last // PER_MINUTE,
                "near_first": first,
                "near_last": last,
            },
        )
        return joined(" AND ", [near, self.hint])

    @property
    def far(self) -> Sql:
        """Ids of member traces with rows outside of ``near``."""
        first, last = self.near
        return queries.FAR_TRACES.render(
            {"member": self.member, "passed": self.passed},
            near_first=first,
            near_last=last,
            minute_length=MINUTE,
        )


def _by_trace_id(span: TimeRange, window: TimeRange) -> ScanRange:
    """`store.trace_id.trace_time`: the epoch in the id, or the first start when that is implausible.

    Ids with an epoch are a range of the key of `traces`; of implausible ones a document in the slice
    is marked `implausible_epoch`.
    """
    plausible = _ids("span", -(-span.start // SECOND), -(-span.end // SECOND))
    implausible_epoch = queries.IMPLAUSIBLE_EPOCH.render(
        span_minute=minute_of(span.start),
        span_last_minute=minute_of(span.end - 1),
        span_start=span.start,
        span_end=span.end,
    )
    member = parenthesized(joined(" OR ", [plausible, in_traces(implausible_epoch)]))
    hint = Sql("1")
    if span.end - span.start < 2 * MINUTE:
        # Pieces of minutes, then: reads of them only what may belong to the slice.
        before = _ids("before", 0, -(-(span.end - DAY) // SECOND))
        after = _ids("after", (span.start + DAY) // SECOND, 1 << 32)
        hint = parenthesized(joined(" OR ", [plausible, before, after]))

    def timed(condition: Sql, buckets: Sql) -> Sql:
        return queries.TIMED_BY_ID.render({"buckets": buckets, "condition": condition}, day=DAY)

    return ScanRange(
        span,
        member,
        (bucket_of(span.start - _BEFORE), bucket_of(span.end + _AFTER)),
        hint,
        timed,
        passed=queries.PASSED.render(span_start=span.start, day=DAY),
    )


def _by_event(span: TimeRange, window: TimeRange) -> ScanRange:
    """The last arrival of one of its documents."""
    member = Sql(
        "trace_id IN (SELECT trace_id FROM traces "
        "WHERE updated >= {span_start:Int64} AND updated < {span_end:Int64})",
        {"span_start": span.start, "span_end": span.end},
    )

    def timed(condition: Sql, buckets: Sql) -> Sql:
        return queries.TIMED_BY_EVENT.render({"buckets": buckets, "condition": condition})

    return ScanRange(
        span,
        member,
        (bucket_of(span.start - _AFTER), bucket_of(span.end + _BEFORE)),
        Sql("1"),
        timed,
    )


def _by_service(span: TimeRange, window: TimeRange) -> ScanRange:
    """The latest end, in the window, of one of its finished segments."""
    first, last = minute_of(span.start - _AFTER), minute_of(window.end)
    ended = {
        "first_minute": first,
        "span_end_minute": minute_of(span.end),
        "long_duration": _AFTER - MINUTE,
        "span_start": span.start,
        "span_end": span.end,
    }

    def timed(condition: Sql, buckets: Sql) -> Sql:
        return queries.TIMED_BY_SERVICE.render(
            {"buckets": buckets, "condition": condition},
            **ended,
            window_end_minute=last,
            window_end=window.end,
        )

    return ScanRange(
        span,
        in_traces(queries.ENDED_TRACES.render(**ended)),
        (first * PER_MINUTE, bucket_of(min(window.end, span.end + _BEFORE))),
        Sql("1"),
        timed,
        times_members=True,
    )


SCAN_RANGES: dict[Axis, Callable[[TimeRange, TimeRange], ScanRange]] = {
    Axis.TRACE_ID: _by_trace_id,
    Axis.EVENT: _by_event,
    Axis.SERVICE: _by_service,
}


def near_minutes(query: TraceQuery, window: TimeRange) -> tuple[int, int]:
    """The minutes near a window, without those behind it: rows there would be taken for its newest."""
    first, last = SCAN_RANGES[query.axis](window, query.window).near
    return first // PER_MINUTE, min(last // PER_MINUTE, minute_of(window.end) + 1)


def started(window: TimeRange) -> Sql:
    """The condition that a row starts in a window."""
    return Sql(
        "minute BETWEEN {first_minute:UInt64} AND {last_minute:UInt64} "
        f"AND bucket >= intDiv(greatest(0, {{window_start:Int64}}), {BUCKET}) "
        f"AND bucket <= intDiv(greatest(0, {{window_end:Int64}}), {BUCKET}) "
        "AND start >= {window_start:Int64} AND start < {window_end:Int64}",
        {
            "first_minute": minute_of(window.start),
            "last_minute": minute_of(window.end - 1),
            "window_start": window.start,
            "window_end": window.end,
        },
    )


def minute_of(instant: int) -> int:
    """The `minute` of a row that starts then."""
    return max(0, instant // MINUTE)


def bucket_of(instant: int) -> int:
    """The `bucket` of a row that starts then."""
    return max(0, instant // BUCKET)


def _ids(name: str, start: int, end: int) -> Sql:
    """A condition: the epoch in the id, seconds, lies in [start, end). ``name`` leads its parameters."""
    if end <= max(0, start) or start >= 1 << 32:
        return Sql("0")
    bounds = []
    if start > 0:
        first = {f"{name}_first_id": _first_id(start)}
        bounds.append(Sql(f"trace_id >= {{{name}_first_id:FixedString(16)}}", first))
    if end < 1 << 32:
        after = {f"{name}_end_id": _first_id(end)}
        bounds.append(Sql(f"trace_id < {{{name}_end_id:FixedString(16)}}", after))
    return parenthesized(joined(" AND ", bounds or [Sql("1")]))


def _first_id(epoch: int) -> bytes:
    return epoch.to_bytes(4, "big") + bytes(12)


def far_buckets(slice: ScanRange) -> Sql:
    """The buckets of member traces with rows outside of ``near``, at most MAX_FAR_TRACES + 1 traces."""
    far = slice.far
    return Sql(
        f"SELECT hex(trace_id), groupUniqArray(bucket) FROM traces "
        f"WHERE {in_traces(far).text} GROUP BY trace_id LIMIT {MAX_FAR_TRACES + 1}",
        far.parameters,
    )
