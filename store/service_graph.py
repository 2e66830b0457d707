"""Units → service graph: counts units by node and edge. Pure; `store.units` has the rules."""

from __future__ import annotations

from collections.abc import Iterable

from store.facts import FindTrace, LinkedIds, links_among
from store.graph import (
    EdgeStats,
    ServiceGraph,
    ServiceStats,
    Statistics,
    Work,
    add_failures,
    merge_edge,
    sum_of_work,
)
from store.graph_names import Ends, fold_names
from store.model import NodeKey, State, TimeRange, Trace, confirmed, is_settled, is_unconfirmed
from store.rules.brokers import sends_messages
from store.rules.classify import failure_key
from store.rules.histogram import bucket
from store.rules.joins import joined_nodes
from store.rules.namespaces import bare_names, unique_names
from store.rules.other_names import names_in_excess
from store.times import MINUTE
from store.units import EdgeUnit, NodeUnit, Unit, all_units, with_other_names
from store.young_nodes import leave_out_young


def build_service_graph(
    traces: Iterable[Trace],
    window: TimeRange | None = None,
    find: FindTrace | None = None,
    linked_ids: LinkedIds | None = None,
    *,
    weighted: bool = True,
    settled_before: int | None = None,
) -> ServiceGraph:
    """The service graph of traces: of units whose start lies in the window, or of all units.

    ``find`` looks up the traces that links lead to, ``linked_ids`` what links lead to in a trace; by
    default only the traces given are known. With ``weighted=False`` every unit counts once: a map of these traces, not of the sampled population.
    """
    traces = list(traces)
    if find is None:
        find = {trace.trace_id: trace for trace in traces}.get
    excess = names_in_excess(traces)
    find_links = linked_ids or links_among(traces)
    found = (
        (trace.trace_id, with_other_names(unit, excess))
        for trace in traces
        for unit in all_units(trace, find, find_links)
        if window is None or unit.start in window
    )
    if not weighted:
        found = ((trace_id, unit._replace(weight=1)) for trace_id, unit in found)
    return graph_of_units(found, settled_before)


def graph_of_units(
    units: Iterable[tuple[bytes, Unit]], settled_before: int | None = None
) -> ServiceGraph:
    """The service graph of units, each with the id of its trace."""
    counts = UnitCounts()
    for trace_id, unit in units:
        counts.add(trace_id, unit)
    return assemble(*counts.counted(), settled_before)


Edges = dict[Ends, EdgeStats]


class UnitCounts:
    """Units counted by their nodes, edges and links."""

    def __init__(self) -> None:
        self._services: dict[NodeKey, ServiceStats] = {}
        self._edges: Edges = {}
        self._links: Edges = {}
        self._lightest: dict[tuple[NodeKey, bool], dict[tuple[int, bytes], int]] = {}

    def add(self, trace_id: bytes, unit: Unit) -> None:
        """Count a unit of a trace."""
        if isinstance(unit, NodeUnit):
            self.add_to_node(trace_id, unit, unit.node)
        else:
            self.add_to_edge(unit, unit.source, unit.target)

    def add_to_node(self, trace_id: bytes, unit: NodeUnit, node: NodeKey) -> None:
        """Count a unit of a trace as one of a node."""
        _count_node(self._services, unit, node)
        pair = (unit.start // MINUTE, trace_id)
        lightest = self._lightest.setdefault((node, unit.background), {})
        lightest[pair] = min(unit.weight, lightest.get(pair, unit.weight))

    def add_to_edge(self, unit: EdgeUnit, source: NodeKey, target: NodeKey) -> None:
        """Count a call or a link as one of an edge."""
        _count_edge(self._links if unit.link else self._edges, unit, (source, target))

    def counted(self) -> tuple[dict[NodeKey, ServiceStats], Edges, Edges]:
        """Nodes, edges of calls and edges of links."""
        for (key, background), lightest in self._lightest.items():
            work = _work_of(self._services[key], background=background)
            work.trace_minutes = sum(lightest.values())
        return self._services, self._edges, self._links


def assemble(
    services: dict[NodeKey, ServiceStats],
    edges: dict[Ends, EdgeStats],
    links: dict[Ends, EdgeStats],
    settled_before: int | None = None,
    left_out: set[NodeKey] | None = None,
) -> ServiceGraph:
    """The service graph of counted nodes and edges, which it modifies. ``left_out`` gets the keys of the nodes that are
    not drawn (`leave_out_young`)."""
    resolve_clients(services, edges, settled_before)
    join_nodes(services, edges, links)
    young = leave_out_young(services, edges, links, settled_before)
    if left_out is not None:
        left_out |= young
    fold_names(services, edges, links)
    add_missing_endpoints(services, [*edges.values(), *links.values()])
    name_services(services)
    return ServiceGraph(services, edges, links)


def resolve_clients(
    services: dict[NodeKey, ServiceStats],
    edges: dict[tuple[NodeKey, NodeKey], EdgeStats],
    settled_before: int | None,
) -> None:
    """Merge edges from unconfirmed clients and callers into those from confirmed ones, or drop them; mark roots.

    The roots behind one unconfirmed node arrived in the same slot, so all of them are settled or none
    (`store.model.is_settled`).
    """
    for source, target in [pair for pair in edges if is_unconfirmed(pair[0])]:
        edge = edges.pop((source, target))
        if is_settled(source, settled_before):
            edge.source = confirmed(source)
            edge.awaiting = edge.statistics.total + edge.statistics.in_progress
            known = edges.setdefault((edge.source, target), edge)
            if known is not edge:
                merge_edge(known, edge)
    for source, target in edges:
        if source.is_client and target in services:
            services[target].root = True


def join_nodes(
    services: dict[NodeKey, ServiceStats],
    edges: dict[Ends, EdgeStats],
    links: dict[Ends, EdgeStats],
) -> None:
    """Merge inferred nodes into those they join (`store.rules.joins`), with their edges; so join brokers that
    consumers alone name, which have no units."""
    nodes = {key: stats.active for key, stats in services.items()}
    linked = {end for pair in links for end in pair if sends_messages(end)}
    found = joined_nodes({**dict.fromkeys(linked, False), **nodes})
    joined = {key: into for key, into in found.items() if into in services}
    for key, into in joined.items():
        if key in services:
            merge_service(services[into], services.pop(key))
        else:
            services[into].joined |= {key}
    for found_edges in (edges, links) if joined else ():
        for pair in [pair for pair in found_edges if pair[0] in joined or pair[1] in joined]:
            edge = found_edges.pop(pair)
            edge.source, edge.target = (joined.get(end, end) for end in pair)
            known = found_edges.setdefault((edge.source, edge.target), edge)
            if known is not edge:
                merge_edge(known, edge)


def merge_service(into: ServiceStats, more: ServiceStats) -> None:
    """Add the units of one node to another's, or other units of its own; a minute of a trace in both counts twice."""
    into.joined |= more.keys - {into.key}
    into.names |= more.names
    into.start, into.end = min(into.start, more.start), max(into.end, more.end)
    into.requests = sum_of_work(into.requests, more.requests)
    into.background = sum_of_work(into.background, more.background)


def _work_of(stats: ServiceStats, *, background: bool) -> Work:
    return stats.background if background else stats.requests


def add_missing_endpoints(
    services: dict[NodeKey, ServiceStats], edges: Iterable[EdgeStats]
) -> None:
    """Add a node without units for every end of an edge that has none: clients, and services all of
    whose units lie outside the window."""
    counted = {
        key
        for key, stats in services.items()
        if stats.requests.trace_minutes or stats.trace_minutes
    }
    for edge in edges:
        source, target = edge.source, edge.target
        if source in counted and target in counted:
            continue  # most are
        for key in (source, target):
            if key in counted:
                continue
            known = services.get(key)
            if known is None:
                services[key] = ServiceStats(
                    key,
                    names=frozenset((key.name,)),
                    active=False,
                    root=False,
                    start=edge.start,
                    end=edge.end,
                )
            else:
                known.start = min(known.start, edge.start)
                known.end = max(known.end, edge.end)


def name_services(services: dict[NodeKey, ServiceStats]) -> None:
    """Name what has a namespace without it, too, and show it so where that is unique."""
    bare = bare_names({key: stats.names for key, stats in services.items()})
    for key, name in bare.items():
        services[key].names |= {name}
    for key, name in unique_names(bare, services).items():
        services[key].bare = name


def _count_node(services: dict[NodeKey, ServiceStats], unit: NodeUnit, node: NodeKey) -> None:
    stats = services.get(node)
    if stats is None:
        stats = services[node] = ServiceStats(
            node,
            names=unit.names,
            active=unit.active,
            root=False,
            start=unit.start,
            end=unit.end,
        )
    stats.names |= unit.names
    stats.active |= unit.active
    stats.start = min(stats.start, unit.start)
    stats.end = max(stats.end, unit.end)
    work = _work_of(stats, background=unit.background)
    _count_unit(work, unit)
    if unit.state:
        value = bucket(unit.last_end - unit.start)
        work.durations[value] = work.durations.get(value, 0) + unit.weight


def _count_edge(edges: dict[Ends, EdgeStats], unit: EdgeUnit, key: Ends) -> None:
    stats = edges.get(key)
    if stats is None:
        stats = edges[key] = EdgeStats(
            *key,
            aliases=frozenset(),
            start=unit.start,
            end=unit.end,
            statistics=Statistics(histogram={}),
            link=unit.link,
        )
    if unit.alias:
        stats.aliases |= {unit.alias}
    stats.start = min(stats.start, unit.start)
    stats.end = max(stats.end, unit.end)
    _count_unit(stats, unit)


def _count_unit(stats: Work | EdgeStats, unit: Unit) -> None:
    count(stats.statistics, unit.state, unit.end - unit.start, unit.weight)
    add_failures(stats.failures, failures_of(unit))


def failures_of(unit: Unit) -> dict[str, int]:
    """A unit among the failures of its node or edge."""
    key = failure_key(unit.state, unit.label)
    return {key: unit.weight} if key else {}


def count(statistics: Statistics, state: State, time: int, weight: int) -> None:
    """Count one unit ``weight`` times; ``time`` in microseconds. A unit in progress adds to
    `Statistics.in_progress` only (docs/xray-format.md §5.6)."""
    statistics.observed += 1
    match state:
        case State.IN_PROGRESS:
            statistics.in_progress += weight
        case State.OK:
            statistics.ok += weight
        case State.ERROR:
            statistics.error += weight
        case State.THROTTLE:
            statistics.throttle += weight
        case State.FAULT:
            statistics.fault += weight
    if not state.ended:
        return
    statistics.total_time += weight * time
    value = bucket(time)
    statistics.histogram[value] = statistics.histogram.get(value, 0) + weight
