"""What a window counts: its graph, and series of some nodes and edges, of all units or of those of the
traces that satisfy a filter expression."""

from __future__ import annotations

from collections.abc import Mapping

from api.context import Context
from store.filters.ast import Expression
from store.graph import ServiceGraph, Statistics
from store.model import TimeRange
from store.query import Entities
from store.service_graph import graph_of_units
from store.times import SECOND
from store.unit_filter import unit_series

Series = Mapping[int, Statistics]
"""Statistics by the start of a step, microseconds; steps without units are absent."""


def data_until(context: Context, window: TimeRange, expression: Expression | None) -> float:
    """The end of the window, epoch seconds, or an earlier instant: what was stored since may not be counted
    yet. What satisfies an expression is counted from rows, which are all there."""
    lag = 0.0 if expression is not None else context.store.map_lag()
    end = window.end / SECOND
    return min(end, context.clock() - lag) if lag else end


def counted_graph(
    context: Context, window: TimeRange, expression: Expression | None
) -> tuple[TimeRange, ServiceGraph]:
    """The window that was counted (`store.protocol.GraphReader.counted_window`), and its graph. Raises TooManyTraces
    for an expression over a window with too many."""
    if expression is None:
        counted = context.counted_window(window)
        return counted.window, counted.graph
    units = context.store.filtered_units(window, expression)
    return window, graph_of_units(units, context.settled_before())


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
