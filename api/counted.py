"""What a window counts: its graph, and series of some nodes and edges, of all units or of those of the
traces that satisfy a filter expression. Whether that is all, every answer says by `freshness`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from api.context import Context
from api.schemas.common import Freshness, Incomplete
from store.filters.ast import Expression
from store.graph import ServiceGraph, Statistics
from store.grouped_graph import graph_of_grouped
from store.model import TimeRange
from store.query import Backlog, Entities
from store.rules.dimensions import Dimension
from store.service_graph import UnitCounts, assemble, graph_of_units
from store.times import BUCKET, SECOND
from store.unit_filter import unit_series
from store.units import Unit

Series = Mapping[int, Statistics]
"""Statistics by the start of a step, microseconds; steps without units are absent."""
OVERDUE_SECONDS = 90.0
"""Beyond `api.context.SETTLE_SECONDS`: what began longer ago, two minutes in all, and has not ended, or names a parent that has
not come, is in doubt. Gateways wait no longer than 29 (API Gateway) or 60 seconds (load balancers, nginx) for an answer, so
younger requests are as a rule just running, and would put marks on a live map that are gone a moment later."""
INCOMPLETE = "X-Raymap-Incomplete"
"""The header of answers whose bodies are X-Ray's."""


class Counted(NamedTuple):
    """The window that was counted (`store.protocol.GraphReader.counted_window`), its graph, and what is missing."""

    window: TimeRange
    graph: ServiceGraph
    backlog: Backlog | None


class CountedGroups(NamedTuple):
    """The window that was counted, its graph with its nodes split, and from when on clients are not settled."""

    window: TimeRange
    graph: ServiceGraph
    settled_before: int


def freshness(window: TimeRange, backlog: Backlog | None) -> Freshness:
    """What an answer says of its completeness. Documents that wait decide by when they *began*: those of an import
    arrive long after the window has ended."""
    until = complete_until(window, backlog) / SECOND
    if backlog is None:
        return {"data_until": until, "incomplete": None}
    waiting: Incomplete = {"minutes": backlog.minutes, "since": backlog.since / SECOND}
    return {"data_until": until, "incomplete": waiting}


def complete_until(window: TimeRange, backlog: Backlog | None) -> int:
    """The end of the window, or the start of the first documents that wait (microseconds)."""
    return min(window.end, max(backlog.start, window.start)) if backlog else window.end


def incomplete_words(backlog: Backlog) -> str:
    """The same for people."""
    minutes = "1 minute is" if backlog.minutes == 1 else f"{backlog.minutes:,} minutes are"
    return f"incomplete: {minutes} still being counted"


def incomplete_header(backlog: Backlog | None) -> dict[str, str]:
    """The same as a header, absent when nothing is missing."""
    return {INCOMPLETE: f"minutes={backlog.minutes}"} if backlog else {}


def counted_graph(
    context: Context,
    window: TimeRange,
    expression: Expression | None,
    by: Dimension | None = None,
) -> Counted:
    """The graph of a window. What satisfies an expression is counted from rows, which are all there. Raises
    TooManyTraces for an expression over a window with too many. ``by``: as `counted_groups`."""
    if by is not None:
        groups = counted_groups(context, window, by, expression)
        return Counted(groups.window, groups.graph, None)
    if expression is None:
        counted = context.counted_window(window)
        return Counted(counted.window, counted.graph, counted.backlog)
    units = context.store.filtered_units(window, expression)
    return Counted(window, graph_of_units(units, context.settled_before()), None)


def counted_with_older(
    context: Context,
    window: TimeRange,
    expression: Expression | None,
    by: Dimension | None = None,
) -> tuple[Counted, ServiceGraph]:
    """As `counted_graph`, and the graph of the units that began so long ago that they should have ended
    (`api.graph.trust.Older`)."""
    settled = context.settled_before()
    end = max(window.start, settled - round(OVERDUE_SECONDS * SECOND) // BUCKET * BUCKET)
    if by is not None:
        window, settled = _grouped_window(context, window, expression)
        units = list(context.store.grouped_units(window, by, expression))
        early = (each for each in units if each[1].unit.start < end)
        graph = graph_of_grouped(units, settled)
        return Counted(window, graph, None), graph_of_grouped(early, settled)
    if expression is not None:
        begun = UnitCounts()
        found = _noted(context.store.filtered_units(window, expression), end, begun)
        graph = graph_of_units(found, settled)
        return Counted(window, graph, None), assemble(*begun.counted(), settled)
    if window.start < end < window.end:
        both = context.counted_windows((window, TimeRange(window.start, end)))
        whole, before = both[0], both[1].graph
    else:
        whole = context.counted_window(window)
        before = ServiceGraph({}, {}) if end == window.start else whole.graph
    return Counted(whole.window, whole.graph, whole.backlog), before


def _noted(
    units: Iterable[tuple[bytes, Unit]], end: int, counts: UnitCounts
) -> Iterator[tuple[bytes, Unit]]:
    """The same units, of which those that began before ``end`` are counted on the way: there may be many."""
    for trace_id, unit in units:
        if unit.start < end:
            counts.add(trace_id, unit)
        yield trace_id, unit


def counted_groups(
    context: Context, window: TimeRange, by: Dimension, expression: Expression | None
) -> CountedGroups:
    """The graph of a window with its nodes split, counted from rows. Raises TooManyTraces for a window with too many.

    Without an expression it is of the window that the whole map would be of, as the traces of its nodes are."""
    window, settled = _grouped_window(context, window, expression)
    units = context.store.grouped_units(window, by, expression)
    return CountedGroups(window, graph_of_grouped(units, settled), settled)


def _grouped_window(
    context: Context, window: TimeRange, expression: Expression | None
) -> tuple[TimeRange, int]:
    """The window that is counted, and from when on clients are not settled."""
    settled = context.settled_before()
    if expression is not None:
        return window, settled
    counted = context.counted_window(window)
    return counted.window, counted.settled_before or settled


def counted_series(
    context: Context,
    entities: Entities,
    window: TimeRange,
    step: int,
    expression: Expression | None,
) -> Series:
    """Statistics of the same units per ``step`` (microseconds) from the window's start on."""
    settled = context.settled_before()
    if expression is None:
        buckets = context.store.entity_series(entities, window, step, settled_before=settled)
    else:
        units = context.store.filtered_units(window, expression)
        selected = (unit for _, unit in units if entities.have(unit, settled))
        buckets = unit_series(selected, step)
    return {bucket.start: bucket.statistics for bucket in buckets}
