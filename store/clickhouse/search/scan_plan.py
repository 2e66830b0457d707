"""Where a search begins: the only candidates if there are few, or how long the first range has to be.

Planning a statement costs as much as scanning some hundred thousand rows: a window that is scanned in
this time is scanned at once for what seems rare. In others probes (`store.clickhouse.search.probe`)
look for the newest rows that each term of the filter needs. A trace that matches has such rows for all terms.
Rollups say in which minutes to look for what some terms need (`store.clickhouse.search.rollup_index`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from store.clickhouse.connection.query_runner import Rows, RunQuery, run_concurrently
from store.clickhouse.queries import Sql
from store.clickhouse.search.probe import FEW, NewestRows, Probe, newest_rows, probes
from store.clickhouse.search.rollup_index import Settled, indexed_minutes, settled
from store.clickhouse.search.scan_ranges import MARGIN, SCAN_RANGES, ScanRange, minute_of
from store.filters.selectivity import is_selective
from store.model import TimeRange
from store.query import TraceQuery
from store.times import MINUTE, SECOND

ROWS_OF_FOUND = 8
"""Segments per trace of a page in the first range, if most traces match."""
SPARE = 2
"""How many times the traces of a page the first range contains, as far as probes show: some only seem
to match, and a longer range costs less than another one."""
CHEAP_ROWS = 400_000
"""Segments that one statement scans in the time that some others are planned."""
FAST_ROWS = 50_000
"""Segments that are scanned in the time that rollups take to say where to look."""
GROWTH = 8
"""Maximum ratio between the lengths of consecutive ranges."""


class ScanPlan(NamedTuple):
    """``rows``: segments of the window, approximately. ``width``: of the first range. ``few``: the only
    candidates in ``known``, the window or the newest part of it, but for traces with rows outside."""

    known: ScanRange
    rows: int
    width: int
    few: frozenset[bytes] | None = None


def scan_plan(
    run: RunQuery, query: TraceQuery, window: TimeRange, limit: int, enough: int
) -> ScanPlan:
    """The plan for a page of ``limit`` traces from a window, which a cursor may have shortened.

    ``enough``: units that rollups look for."""
    whole = SCAN_RANGES[query.axis](window, query.window)
    # Rows behind the window would be taken for its newest.
    first, last = whole.near
    whole = replace(whole, near=(first, min(last, minute_of(window.end) + 1)))
    ((rows,),) = run(count_rows(window))
    length = window.end - window.start
    width = length * limit * ROWS_OF_FOUND // rows if rows else length
    if query.filter is None:
        return ScanPlan(whole, rows, max(10 * SECOND, width))
    planned = probes(query.filter)
    indexed = rows > FAST_ROWS and any(probe.units is not None for probe in planned)
    if rows <= CHEAP_ROWS and is_selective(query.filter) and not indexed:
        return ScanPlan(whole, rows, length)
    index = settled(run) if indexed else None
    newest = _newest(run, planned, whole.near, index, enough)
    if newest:
        width = max(width, _first_width(window, newest, limit))
    plan = ScanPlan(whole, rows, max(10 * SECOND, width), _few(newest))
    if plan.few is None and index is not None:
        return _known_part(plan, query, newest)
    return plan


def _known_part(plan: ScanPlan, query: TraceQuery, newest: list[NewestRows]) -> ScanPlan:
    """The plan with what probes found in the newest part of the window, if that has any length."""
    reach = max(each.reach for each in newest)
    end, last = plan.known.span.end, plan.known.near[1]
    span = TimeRange(max(plan.known.span.start, (reach + 1) * MINUTE + MARGIN), end)
    if span.start >= end:
        return plan
    part = SCAN_RANGES[query.axis](span, query.window)
    ids = [each.minutes.keys() for each in newest]
    few = frozenset(ids[0]).intersection(*ids[1:])
    return plan._replace(known=replace(part, near=(part.near[0], last)), few=few)


def count_rows(window: TimeRange) -> Sql:
    """The approximate number of segments that start in a window, from the primary index."""
    return Sql(
        "SELECT count() FROM segments WHERE minute BETWEEN {first:UInt64} AND {last:UInt64}",
        {"first": minute_of(window.start), "last": minute_of(window.end)},
    )


def _newest(
    run: RunQuery,
    planned: Sequence[Probe],
    near: tuple[int, int],
    known: Settled | None,
    enough: int,
) -> list[NewestRows]:
    """What probes find in some minutes."""
    minutes = [
        indexed_minutes(run, probe.units, known, near, enough) if known and probe.units else None
        for probe in planned
    ]
    parts = [probe.statements(*near, where) for probe, where in zip(planned, minutes, strict=True)]
    answers = run_concurrently(run, *(first for first, *_ in parts)) if parts else []
    return [
        newest_rows([first, *_others(run, first, rest)], where.reach if where else 0)
        for first, (_, *rest), where in zip(answers, parts, minutes, strict=True)
    ]


def _others(run: RunQuery, first: Rows, statements: list[Sql]) -> list[Rows]:
    """The other answers of a probe; of no use where the first one already shows that there are many."""
    if len(first) >= FEW or not statements:
        return []
    return run_concurrently(run, *statements)


def _few(newest: list[NewestRows]) -> frozenset[bytes] | None:
    """The traces that all complete probes found."""
    complete = [each.minutes.keys() for each in newest if each.complete]
    return frozenset(complete[0]).intersection(*complete[1:]) if complete else None


def _first_width(window: TimeRange, newest: list[NewestRows], limit: int) -> int:
    """Until there are enough traces with all rows that are needed, extrapolated from the minutes that all
    probes reach."""
    wanted, joint = SPARE * limit, _joint(newest, minute_of(window.end))
    if len(joint) >= wanted:
        return window.end - joint[wanted - 1] * MINUTE
    reach = max(each.reach for each in newest) or minute_of(window.start)
    return (window.end - reach * MINUTE) * min(wanted // max(1, len(joint)), GROWTH**2)


def _joint(newest: list[NewestRows], last: int) -> list[int]:
    """The minutes in which all probes found the same trace, descending."""
    reach = max(each.reach for each in newest)
    first, *others = newest
    return sorted(
        (
            minute
            for trace_id, minute in first.minutes.items()
            if reach <= minute <= last and all(trace_id in each.minutes for each in others)
        ),
        reverse=True,
    )
