"""The service graph with each node split by the values of a dimension that its units have. Pure.

Which keys are one node is decided as on the map that is not split (`store.service_graph.assemble`), so that the nodes
of a grouped map add up to that one's, and so do its edges. Only traces per minute do not: a minute of a trace with
units of several values counts in each of them.

A node without any values stays whole, as do clients. Beyond `MOST_VALUES` of a node the rarest values are counted
together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from store.graph import EdgeStats, ServiceGraph, ServiceStats, Statistics, merge_edge
from store.graph_names import Ends
from store.grouped_units import GroupedKey, GroupedUnit
from store.model import NodeKey, confirmed, is_settled
from store.rules.dimensions import OTHER_VALUES, values_in_excess
from store.rules.other_names import OTHER_NAMES
from store.service_graph import (
    UnitCounts,
    add_missing_endpoints,
    assemble,
    merge_service,
)
from store.units import NodeUnit

Edges = Mapping[Ends, EdgeStats]
Shown = Callable[[NodeKey], NodeKey]
"""The node of the map that has the units of a key."""


def graph_of_grouped(
    units: Iterable[tuple[bytes, GroupedUnit]], settled_before: int | None = None
) -> ServiceGraph:
    """The grouped service graph of units, each with the id of its trace. Its keys are `GroupedKey`s, but for nodes
    that stay whole."""
    counts, keys = UnitCounts(), _Keys()
    for trace_id, (unit, value, source_value) in units:
        if isinstance(unit, NodeUnit):
            counts.add_to_node(trace_id, unit, keys.of(unit.node, value))
        elif is_settled(unit.source, settled_before):
            source = confirmed(unit.source)
            part = source if source.is_client else keys.of(source, source_value)
            counts.add_to_edge(unit, part, keys.of(unit.target, value))
    services, calls, events = counts.counted()
    left_out: set[NodeKey] = set()
    graph = _whole(services, calls, events, settled_before, left_out)
    services = {key: stats for key, stats in services.items() if _node(key) not in left_out}
    calls = {pair: edge for pair, edge in calls.items() if _node(pair[1]) not in left_out}
    to = _places(graph, services, calls, events)
    nodes, edges, links = (
        _merged_nodes(services, to),
        _merged_edges(calls, to),
        _merged_edges(events, to),
    )
    add_missing_endpoints(nodes, [*edges.values(), *links.values()])
    for source, target in edges:
        nodes[target].root |= source.is_client
    for node, stats in nodes.items():
        of = graph.services[_node(node)]
        stats.joined, stats.names = of.keys, of.names
        stats.folded, stats.bare = of.folded, of.bare
    return ServiceGraph(nodes, edges, links)


class _Keys:
    """The key of each node and value, made once."""

    def __init__(self) -> None:
        self._made: dict[tuple[NodeKey, str], GroupedKey] = {}

    def of(self, node: NodeKey, value: str) -> GroupedKey:
        found = self._made.get((node, value))
        if found is None:
            found = self._made[node, value] = GroupedKey(node, value)
        return found


def _node(key: NodeKey) -> NodeKey:
    return key.node if isinstance(key, GroupedKey) else key


def _whole(
    services: Mapping[NodeKey, ServiceStats],
    edges: Edges,
    links: Edges,
    settled_before: int | None,
    left_out: set[NodeKey],
) -> ServiceGraph:
    """The graph that is not split, which says what is one node: with numbers of units alone."""
    nodes: dict[NodeKey, ServiceStats] = {}
    for key, stats in services.items():
        of = nodes.setdefault(_node(key), _counted(stats, _node(key)))
        of.names |= stats.names
        of.active |= stats.active
        of.start = min(of.start, stats.start)
        of.requests.statistics.observed += stats.requests.statistics.observed
        of.background.statistics.observed += stats.background.statistics.observed
    return assemble(nodes, _whole_edges(edges), _whole_edges(links), settled_before, left_out)


def _whole_edges(edges: Edges) -> dict[Ends, EdgeStats]:
    found: dict[Ends, EdgeStats] = {}
    for (source, target), edge in edges.items():
        ends = _node(source), _node(target)
        if ends not in found:
            times = edge.start, edge.end
            found[ends] = EdgeStats(*ends, frozenset(), *times, Statistics(), edge.link)
        found[ends].aliases |= edge.aliases
        found[ends].statistics.observed += edge.statistics.observed
    return found


def _counted(stats: ServiceStats, node: NodeKey) -> ServiceStats:
    """A node without units."""
    return ServiceStats(
        node, frozenset(), active=False, root=False, start=stats.start, end=stats.end
    )


def _places(
    graph: ServiceGraph,
    services: Mapping[NodeKey, ServiceStats],
    *edge_sets: Edges,
) -> Callable[[Ends], Ends]:
    """Where the ends of an edge are on the grouped map."""
    shown = _shown(graph)
    counts: dict[NodeKey, Counter[str]] = {}

    def count(key: NodeKey, times: int) -> None:
        if isinstance(key, GroupedKey):
            counts.setdefault(shown(key.node), Counter())[key.value] += times

    for key, stats in services.items():
        count(key, stats.requests.statistics.observed + stats.background.statistics.observed)
    for ends in (ends for edges in edge_sets for ends in edges):
        count(ends[0], 0)
        count(ends[1], 0)
    whole = {node for node, values in counts.items() if not any(values)}
    excess = {node: values_in_excess(values) for node, values in counts.items()}

    def place(key: NodeKey) -> NodeKey:
        if not isinstance(key, GroupedKey):
            return shown(key)
        node = shown(key.node)
        if node in whole:
            return node
        return GroupedKey(node, OTHER_VALUES if key.value in excess[node] else key.value)

    def ends_of(ends: Ends) -> Ends:
        source, target = map(place, ends)
        if source.is_client and target.name == OTHER_NAMES:  # a client goes with its root
            source = source._replace(name=OTHER_NAMES)
        return source, target

    return ends_of


def _shown(graph: ServiceGraph) -> Shown:
    known = {key: node for node, stats in graph.services.items() for key in stats.keys}

    def shown(key: NodeKey) -> NodeKey:
        if (node := known.get(key)) is not None:
            return node
        folded = key._replace(name=OTHER_NAMES)
        return folded if folded in graph.services else key

    return shown


def _merged_nodes(
    services: Mapping[NodeKey, ServiceStats], to: Callable[[Ends], Ends]
) -> dict[NodeKey, ServiceStats]:
    nodes: dict[NodeKey, ServiceStats] = {}
    for key, stats in services.items():
        _, node = to((key, key))
        known = nodes.get(node)
        if known is None:
            nodes[node] = known = stats
            stats.key = node
        else:
            merge_service(known, stats)
    return nodes


def _merged_edges(edges: Edges, to: Callable[[Ends], Ends]) -> dict[Ends, EdgeStats]:
    merged: dict[Ends, EdgeStats] = {}
    for ends, edge in edges.items():
        edge.source, edge.target = to(ends)
        if edge.target.name == OTHER_NAMES:
            edge.aliases = frozenset()
        known = merged.setdefault((edge.source, edge.target), edge)
        if known is not edge:
            merge_edge(known, edge)
    return merged
