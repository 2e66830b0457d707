"""Insights: the problems (`api.problems`) that have faults, for each group that has insights (`api.xray.insight_groups`).

Requests are checked as AWS checks them (docs/xray-format.md §9.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import networkx as nx

from api.context import Context
from api.errors import ApiError
from api.graph.build import build_graph, stats_of
from api.problems.reach import top_of
from api.problems.record import Happened, InsightGroup, Record, Requests, read
from api.request import JsonBody
from api.xray.groups import requested_group
from api.xray.paging import paged
from api.xray.service_graph_json import service_id, whole_seconds
from store.model import NodeKey, TimeRange
from store.times import MAX_INSTANT, MINUTE, SECOND

Json = dict[str, Any]

MAX_SUMMARIES, MAX_EVENTS = 100, 50
MAX_TOKEN = 2000
MOST_INSIGHTS = 5_000
"""The latest problems that are looked through."""
STATES = ("ACTIVE", "CLOSED")
LAST = 10**17
"""After any instant (microseconds): what is subtracted from it sorts the latest first."""
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.I)


class Insight(NamedTuple):
    """A problem as one of a group's insights."""

    record: Record
    group: InsightGroup

    @property
    def id(self) -> UUID:
        """The same in every process."""
        return uuid5(self.record.id, self.group.arn)


def get_insight_summaries(context: Context, body: JsonBody) -> Json:
    """GetInsightSummaries: those of a group that lasted at some time of a window, the latest to begin first."""
    group = requested_group(context, body, required=True)
    window = body.window()
    states = body.texts("States") if body.has("States") else []
    if len(states) > 1 or any(state not in STATES for state in states):
        raise ApiError(f"States may have one element of {', '.join(STATES)}, got {states}")
    active = states[0] == "ACTIVE" if states else None
    found = [each for each in _insights(context, window, active) if each.group.arn == group.arn]
    return paged(
        "InsightSummaries",
        sorted(found, key=_place),
        body,
        key=_place,
        size=_size(body, MAX_SUMMARIES),
        render=_summary,
    )


def get_insight(context: Context, body: JsonBody) -> Json:
    """GetInsight: one by its id."""
    return {"Insight": _insight(_known(context, body))}


def get_insight_events(context: Context, body: JsonBody) -> Json:
    """GetInsightEvents: what has happened to one, the latest first."""
    size = _size(body, MAX_EVENTS)
    events = list(enumerate(_known(context, body).record.events))[::-1]
    return paged(
        "InsightEvents",
        events,
        body,
        key=lambda each: f"{LAST - each[1].at:018} {LAST - each[0]:018}",
        size=size,
        render=lambda each: _event(each[1]),
    )


def get_insight_impact_graph(context: Context, body: JsonBody) -> Json:
    """GetInsightImpactGraph: what lies between the entries of an insight and its root cause, in a window."""
    window = body.window()
    insight = _known(context, body)
    whole = TimeRange(window.start // MINUTE * MINUTE, -(-window.end // MINUTE) * MINUTE)
    graph = build_graph(context.service_graph(whole))
    nodes = _between(graph, insight.record)
    reference = {node: at for at, node in enumerate(nodes)}
    services = [
        {
            "ReferenceId": at,
            "Type": node.type,
            **service_id(node, stats_of(graph, node).shown, stats_of(graph, node).names),
            "Edges": [
                {"ReferenceId": reference[each]}
                for each in graph.successors(node)
                if each in reference
            ],
        }
        for node, at in reference.items()
    ]
    counted = whole_seconds(*whole)
    return {
        "InsightId": str(insight.id),
        **whole_seconds(*window),
        "ServiceGraphStartTime": counted["StartTime"],
        "ServiceGraphEndTime": counted["EndTime"],
        "Services": services,
    }


def _between(graph: nx.DiGraph, record: Record) -> list[NodeKey]:
    """The origin, the affected nodes of the map, and what leads from these to the origin."""
    origin = record.problem.origin
    affected = {each for each in record.problem.affected if each in graph}
    if origin in graph:
        above = nx.ancestors(graph, origin)
        below: set[NodeKey] = set().union(*(nx.descendants(graph, each) for each in affected))
        affected |= {origin} | (above & below)
    return [each for each in graph if each in affected and not each.is_client]


def _insights(context: Context, window: TimeRange, active: bool | None = None) -> Iterable[Insight]:
    for row in context.store.find_problems(window, active=active, limit=MOST_INSIGHTS):
        record = read(row)
        for group in record.groups:
            yield Insight(record, group)


def _known(context: Context, body: JsonBody) -> Insight:
    id = body.required_text("InsightId")
    if not _ID.fullmatch(id):
        raise ApiError(f"InsightId must be a UUID, got {id!r}")
    always = TimeRange(0, MAX_INSTANT * SECOND)
    for each in _insights(context, always):
        if each.id == UUID(id):
            return each
    raise ApiError(f"InsightId: there is no insight {id}")


def _place(insight: Insight) -> str:
    return f"{LAST - insight.record.since:018} {insight.id}"


def _size(body: JsonBody, most: int) -> int:
    body.text("NextToken", most=MAX_TOKEN)
    return body.whole("MaxResults", least=1, most=most) if body.has("MaxResults") else most


def _insight(insight: Insight) -> Json:
    record, group = insight
    rendered: Json = {
        "InsightId": str(insight.id),
        "GroupARN": group.arn,
        "GroupName": group.name,
        "RootCauseServiceId": _service(record.problem.origin),
        "Categories": ["FAULT"],
        "State": "ACTIVE" if record.active else "CLOSED",
        "StartTime": record.since / SECOND,
        "Summary": _words(record),
        **_impact(record.clients, record.root, top_of(record.problem)),
    }
    if record.ended:
        rendered["EndTime"] = record.ended / SECOND
    return rendered


def _summary(insight: Insight) -> Json:
    events = insight.record.events
    last = events[-1].at if events else insight.record.updated
    return {**_insight(insight), "LastUpdateTime": last / SECOND}


def _event(event: Happened) -> Json:
    return {
        "Summary": event.text,
        "EventTime": event.at / SECOND,
        **_impact(event.clients, event.root, event.top),
    }


def _words(record: Record) -> str:
    """Of a closed insight Grafana shows what is between the first two full stops: figures and hosts, which have some, come last."""
    if record.active:
        return f"{record.text}."
    minutes = record.problem.ended - record.problem.since
    clients = record.clients
    return f"Lasted {minutes} minutes. {clients.fault:,} of {clients.total:,} requests failed. {record.text}."


def _impact(clients: Requests, root: Requests, top: Iterable[NodeKey]) -> Json:
    return {
        "ClientRequestImpactStatistics": _requests(clients),
        "RootCauseServiceRequestImpactStatistics": _requests(root),
        "TopAnomalousServices": [{"ServiceId": _service(each)} for each in top],
    }


def _requests(each: Requests) -> Json:
    return {"FaultCount": each.fault, "OkCount": each.ok, "TotalCount": each.total}


def _service(node: NodeKey) -> Json:
    return service_id(node, node.name, frozenset())
