"""Nodes and edges of the map, and lines of traces, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from raymap.contrib.mcp.answer import clean
from raymap.contrib.mcp.window import instant

Json = Mapping[str, Any]
CLIENT = "client"
"""Type of the nodes that stand for what calls from outside."""


def labels(nodes: Iterable[Json]) -> dict[str, str]:
    """By id, what tells a node from the others: its name, with the type or also the id if needed."""
    nodes = list(nodes)
    names = Counter(_part(node) for node in nodes if node["type"] != CLIENT)
    typed = Counter((*_part(node), node["type"]) for node in nodes)
    found = {}
    for node in nodes:
        name, value = _part(node)
        label = clean(name) if value is None else f"{clean(name)} · {clean(value) or 'no value'}"
        if node["type"] == CLIENT:  # it has the name of the service that it calls
            label = f"clients of {label}"
        elif names[_part(node)] > 1:
            label += f" ({clean(node['type'] or 'no type')})"
        if typed[*_part(node), node["type"]] > 1:
            label += f" {node['id']}"
        found[node["id"]] = label
    return found


def _part(node: Json) -> tuple[str, str | None]:
    """The name, and the value if the node is split."""
    return node["name"], node.get("value")  # servers of before have none


def node_line(node: Json, label: str) -> str:
    """A node with its counts, response times, and whether it reported anything itself."""
    kind = clean(node["type"] or node["kind"])
    marks = [] if node["state"] == "active" or kind == "client" else ["inferred from calls"]
    if node["root"]:
        marks.append("requests enter here")
    if node.get("work") == "background":
        marks.append("these are background work: it has no requests")
    elif apart := node.get("background"):  # servers of before have none
        units = f"background work apart: {apart['requests']:g} units"
        marks += filter(None, (units, times(apart)))
    parts = [f"node {label} [{kind}]", counts(node), times(node), *marks]
    return ", ".join(filter(None, parts))


def edge_line(edge: Json, names: Mapping[str, str]) -> str:
    """A call, or a link by which events arrived, with its counts and times."""
    arrow = "→" if edge["kind"] == "call" else "⇢ (events)"
    source, target = (names.get(edge[end], edge[end]) for end in ("source", "target"))
    return ", ".join(filter(None, (f"edge {source} {arrow} {target}", counts(edge), times(edge))))


def counts(figures: Json) -> str:
    """Requests, and those that did not succeed."""
    if figures["requests"] is None:
        return ""
    parts = [f"{figures['requests']:g} requests"]
    parts += [
        f"{figures[status]:g} {status}"
        for status in ("fault", "error", "throttle", "in_progress")
        if figures.get(status)
    ]
    if unknown := figures.get("unknown"):
        parts.append(f"{unknown:g} of unknown outcome")
    return ", ".join(parts)


def times(figures: Json) -> str:
    """Median and 95th percentile."""
    if figures["p50_ms"] is None:
        return ""
    return f"p50 {figures['p50_ms']:g} ms, p95 {figures['p95_ms']:g} ms"


def badness(figures: Json) -> tuple[float, ...]:
    """A key by which the least healthy comes first, then the busiest."""
    return tuple(-(figures[name] or 0) for name in ("fault", "throttle", "error", "requests"))


def trace_line(trace: Json) -> str:
    """A trace in a list."""
    entry = trace["entry"] or {"name": "?"}
    request = " ".join(clean(trace[name]) for name in ("method", "url") if trace[name])
    inner = [f"{n} {status}" for status, n in trace["inner"].items() if n]
    parts = [
        f"{trace['id']} {instant(trace['start'])}",
        status_of(trace),
        duration(trace["response_ms"]),
        f"{clean(entry['name'])} {request}".strip(),
        f"user {clean(trace['user'])}" if trace["user"] else "",
        f"inside: {', '.join(inner)}" if inner else "",
        f"through {clean(', '.join(trace['services']))}" if "services" in trace else "",
        "partial" if trace["partial"] else "",
    ]
    return ", ".join(filter(None, parts))


def row_line(row: Json) -> str:
    """A row of a trace's outline, indented by depth."""
    what = row["namespace"] or row["type"] or row["kind"]
    parts = [
        f"{clean(row['name'])} [{clean(what)}]",
        f"{row['start_ms']:+g} ms",
        duration(row["duration_ms"]),
        status_of(row) if row["status"] != "ok" or row["code"] else "",
        clean(row["exception"]) if row["exception"] else "",
    ]
    return f"{'  ' * min(row['depth'], 20)}{row['id']} {', '.join(filter(None, parts))}"


def status_of(thing: Json) -> str:
    """Status, and the HTTP code if there is one."""
    return f"{thing['status']} {thing['code']}" if thing["code"] else str(thing["status"])


def duration(milliseconds: float | None) -> str:
    """A duration; what has none is in progress."""
    return "in progress" if milliseconds is None else f"{milliseconds:g} ms"
