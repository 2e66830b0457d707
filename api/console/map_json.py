"""Graph → JSON of the console's map: statistics, positions, kinds (docs/console-api.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from api.console.node_kinds import kind_of
from api.graph.build import Graph, calls_of, edge_id, node_id, stats_of, value_in
from api.graph.fold import UNFOLDED, Fold
from api.graph.layout import Layout, Place, layout
from api.graph.ratios import milliseconds, per_minute
from api.schemas.common import Counts, NodeCounts, Times
from api.schemas.details import Before
from api.schemas.map import BackgroundWork, EdgeNumbers, MapEdge, MapNode, NodeNumbers, Picture
from store.graph import EdgeStats, ServiceStats, Statistics, Work
from store.model import NodeKey, TimeRange
from store.rules.histogram import percentiles

NOWHERE = Place(0.0, 0.0, 0)


def render_picture(
    graph: Graph,
    window: TimeRange,
    where: Layout[NodeKey] | None = None,
    folded: Fold = UNFOLDED,
) -> Picture:
    """The graph with its layout, by default one of its own; rates are means over the window."""
    if where is None:
        where = layout(graph)
    located = locations(graph)
    return {
        "nodes": [
            render_node(
                graph, node, window, where.places[node], located[node], folded.into.get(node)
            )
            for node in graph
        ],
        "edges": [
            render_edge(
                calls_of(graph, *ends),
                window,
                back=ends in where.back,
                bends=where.bends.get(ends, ()),
            )
            for ends in graph.edges
        ],
    }


def locations(
    graph: Collection[NodeKey], wanted: Iterable[NodeKey] | None = None
) -> dict[NodeKey, str]:
    """Account and region of every node as a label shows them, or of those wanted: each only if the graph has several."""
    accounts = len({node.account for node in graph if node.account}) > 1
    regions = len({node.region for node in graph if node.region}) > 1
    return {
        node: " · ".join(
            filter(None, ((accounts and node.account) or "", (regions and node.region) or ""))
        )
        for node in (graph if wanted is None else wanted)
    }


def render_node(
    graph: Graph,
    node: NodeKey,
    window: TimeRange,
    place: Place = NOWHERE,
    location: str = "",
    drawn_with: NodeKey | None = None,
) -> MapNode:
    """One node with its place."""
    return {
        **node_numbers(graph, node, window),
        "location": location,
        "x": place.x,
        "y": place.y,
        "rank": place.rank,
        "drawn_with": drawn_with and node_id(drawn_with),
        "box": None,
    }


def node_numbers(graph: Graph, node: NodeKey, window: TimeRange) -> NodeNumbers:
    """One node; a client has no statistics of its own, only its edge has."""
    stats = stats_of(graph, node)
    figures = stats.statistics
    return {
        "id": node_id(node),
        "name": stats.shown,
        "names": [stats.shown, *sorted(stats.names - {stats.shown})],
        "type": node.type,
        "kind": kind_of(node.type),
        "account": node.account,
        "region": node.region,
        "value": value_in(node),
        "state": "active" if stats.active else "unknown",
        "root": stats.root,
        **node_counts(stats),
        "in_progress": None if node.is_client else figures.in_progress,
        "observed": None if node.is_client else figures.observed,
        **times(figures),
        "traces_per_min": None if node.is_client else per_minute(stats.trace_minutes, window),
        "work": "background" if stats.is_background else "requests",
        "background": None if stats.background.is_empty else _work(stats.background, window),
    }


def _work(work: Work, window: TimeRange) -> BackgroundWork:
    figures = work.statistics
    return {
        **counts(figures),
        **times(figures),
        "in_progress": figures.in_progress,
        "observed": figures.observed,
        "traces_per_min": per_minute(work.trace_minutes, window),
    }


def render_edge(
    stats: EdgeStats,
    window: TimeRange,
    *,
    back: bool = False,
    bends: list[tuple[float, float]] | tuple[()] = (),
) -> MapEdge:
    """One edge with its line."""
    return {**edge_numbers(stats, window), "back": back, "bends": list(bends)}


def edge_numbers(stats: EdgeStats, window: TimeRange) -> EdgeNumbers:
    """One edge."""
    figures = stats.statistics
    return {
        "id": edge_id(stats.source, stats.target),
        "source": node_id(stats.source),
        "target": node_id(stats.target),
        **counts(figures),
        "in_progress": figures.in_progress,
        "observed": figures.observed,
        **times(figures),
        "requests_per_min": per_minute(figures.total + figures.in_progress, window),
        "kind": "link" if stats.link else "call",
    }


NO_COUNTS: Counts = {"requests": None, "ok": None, "error": None, "throttle": None, "fault": None}


def node_counts(stats: ServiceStats) -> NodeCounts:
    """Finished units of a node by how they ended, as far as that is known; of a client None."""
    if stats.key.is_client:
        return {**NO_COUNTS, "unknown": None}
    found = counts(stats.statistics)
    return {**found, "ok": stats.statistics.ok - stats.unknown, "unknown": stats.unknown}


def counts(statistics: Statistics) -> Counts:
    """Finished units by status."""
    return {
        "requests": statistics.total,
        "ok": statistics.ok,
        "error": statistics.error,
        "throttle": statistics.throttle,
        "fault": statistics.fault,
    }


def times(statistics: Statistics) -> Times:
    """Mean and percentiles, milliseconds."""
    found = percentiles(statistics.histogram, (0.5, 0.95, 0.99))
    p50, p95, p99 = (None if time is None else milliseconds(time) for time in found)
    return {
        "avg_ms": milliseconds(statistics.total_time / statistics.total)
        if statistics.total
        else None,
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
    }


def before(statistics: Statistics) -> Before | None:
    """Statistics of the preceding period; None when nothing finished in it."""
    return {**counts(statistics), **times(statistics)} if statistics.total else None
