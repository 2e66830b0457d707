"""Maps of any size, as `/api/map` answers them, for tests of what the console draws."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from playwright.sync_api import Page, Route
from pydantic import TypeAdapter

from api.schemas.map import ServiceMap

SHAPE = TypeAdapter(ServiceMap)
COLUMN, ROW = 200, 128
COUNTS = {
    "requests": 100,
    "ok": 100,
    "error": 0,
    "throttle": 0,
    "fault": 0,
    "unknown": 0,
    "in_progress": 0,
}
TIMES = {"avg_ms": 42.0, "p50_ms": 40.0, "p95_ms": 90.0, "p99_ms": 120.0}


def map_node(id: str, *, x: float = 0, y: float = 0, fault: int = 0, **over: Any) -> dict[str, Any]:
    """A service with a hundred requests, some of them faults."""
    return {
        "id": id,
        "name": id,
        "names": [id],
        "type": "AWS::ECS::Container",
        "kind": "service",
        "account": "",
        "region": "",
        "value": None,
        "location": "",
        "state": "active",
        "root": False,
        "observed": 100,
        "traces_per_min": 7.0,
        "work": "requests",
        "background": None,
        **COUNTS,
        "ok": 100 - fault,
        "fault": fault,
        **TIMES,
        "x": x,
        "y": y,
        "rank": 0,
        "drawn_with": None,
        "box": None,
        **over,
    }


def map_client(id: str, **over: Any) -> dict[str, Any]:
    """Callers outside, which measure nothing."""
    nothing = dict.fromkeys((*COUNTS, *TIMES, "observed", "traces_per_min"))
    kind = {"type": "client", "kind": "client", "state": "unknown", "root": True}
    return {**map_node(id), **kind, **nothing, **over}


def map_edge(source: Mapping[str, Any], target: Mapping[str, Any], **over: Any) -> dict[str, Any]:
    """Calls between two nodes, failing as the target does."""
    ends = {"source": source["id"], "target": target["id"]}
    counts = {key: target[key] for key in COUNTS}
    rest = {"requests_per_min": 7.0, "kind": "call", "back": False, "bends": [], "observed": 100}
    return {"id": f"{source['id']}:{target['id']}", **ends, **counts, **TIMES, **rest, **over}


def service_map(
    nodes: Iterable[dict[str, Any]], edges: Iterable[dict[str, Any]] = (), **over: Any
) -> dict[str, Any]:
    """An answer of `/api/map`."""
    found = list(nodes)
    return {
        "from": 0,
        "to": 900,
        "generated_at": 900,
        "data_until": 900,
        "incomplete": None,
        "has_traces": True,
        "total_nodes": len(found),
        "left_out": 0,
        "group_by": None,
        "filtered": None,
        "open_ends": [],
        "boxes": None,
        "placed_later": 0,
        "problems": [],
        "nodes": found,
        "edges": list(edges),
        "state_counts": {
            state: sum((node[state] or 0) > 0 for node in found)
            for state in ("fault", "throttle", "error", "ok", "unknown")
        },
        **over,
    }


def grid_map(count: int, failing: int = 0) -> dict[str, Any]:
    """Services in a grid of about 16:9, each calling one a column or more to the right, and as many
    edges as services; ``failing`` of them, spread evenly, with half their requests faults."""
    columns = max(2, round(math.sqrt(count * 16 / 9 * ROW / COLUMN)))
    every = count // failing if failing else count + 1
    nodes = [
        map_node(
            f"service-{at:04d}",
            x=at % columns * COLUMN,
            y=at // columns * ROW,
            fault=50 if failing and at % every == every // 2 else 0,
        )
        for at in range(count)
    ]
    edges = [
        map_edge(node, nodes[(at * 7 + 3) % count if at % columns == columns - 1 else at + 1])
        for at, node in enumerate(nodes[:-1])
    ]
    return service_map(nodes, edges)


def serve_map(page: Page, answer: Callable[[], dict[str, Any]]) -> None:
    """Answer every request for the map with what ``answer`` gives then, which has the shape of an answer."""

    def fulfil(route: Route) -> None:
        found = answer()
        SHAPE.validate_python(found)
        route.fulfill(content_type="application/json", body=json.dumps(found))

    page.route("**/api/map?*", fulfil)


def serve_comparison(page: Page, changes: list[dict[str, Any]], **over: Any) -> None:
    """Answer every comparison of the map with these differences."""
    span = {"side": None, "from": 0.0, "to": 600.0, "data_until": 600.0, "incomplete": None}
    period = {**span, "minutes": 10, "counted": 10}
    nothing: dict[str, Any] = {
        "deployment": None,
        "problem": None,
        "notes": [],
        "nodes": [],
        "edges": [],
        "boxes": {},
        "box_figures": [],
        "lines": [],
    }
    summary = f"{len(changes)} failing more"
    found = {"now": period, "then": period, "days": 7, "summary": summary, "left_out": 0}
    body = {**nothing, **found, "by": None, "values": [], "changes": changes, **over}
    page.route("**/api/v1/compare?*", lambda route: route.fulfill(json=body))
