"""Nothing crosses between tenants: in no table, and in no answer of a route.

Every role of the one requests from every route what the other has as well (`shared`), and the answer must
not have the other's mark.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from tests.raymap.auth.test_role_matrix import Row, rows
from tests.raymap.tenants.senders import TRACES
from tests.raymap.tenants.shared import ARN, MARKS, ROLES, Shared, text_of
from tests.tiers import NIGHTLY

pytestmark = [pytest.mark.server, pytest.mark.timeout(400)]


def test_nothing_is_in_the_tables_of_another(filled: Shared) -> None:
    found = {name: text_of(filled.store(name)) for name in MARKS}
    for name, text in found.items():
        present = {mark for mark in MARKS.values() if mark in text}
        assert present == {MARKS[name]}, name
        for receiver in TRACES:
            assert f"'{receiver}'" in text, (name, receiver)


PATHS = {
    "{service:path}": "xray",
    "{name:path}": "shared",
    "{name}": "shared",
    "{key:path}": "mark",
    "{stack:path}": "shared",
    "{path:path}": "nothing-here",
}


def requests(shared: Shared, row: Row) -> Iterator[tuple[str, bytes | None]]:
    """What to ask of a route: by what all tenants have under one name, and by what only one has."""
    window = shared.window
    query = {**window, "limit": 100}
    start, end = window["from"], window["to"]
    own: dict[str, dict[str, Any]] = {
        "/api/services": {"q": "x"},
        "/api/map/focus": {"node": node_of(shared, "xray"), "hops": 3},
        "/api/map/box": {"node": node_of(shared, "xray")},
        "/api/filter/check": {"filter": "fault"},
        "/api/filter/completions": {"field": "annotation.mark", "prefix": ""},
        "/api/v1/logs": {"function": "checkout"},
        "/api/v1/operations": {"service": "otlp"},
        "/api/v1/verdict": {"service": "xray", "candidate": "1"},
        "/jaeger/api/traces": {"service": "xray", "start": int(start * 1e6), "end": int(end * 1e6)},
        "/jaeger/api/operations": {"service": "xray"},
        "/jaeger/api/dependencies": {"endTs": int(end * 1e3), "lookback": 600_000},
        "/api/v1/audit": {},
    }
    bodies: dict[str, Any] = {
        "/TraceSummaries": {"StartTime": start, "EndTime": end},
        "/ServiceGraph": {"StartTime": start, "EndTime": end},
        "/TimeSeriesServiceStatistics": {"StartTime": start, "EndTime": end},
        "/GetGroup": {"GroupName": "shared"},
        "/ListTagsForResource": {"ResourceARN": ARN},
        "/InsightSummaries": {"StartTime": start, "EndTime": end, "GroupName": "shared"},
        "/api/v1/verdict": {},
        "/api/map/arrange": {"nodes": [], "edges": []},
    }
    path = row.path
    for place, value in PATHS.items():
        path = path.replace(place, value)
    if "nodes/{id}" in path:
        path = path.replace("{id}", node_of(shared, "xray"))
    if "/edges/{source}" in path:
        path = path.replace("{source}", node_of(shared, "xray")).replace("{target}", "n")
    ids = [shared.senders[""].trace(name) for name in ("xray", "otlp", "zipkin")]
    paths = [path.replace("{id}", id) for id in ids] if "{id}" in path else [path]
    if row.method == "POST":
        body = bodies.get(row.path, {})
        for chosen in ids if row.path in ("/Traces", "/TraceGraph") else [""]:
            yield row.path, json.dumps({**body, "TraceIds": [chosen]} if chosen else body).encode()
        return
    for each in paths:
        wanted = own.get(row.path, {})
        yield f"{each}?{urllib.parse.urlencode(query | wanted)}", None
        yield f"{each}?{urllib.parse.urlencode(window | wanted)}", None
        yield f"{each}?{urllib.parse.urlencode(wanted)}", None


NODES: dict[str, str] = {}


def node_of(shared: Shared, name: str) -> str:
    """The id of a node, which depends on its name alone and is the same in every tenant."""
    if not NODES:
        query = urllib.parse.urlencode(shared.window)
        answer = shared.ask("acme", "viewer", "GET", f"/api/map?{query}")
        NODES.update({node["name"]: node["id"] for node in json.loads(answer.text)["nodes"]})
    return NODES[name]


ASKING = tuple(MARKS) if NIGHTLY else ("acme", "")
"""Tenants of which every role asks in every way: one with a name and the one without. Of a further one its administrator
asks once."""
READING = [row for row in rows() if row.method == "GET" and "assets" not in row.path]
READING += [
    row
    for row in rows()
    if row.method == "POST"
    and (
        "viewer" in row.roles
        and row.path not in ("/api/v1/shares", "/SamplingTargets", "/CancelTraceRetrieval")
    )
]


@pytest.mark.slow
def test_every_reading_route(filled: Shared) -> None:
    """By every role of every tenant; further questions to a route by the role that may most. That they
    are good ones shows in the answers: many have one's own mark."""
    crossed, marked, answered = [], set(), 0
    for row in READING:
        for number, (path, body) in enumerate(requests(filled, row)):
            for tenant, own in MARKS.items():
                others = [mark for mark in MARKS.values() if mark != own]
                if tenant not in ASKING and number:
                    continue
                for role in ROLES if tenant in ASKING and not number else ("admin",):
                    answer = filled.ask(tenant, role, row.method, path, body)
                    answered += answer.status == 200
                    if any(mark in answer.text for mark in others):
                        crossed.append((tenant, role, row.method, path, answer.text[:200]))
                    if own in answer.text:
                        marked.add((tenant, f"{row.method} {row.path}"))
    assert crossed == []
    assert answered > 500
    for tenant in ASKING:
        seen = {route for name, route in marked if name == tenant}
        assert seen >= SHOW_THE_MARK, (tenant, SHOW_THE_MARK - seen)


SHOW_THE_MARK = {
    "GET /api/traces",
    "GET /api/traces/{id}",
    "GET /api/traces/{id}/raw",
    "GET /api/traces/{id}/otlp",
    "GET /api/v1/traces",
    "GET /api/v1/traces/{id}",
    "GET /api/v1/alarms",
    "GET /api/v1/alarms/{name}",
    "GET /api/v1/annotations/{key:path}",
    "GET /api/v1/deployments",
    "GET /api/v1/logs",
    "GET /jaeger/api/traces",
    "GET /jaeger/api/traces/{id}",
    "POST /Traces",
    "POST /TraceSummaries",
    "POST /GetGroup",
    "POST /Groups",
    "POST /GetSamplingRules",
    "POST /ListTagsForResource",
    "POST /ListResourcePolicies",
}
"""Routes whose answers have what a tenant sent or configured."""
