"""Reads what a verdict is made of, and writes it as JSON. The statistics are `store.verdict`'s."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from api.console.map_json import counts, times
from api.context import Context
from api.counted import freshness, incomplete_words
from api.graph.build import node_id
from api.schemas.v1 import EdgeChange, VerdictCheck, VerdictReply, VersionSide
from api.v1.graph import span
from store import verdict
from store.filters.ast import And, Bare, Compare, Expression, Field, Or, ServiceMatch
from store.graph import Statistics
from store.missing import whole
from store.model import NodeKey, TimeRange
from store.query import OTHER_VERSIONS, USUAL_WAIT, Backlog, TraceQuery, VersionStatistics
from store.telling_versions import telling_versions
from store.trace_id import format_trace_id
from store.verdict import Outcome, Side, Verdict, without_pass
from store.version_edges import Calls, calls_by_version

EDGE_TRACES = 1000
"""Newest traces of each version whose calls are compared: their cost is bounded, and what happens in a
hundredth of the requests is found among so many."""
CHUNK = 250
EXAMPLES = 5


class VerdictQuery(NamedTuple):
    """Which versions of which service are compared, and when; '' of a node's property is any."""

    window: TimeRange
    service: str
    type: str
    account: str
    region: str
    baseline: str
    candidate: str
    min_requests: int
    vanished_fails: bool
    environment: Expression | None = None
    """Only traces of one: `store.protocol.GraphReader.version_statistics`, ``within``."""


@whole()
def reach_verdict(context: Context, query: VerdictQuery) -> VerdictReply:
    """Compare the candidate with the baseline, by default the version with the most requests."""
    backlog = context.store.backlog(query.window, least=USUAL_WAIT)
    nodes = _nodes(context, query)
    baseline, found = _statistics(context, query, nodes)
    sides = [
        Side(version, found[version].statistics if version in found else Statistics(), {}, 0)
        for version in (baseline, query.candidate)
    ]
    if all(side.statistics.total >= query.min_requests for side in sides):
        sides = _with_calls(context, query, nodes, sides)
    reached = verdict.judge(
        *sides, min_requests=query.min_requests, vanished_fails=query.vanished_fails
    )
    if not nodes:
        reached = reached._replace(
            reasons=[f"no service {query.service} had traffic in this window", *reached.reasons]
        )
    if backlog:
        reached = without_pass(reached, incomplete_words(backlog))
    failed = _examples(context, query, nodes) if reached.outcome is Outcome.FAIL else []
    return _reply(query, nodes, sides, reached, failed, backlog)


def _nodes(context: Context, query: VerdictQuery) -> frozenset[NodeKey]:
    """The nodes that are meant: one service may have several, in other regions or of other types."""
    graph = context.store.service_graph(query.window)
    wanted = query.type, query.account, query.region
    return frozenset(
        key
        for stats in graph.services.values()
        if stats.active and query.service in stats.names
        for key in stats.keys
        if all(
            w in ("", own)
            for w, own in zip(wanted, (key.type, key.account, key.region), strict=True)
        )
    )


def _statistics(
    context: Context, query: VerdictQuery, nodes: Collection[NodeKey]
) -> tuple[str, dict[str, VersionStatistics]]:
    """The baseline's name, and what is known of both versions."""
    baseline = query.baseline
    if not baseline:
        all_versions = context.store.version_statistics(
            nodes, query.window, within=query.environment
        )
        others = {
            version: each.statistics.observed
            for version, each in all_versions.items()
            if version not in ("", OTHER_VERSIONS, query.candidate)
        }
        baseline = max(others, key=lambda version: (others[version], version), default="")
    wanted = {baseline, query.candidate} - {""}
    found = context.store.version_statistics(
        nodes, query.window, wanted, weighted=False, within=query.environment
    )
    return baseline, found


def _with_calls(
    context: Context, query: VerdictQuery, nodes: Collection[NodeKey], sides: list[Side]
) -> list[Side]:
    ids: set[bytes] = set()
    for side in sides:
        ids.update(_traces(context, query, _of_version(nodes, side.version), EDGE_TRACES))
    versions = [side.version for side in sides]
    ordered = sorted(ids)
    traces = (
        trace
        for first in range(0, len(ordered), CHUNK)
        for trace in context.store.get_traces(ordered[first : first + CHUNK]).values()
    )
    calls = calls_by_version(traces, nodes, versions)
    telling = (
        telling_versions(context.store, {node.name for node in nodes}, query.window)
        if any(each.unknown for each in calls.values())
        else frozenset()
    )
    return [
        side._replace(
            edges=calls[side.version].edges,
            traced=calls[side.version].requests,
            unknown=0 if side.version in telling else _unknown(side, calls[side.version]),
        )
        for side in sides
    ]


def _unknown(side: Side, calls: Calls) -> int:
    """Of all requests of a version, as of those whose traces were read."""
    return round(side.statistics.total * calls.unknown / calls.requests) if calls.requests else 0


def _of_version(nodes: Collection[NodeKey], version: str, *, failed: bool = False) -> Expression:
    """Traces with a request of the version, or one that failed."""
    of = Compare(Field("version"), "=", version)
    either = Or((Bare(Field("fault")), Bare(Field("throttle"))))
    condition: Expression = And((of, either)) if failed else of
    return Or(tuple(ServiceMatch(node, condition) for node in sorted(nodes)))


def _traces(context: Context, query: VerdictQuery, filter: Expression, most: int) -> list[bytes]:
    """Ids of the newest traces; fewer if finding them takes long."""
    if query.environment is not None:
        filter = And((query.environment, filter))
    page = context.store.find_traces(TraceQuery(query.window, filter=filter), limit=most)
    return [hit.trace_id for hit in page.found]


def _examples(context: Context, query: VerdictQuery, nodes: Collection[NodeKey]) -> list[str]:
    """Failed requests of the candidate; if there are none, any of its requests."""
    for failed in (True, False):
        filter = _of_version(nodes, query.candidate, failed=failed)
        if found := _traces(context, query, filter, EXAMPLES):
            return [format_trace_id(id) for id in found]
    return []


def _reply(
    query: VerdictQuery,
    nodes: Collection[NodeKey],
    sides: list[Side],
    reached: Verdict,
    failed: list[str],
    backlog: Backlog | None,
) -> VerdictReply:
    baseline, candidate = map(_side, sides)
    return {
        **span(query.window),
        **freshness(query.window, backlog),
        "verdict": reached.outcome.value,
        "service": query.service,
        "nodes": [node_id(node) for node in sorted(nodes)],
        "reasons": reached.reasons,
        "min_requests": query.min_requests,
        "baseline": baseline,
        "candidate": candidate,
        "checks": [_check(each) for each in reached.checks],
        "edges": [_edge(each) for each in reached.edges],
        "examples": failed,
    }


def _side(side: Side) -> VersionSide:
    return {
        "version": side.version,
        **counts(side.statistics),
        "in_progress": side.statistics.in_progress,
        **times(side.statistics),
        "traces_read": side.traced,
        "unknown_outcome": side.unknown,
    }


def _check(check: verdict.Check) -> VerdictCheck:
    in_time = check.name == "latency"
    factor, digits = (0.001, 3) if in_time else (1.0, 6)
    return {
        "name": check.name,
        "unit": "ms" if in_time else "share",
        "baseline": round(check.baseline * factor, digits),
        "candidate": round(check.candidate * factor, digits),
        "p": check.p,
        "fails": check.fails,
        "text": check.text,
    }


def _edge(change: verdict.EdgeChange) -> EdgeChange:
    return {
        "node": node_id(change.target),
        "name": change.target.name,
        "type": change.target.type,
        "kind": change.kind,
        "baseline": {"requests": change.baseline.requests, "failed": change.baseline.failed},
        "candidate": {"requests": change.candidate.requests, "failed": change.candidate.failed},
        "p": change.p,
    }
