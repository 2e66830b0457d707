"""A node or an edge of the map as a query for its units, and how many the map counts there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from api.console.params import Failing, TraceFilter
from api.errors import ApiError
from api.graph.build import (
    Graph,
    calls_of,
    edges_of,
    keys_of,
    split_id,
    stats_of,
    value_in,
)
from api.graph.find import find_node
from api.schemas.common import WorkName
from store.graph import EdgeStats, Statistics, Work, add_statistics
from store.grouped_units import Grouped
from store.model import NodeKey, State, TimeRange
from store.query import Entities, Failure, UnitQuery, failures_by_frequency
from store.rules.dimensions import OTHER_VALUES, Dimension
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
    """Which units a map counts: of which time, from when on clients are not settled, and by what nodes are split."""

    window: TimeRange | None
    settled_before: int | None = None
    by: Dimension | None = None


def find_place(graph: Graph, filters: TraceFilter, scope: Scope) -> Place | None:
    """The node or edge of a filter, which may be a part of one of the graph; None when that has no traffic there.

    ApiError (400) for names and values that are counted together: no trace says which of its names are.
    """
    parts = [split_id(id) for id in (filters.edge.split(":") if filters.edge else [filters.node])]
    ids, values = zip(*parts, strict=True)
    ends = [node for id in ids if (node := find_node(graph, id)) is not None]
    if OTHER_VALUES in values:
        raise ApiError(
            f"the traces of {OTHER_VALUES} cannot be listed; filter by a value instead",
            code="ValuesCountedTogether",
        )
    if any(node.name == OTHER_NAMES for node in ends):
        raise ApiError(
            f"the traces of {OTHER_NAMES} cannot be listed; filter by a name instead",
            code="NamesCountedTogether",
        )
    if len(ends) < len(ids):
        return None
    if len(ends) == 1:
        return _part(node_place(graph, ends[0], scope, filters.work), scope.by, None, *values)
    edge = ends[0], ends[1]
    return (
        _part(edge_place(graph, edge, scope), scope.by, *values) if graph.has_edge(*edge) else None
    )


def node_place(graph: Graph, node: NodeKey, scope: Scope, work: WorkName | None = None) -> Place:
    """A node: its requests or its background work, by default what its figures count; of a client, which measures
    nothing, the calls it makes."""
    if node.is_client:
        return _together([edge_place(graph, (node, v), scope) for v in graph.successors(node)])
    stats = stats_of(graph, node)
    background = stats.is_background if work is None else work == "background"
    units = UnitQuery(scope.window, nodes=keys_of(graph, node), background=background)
    place = _place(units, stats.background if background else stats.requests)
    return _part(place, scope.by, None, value_in(node))


def edge_place(graph: Graph, edge: tuple[NodeKey, NodeKey], scope: Scope) -> Place:
    """An edge of calls or of links."""
    stats = calls_of(graph, *edge)
    units = UnitQuery(
        scope.window,
        edges=edges_of(graph, *edge),
        link=stats.link,
        settled_before=scope.settled_before,
    )
    return _part(_place(units, stats), scope.by, *map(value_in, edge))


def _part(place: Place, by: Dimension | None, source_value: str | None, value: str | None) -> Place:
    """Of a place the units with some values."""
    if by is None or (source_value is None and value is None):
        return place
    return place._replace(units=replace(place.units, by=Grouped(by, value, source_value)))


def _together(places: Sequence[Place]) -> Place:
    """All calls of a client: on a grouped map it may lead to several parts of the service that it calls."""
    first, *others = places
    if not others:
        return first
    edges = frozenset(pair for each in places for pair in each.units.edges)
    statistics, failures = Statistics(histogram={}), Counter[tuple[str, State]]()
    for each in places:
        add_statistics(statistics, each.statistics)
        failures.update({(row.label, row.state): row.count for row in each.failures})
    rows = [Failure(*key, count) for key, count in failures.most_common()]
    return Place(replace(first.units, edges=edges, by=None), statistics, rows)


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
