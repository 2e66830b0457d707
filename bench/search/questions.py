"""The requests of `bench.search.reads`: every list, search and group-by, in the words of each interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from store.model import TimeRange
from store.times import SECOND


class Request(NamedTuple):
    """A request; ``body``: of a POST."""

    path: str
    params: Mapping[str, Any] = {}
    body: Mapping[str, Any] | None = None


Read = Callable[[TimeRange], Request]


def xray(filter: str) -> Read:
    """A page of summaries."""

    def request(window: TimeRange) -> Request:
        return Request("/TraceSummaries", {}, summaries_body(window, filter))

    return request


def summaries_body(window: TimeRange, filter: str) -> dict[str, Any]:
    """The request of GetTraceSummaries."""
    start, end = window
    return {"StartTime": start / SECOND, "EndTime": end / SECOND, "FilterExpression": filter}


def v1(path: str, **params: Any) -> Read:
    """A request to /api/v1."""

    def request(window: TimeRange) -> Request:
        times = {"from": window.start / SECOND, "to": window.end / SECOND}
        return Request(f"/api/v1/{path}", {**times, **params})

    return request


def jaeger(**params: Any) -> Read:
    """Jaeger's search."""

    def request(window: TimeRange) -> Request:
        return Request("/jaeger/api/traces", {"start": window.start, "end": window.end, **params})

    return request


def jaeger_summaries(service: str) -> Read:
    """The search of Jaeger's newer interface."""

    def request(window: TimeRange) -> Request:
        start, end = (datetime.fromtimestamp(each / SECOND, UTC).isoformat() for each in window)
        times = {"query.startTimeMin": start, "query.startTimeMax": end}
        return Request("/jaeger/api/v3/trace-summaries", {**times, "query.serviceName": service})

    return request


def zipkin(path: str, **params: Any) -> Read:
    """A request to Zipkin's interface."""

    def request(window: TimeRange) -> Request:
        times = {"endTs": window.end // 1000, "lookback": (window.end - window.start) // 1000}
        return Request(f"/zipkin/api/v2/{path}", {**times, **params})

    return request


def tempo(path: str, **params: Any) -> Read:
    """A request to Tempo's interface."""

    def request(window: TimeRange) -> Request:
        times = {"start": window.start // SECOND, "end": window.end // SECOND}
        return Request(f"/tempo/api/{path}", {**times, **params})

    return request


def signals(path: str, body: Mapping[str, Any] | None = None) -> Read:
    """One of Application Signals' operations."""

    def request(window: TimeRange) -> Request:
        times = {"StartTime": window.start // SECOND, "EndTime": window.end // SECOND}
        return Request(path, times, body)

    return request


FAULT = 'service("svc-07") { fault }'
EDGE = 'edge("svc-07", "svc-18") { error OR fault }'
TIER = 'annotation.customer_tier = "gold"'
READS: dict[str, Read] = {
    "nothing": lambda window: Request("/tempo/api/echo"),
    "v1 traces": v1("traces"),
    "v1 traces, service": v1("traces", filter='service("svc-07")'),
    "v1 traces, its faults": v1("traces", filter=FAULT),
    "v1 traces, edge": v1("traces", filter=EDGE),
    "v1 traces, annotation": v1("traces", filter="annotation.order_id = 4242"),
    "v1 traces, common annotation": v1("traces", filter=TIER),
    "v1 traces, duration": v1("traces", filter="duration > 0.4"),
    "v1 traces, URL": v1("traces", filter='http.url CONTAINS "/order/4242"'),
    "v1 traces, operation": v1("traces", filter='operation = "GET /svc-07"'),
    "v1 services": v1("services", limit=100),
    "v1 edges": v1("edges", limit=100),
    "v1 operations": v1("operations", service="svc-07"),
    "v1 annotations": v1("annotations"),
    "v1 stats, service": v1("stats", by="service", of="requests"),
    "v1 stats, operation": v1("stats", by="operation"),
    "v1 stats, annotation": v1("stats", by="annotation.customer_tier"),
    "v1 stats, two": v1("stats", by="annotation.customer_tier,state", metrics="count,p95"),
    "v1 stats, filtered": v1("stats", by="operation", filter=FAULT),
    "v1 stats, steps": v1("stats", by="state", step="30m"),
    "xray summaries": xray(""),
    "xray service": xray('service("svc-07")'),
    "xray its faults": xray(FAULT),
    "xray edge": xray(EDGE),
    "xray common annotation": xray(TIER),
    "xray URL": xray('http.url CONTAINS "/order/"'),
    "xray root cause": xray('rootcause.fault.exception { name = "KeyError" }'),
    "xray no root cause": xray('rootcause.fault.exception { name = "nothing" }'),
    "jaeger services": lambda window: Request("/jaeger/api/services"),
    "jaeger operations": lambda window: Request("/jaeger/api/operations", {"service": "svc-07"}),
    "jaeger service": jaeger(service="svc-07", limit=20),
    "jaeger operation": jaeger(service="svc-07", operation="GET /svc-07", limit=20),
    "jaeger errors": jaeger(service="svc-07", tags='{"error": "true"}', limit=20),
    "jaeger tag": jaeger(service="svc-03", tags='{"customer_tier": "gold"}', limit=20),
    "jaeger tag, none": jaeger(service="svc-03", tags='{"order_id": "nothing"}', limit=20),
    "jaeger duration": jaeger(service="svc-03", minDuration="400ms", limit=20),
    "jaeger v3 summaries": jaeger_summaries("svc-07"),
    "jaeger dependencies": lambda window: Request(
        "/jaeger/api/dependencies", {"endTs": window.end // 1000, "lookback": 6 * 3_600_000}
    ),
    "zipkin services": zipkin("services"),
    "zipkin service": zipkin("traces", serviceName="svc-07"),
    "zipkin errors": zipkin("traces", serviceName="svc-07", annotationQuery="error"),
    "zipkin duration": zipkin("traces", serviceName="svc-03", minDuration=400_000),
    "zipkin dependencies": zipkin("dependencies"),
    "tempo service": tempo("search", q='{ resource.service.name = "svc-07" }'),
    "tempo errors": tempo("search", q='{ resource.service.name = "svc-07" && status = error }'),
    "tempo duration": tempo("search", q='{ resource.service.name = "svc-03" && duration > 400ms }'),
    "tempo tags": tempo("v2/search/tags"),
    "tempo tag values": tempo("v2/search/tag/.customer_tier/values"),
    "signals services": signals("/services"),
}  # fmt: skip
SAME = {
    "service": (jaeger(service="svc-07"), 'service("svc-07")'),
    "operation": (
        jaeger(service="svc-07", operation="GET /svc-07"),
        'service("svc-07") { operation = "GET /svc-07" }',
    ),
    "errors": (
        jaeger(service="svc-07", tags='{"error": "true"}'),
        'service("svc-07") { error OR fault } OR edge("svc-07", "") { error OR fault }',
    ),
    "annotation": (
        jaeger(service="svc-03", tags='{"customer_tier": "gold"}'),
        f'service("svc-03") AND {TIER}',
    ),
    "status": (
        jaeger(service="svc-03", tags='{"http.status_code": "404"}'),
        'service("svc-03") { http.status = 404 } OR edge("svc-03", "") { http.status = 404 }',
    ),
    "duration": (
        jaeger(service="svc-03", minDuration="400ms"),
        'service("svc-03") { duration >= 0.4 } OR edge("svc-03", "") { responsetime >= 0.4 }',
    ),
}
"""Jaeger's searches, and X-Ray's filters that mean the same."""
