"""A node or an edge of the map as a query for its units, and how many the map counts there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from api.console.params import Failing, TraceFilter
from api.errors import ApiError
from api.graph.build import Graph, calls_of, edges_of, find_node, keys_of, stats_of
from api.schemas.common import WorkName
from store.graph import EdgeStats, Statistics, Work
from store.model import NodeKey, State, TimeRange
from store.query import Entities, Failure, UnitQuery, failures_by_frequency
from store.rules.other_names import OTHER_NAMES


class Place(NamedTuple):
    """A node or edge: its units, of any state, and what the map counts of them."""

    units: UnitQuery
    statistics: Statistics
    failures: list[Failure]
    """Its error breakdown."""

    @property
    def work(self) -> WorkName:
        """What the units are."""
        return "background" if self.units.background else "requests"


class Scope(NamedTuple):
    """Which units a map counts: of which time, and from when on clients are not settled."""

    window: TimeRange | None
    settled_before: int | None = None


def find_place(graph: Graph, filters: TraceFilter, scope: Scope) -> Place | None:
    """The node or edge of a filter; None when it has no traffic in the graph.

    ApiError (400) for names that are counted together: no trace says which of its names are.
    """
    ids = filters.edge.split(":") if filters.edge else [filters.node]
    ends = [node for id in ids if (node := find_node(graph, id)) is not None]
    if any(node.name == OTHER_NAMES for node in ends):
        raise ApiError(
            f"the traces of {OTHER_NAMES} cannot be listed; filter by a name instead",
            code="NamesCountedTogether",
        )
    if len(ends) < len(ids):
        return None
    if len(ends) == 1:
        return node_place(graph, ends[0], scope, filters.work)
    edge = ends[0], ends[1]
    return edge_place(graph, edge, scope) if graph.has_edge(*edge) else None


def node_place(graph: Graph, node: NodeKey, scope: Scope, work: WorkName | None = None) -> Place:
    """A node: its requests or its background work, by default what its figures count; of a client, which measures
    nothing, the calls it makes."""
    if node.is_client:
        return edge_place(graph, (node, next(iter(graph.successors(node)))), scope)
    stats = stats_of(graph, node)
    background = stats.is_background if work is None else work == "background"
    units = UnitQuery(scope.window, nodes=keys_of(graph, node), background=background)
    return _place(units, stats.background if background else stats.requests)


def edge_place(graph: Graph, edge: tuple[NodeKey, NodeKey], scope: Scope) -> Place:
    """An edge of calls or of links."""
    stats = calls_of(graph, *edge)
    units = UnitQuery(
        scope.window,
        edges=edges_of(graph, *edge),
        link=stats.link,
        settled_before=scope.settled_before,
    )
    return _place(units, stats)


def _place(units: UnitQuery, stats: Work | EdgeStats) -> Place:
    return Place(units, stats.statistics, failures_by_frequency(stats.failures))


def units_counted(place: Place, states: Iterable[State], error: Failing | None) -> int:
    """How many units the map counts there in these states, or in a row of the error breakdown."""
    if error is not None:
        return sum(
            failure.count for failure in place.failures if (failure.state, failure.label) == error
        )
    names = [state.name.lower() for state in (states or State)]
    return sum(int(getattr(place.statistics, name)) for name in names)


def place_entities(place: Place) -> Entities:
    """A place in a series."""
    units = place.units
    if units.nodes:
        return Entities(background=units.nodes) if units.background else Entities(nodes=units.nodes)
    return Entities(links=units.edges) if units.link else Entities(edges=units.edges)
