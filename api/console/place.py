"""A node or an edge of the map as a query for its units, and how many the map counts there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

from api.console.params import Failing, TraceFilter
from api.graph.build import Graph, calls_of, find_node, stats_of
from store.model import NodeKey, State, Statistics, TimeRange
from store.protocol import Failure, Store, TimeBucket, UnitQuery, failures_by_frequency
from store.service_graph import merge_statistics


class Place(NamedTuple):
    """A node or edge: its units, of any state, and their statistics on the map."""

    units: UnitQuery
    statistics: Statistics


def find_place(graph: Graph, filters: TraceFilter, window: TimeRange | None) -> Place | None:
    """The node or edge of a filter; None when it has no traffic in the graph."""
    if not filters.edge:
        node = find_node(graph, filters.node)
        return node and node_place(graph, node, window)
    source, target = (find_node(graph, end) for end in filters.edge.split(":"))
    if source is None or target is None or not graph.has_edge(source, target):
        return None
    return edge_place(graph, (source, target), window)


def node_place(graph: Graph, node: NodeKey, window: TimeRange | None) -> Place:
    """A node; of a client, which measures nothing, the calls it makes."""
    if node.is_client:
        return edge_place(graph, (node, next(iter(graph.successors(node)))), window)
    units = UnitQuery(window, nodes=frozenset(keys_of(graph, node)))
    return Place(units, stats_of(graph, node).statistics)


def edge_place(graph: Graph, edge: tuple[NodeKey, NodeKey], window: TimeRange | None) -> Place:
    """An edge of calls or of links."""
    stats = calls_of(graph, *edge)
    ends = (tuple(keys_of(graph, end)) for end in edge)
    pairs = frozenset((source, target) for source, target in product(*ends))
    return Place(UnitQuery(window, edges=pairs, link=stats.link), stats.statistics)


def keys_of(graph: Graph, node: NodeKey) -> Iterator[NodeKey]:
    """The keys whose units a node counts: `store.service_graph.join_accounts` adds those of calls
    that named it without its account."""
    yield node
    bare = node._replace(account="")
    if node.account and not node.is_client and bare not in graph:
        yield bare


def units_counted(
    store: Store, place: Place, states: Iterable[State], error: Failing | None
) -> int:
    """How many units the map counts there in these states, or in a row of the error breakdown."""
    if error is not None:
        return sum(
            failure.count
            for failure in place_failures(store, place)
            if (failure.state, failure.label) == error
        )
    names = [state.name.lower() for state in (states or State)]
    return sum(int(getattr(place.statistics, name)) for name in names)


def place_failures(store: Store, place: Place) -> list[Failure]:
    """The error breakdown of a place with a window."""
    units = place.units
    assert units.window is not None
    found = [store.node_failures(node, units.window) for node in units.nodes]
    found += [store.edge_failures(*edge, units.window) for edge in units.edges]
    counts: dict[tuple[str, State], int] = {}
    for failure in (each for failures in found for each in failures):
        key = failure.label, failure.state
        counts[key] = counts.get(key, 0) + failure.count
    return failures_by_frequency(counts)


def place_series(store: Store, place: Place, window: TimeRange, step: int) -> list[TimeBucket]:
    """Statistics of a place per step."""
    units = place.units
    found = [store.node_series(node, window, step) for node in units.nodes]
    found += [store.edge_series(*edge, window, step) for edge in units.edges]
    buckets: dict[int, TimeBucket] = {}
    for bucket in (each for series in found for each in series):
        known = buckets.setdefault(bucket.start, bucket)
        if known is not bucket:
            merge_statistics(known.statistics, bucket.statistics)
    return [buckets[start] for start in sorted(buckets)]
