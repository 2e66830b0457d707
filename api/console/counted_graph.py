"""The graph of a window that the console's routes answer from, counted once for what is requested together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from api.console.filtered import Selection, select_traces
from api.context import Context
from api.counted import counted_groups
from api.graph.build import Graph, build_graph
from api.graph.groups import MOST_APART
from api.graph.search import NameTable
from store.filters.ast import Expression
from store.graph import ServiceGraph
from store.model import TimeRange
from store.protocol import CountedWindow
from store.query import Backlog
from store.rules.dimensions import Dimension


@dataclass(frozen=True)
class CountedGraph:
    """The graph of a window: of all its units, or of the traces that satisfy a filter."""

    window: TimeRange
    services: ServiceGraph
    selection: Selection | None
    backlog: Backlog | None
    counted: CountedWindow | None
    """What was counted; None of a selection, and where nodes are split."""
    by: Dimension | None = None
    """What nodes are split by."""
    settled_before: int | None = None
    """As of `store.protocol.CountedWindow`."""

    @cached_property
    def graph(self) -> Graph:
        """With the ratios of every node and edge, which boxes do not need."""
        return build_graph(self.services, self.window)

    @cached_property
    def names(self) -> NameTable:
        """What nodes are searched in."""
        return NameTable(self.services)


def count_window(
    context: Context,
    window: TimeRange,
    expression: Expression | None,
    by: Dimension | None = None,
) -> CountedGraph:
    """The graph to draw; the window is snapped unless the traces of an expression are counted one by one."""
    if expression is not None:
        selection = select_traces(context.store, window, expression)
        return CountedGraph(window, selection.service_graph(by), selection, None, None, by)
    if by is not None:
        groups = counted_groups(context, window, by, None)
        return CountedGraph(
            groups.window, groups.graph, None, None, None, by, groups.settled_before
        )
    return graph_of(context.counted_window(window))


def recent_window(
    context: Context, window: TimeRange, expression: Expression | None
) -> CountedGraph:
    """As `count_window`, or of a large graph what a map of about this window was drawn from a moment ago."""
    found = context.recent.get(expression, window, context.clock())
    return found or keep_recent(context, window, expression)


def keep_recent(context: Context, window: TimeRange, expression: Expression | None) -> CountedGraph:
    """As `count_window`; a large graph is retained for `recent_window`."""
    counted = count_window(context, window, expression)
    if len(counted.services.services) > MOST_APART:
        context.recent.put(expression, window, context.clock(), counted)
    return counted


def graph_of(counted: CountedWindow) -> CountedGraph:
    """The graph to draw of what a window counts."""
    return CountedGraph(
        counted.window,
        counted.graph,
        None,
        counted.backlog,
        counted,
        settled_before=counted.settled_before,
    )
