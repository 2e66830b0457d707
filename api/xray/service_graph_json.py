"""Graph → the Services of GetServiceGraph and GetTraceGraph (docs/xray-format.md §5)."""

from __future__ import annotations

from typing import Any

from api.graph.build import Graph, calls_of, stats_of
from api.xray.histogram import entries
from store.graph import EdgeStats, ServiceStats, Statistics
from store.model import NodeKey
from store.times import SECOND

Json = dict[str, Any]


def whole_seconds(start: int, end: int) -> Json:
    """StartTime and EndTime around both instants, whole seconds as X-Ray writes them."""
    return {"StartTime": float(start // SECOND), "EndTime": float(-(-end // SECOND))}


def service_id(node: NodeKey, shown: str, names: frozenset[str]) -> Json:
    """Name, Names, AccountId, Type: as far as they are known, what the node is called first."""
    identity: Json = {"Name": shown, "Names": [shown, *sorted(names - {shown})]}
    if node.account:
        identity["AccountId"] = node.account
    if node.type:
        identity["Type"] = node.type
    return identity


def render_services(graph: Graph) -> list[Json]:
    """Every node with its outgoing edges; an edge names its target by place in this list."""
    reference = {node: at for at, node in enumerate(graph)}
    return [_service(graph, node, reference) for node in graph]


def _service(graph: Graph, node: NodeKey, reference: dict[NodeKey, int]) -> Json:
    stats = stats_of(graph, node)
    service: Json = {"ReferenceId": reference[node], **service_id(node, stats.shown, stats.names)}
    if stats.root:
        service["Root"] = True
    service["State"] = "active" if stats.active else "unknown"
    service |= whole_seconds(stats.start, stats.end)
    service["Edges"] = [
        _edge(calls_of(graph, node, target), reference[target]) for target in graph.successors(node)
    ]
    if not node.is_client:
        service |= _service_figures(stats)
    return service


def _service_figures(stats: ServiceStats) -> Json:
    return {
        "SummaryStatistics": statistics(stats.statistics),
        "DurationHistogram": entries(stats.durations),
        "ResponseTimeHistogram": entries(stats.statistics.histogram),
    }


def _edge(stats: EdgeStats, reference: int) -> Json:
    times = entries(stats.statistics.histogram)
    return {
        "ReferenceId": reference,
        **whole_seconds(stats.start, stats.end),
        "SummaryStatistics": statistics(stats.statistics),
        **(
            {"EdgeType": "link", "ReceivedEventAgeHistogram": times}
            if stats.link
            else {"ResponseTimeHistogram": times}
        ),
        "Aliases": [{"Name": alias, "Names": [alias]} for alias in sorted(stats.aliases)],
    }


def statistics(counts: Statistics) -> Json:
    """ServiceStatistics and EdgeStatistics: each finished unit in exactly one class (§5.6).

    Adjusted for sampling; X-Ray has no word for how many of them were seen.
    """
    return {
        "OkCount": counts.ok,
        "ErrorStatistics": {
            "ThrottleCount": counts.throttle,
            "OtherCount": counts.error,
            "TotalCount": counts.throttle + counts.error,
        },
        "FaultStatistics": {"OtherCount": counts.fault, "TotalCount": counts.fault},
        "TotalCount": counts.total,
        "TotalResponseTime": round(counts.total_time / SECOND, 3),
    }
