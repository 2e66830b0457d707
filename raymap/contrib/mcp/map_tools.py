"""Tools that answer from the map: the map itself, one node, one edge."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import quote

from mcp.server.mcpserver.exceptions import ToolError

from raymap.contrib.mcp.answer import clean, table
from raymap.contrib.mcp.client import Client
from raymap.contrib.mcp.figures import CLIENT, badness, edge_line, labels, node_line
from raymap.contrib.mcp.parameters import End, Filter, Find, GroupBy, NodeName, Skip, Start
from raymap.contrib.mcp.window import describe, parse_window
from raymap.units import counted

_NODE_ID = re.compile(r"n[0-9a-f]{16}")


def map_tools(client: Client) -> list[Callable[..., str]]:
    """Functions whose signatures and docstrings are what clients see."""

    def service_map(
        start: Start = "-1h",
        end: End = "now",
        filter: Filter = "",
        find: Find = "",
        show: Literal["all", "nodes", "edges"] = "all",
        group_by: GroupBy = "",
        skip: Skip = 0,
    ) -> str:
        """The service map: services and what they call, with requests, faults (5xx), errors (4xx),
        throttles (429) and response times. The least healthy come first: nodes, then edges.
        """
        window = parse_window(start, end)
        found = client.get("/api/map", {**window, "filter": filter, "group_by": group_by})
        names = labels(found["nodes"])
        nodes = [node_line(node, names[node["id"]]) for node in sorted(found["nodes"], key=badness)]
        edges = [edge_line(edge, names) for edge in sorted(found["edges"], key=badness)]
        lines = {"nodes": nodes, "edges": edges, "all": nodes + edges}[show]
        matching = [line for line in lines if find.casefold() in line.casefold()]
        about = (
            f"Map of {describe(found)}: {found['total_nodes']} nodes, {len(edges)} edges"
            f"{_selection(found)}; {len(matching)} lines"
            f"{' match' if find else ''}{f', from line {skip + 1}' if skip else ''}."
        )
        more = f"{{left}} more lines: narrow with find, filter or show, or pass skip={skip} + {{shown}}."
        return table([about, *_omitted(found)], matching[skip:], more)

    def describe_node(
        node: NodeName, start: Start = "-1h", end: End = "now", filter: Filter = ""
    ) -> str:
        """One service: counts and times now and in the period before, its failures by kind, its
        callers and callees. `find_traces` with node= and error= lists the traces of a failure.
        """
        window = parse_window(start, end)
        id = node_id(client, window, node)
        found = client.get(f"/api/nodes/{quote(id)}", {**window, "filter": filter})
        lines = [node_line(found["node"], clean(found["node"]["name"])), *_details(found)]
        for side in ("callers", "callees"):
            lines += [
                f"{side[:-1]} {clean(each['name'])} [{clean(each['type'])}], "
                f"{each['requests'] or 0:g} requests"
                for each in found[side]
            ]
        own = [f"Node {id}, {describe(window)}{_selection(found)}."]
        return table(own, lines, "{left} more lines: narrow with filter or a shorter window.")

    def describe_edge(
        source: NodeName,
        target: NodeName,
        start: Start = "-1h",
        end: End = "now",
        filter: Filter = "",
    ) -> str:
        """The calls from one service to another, as the caller measured them: counts and times now
        and in the period before, and failures by kind.
        """
        window = parse_window(start, end)
        ends = node_id(client, window, source), node_id(client, window, target)
        path = f"/api/edges/{quote(ends[0])}/{quote(ends[1])}"
        found = client.get(path, {**window, "filter": filter})
        names = dict(zip(ends, (clean(source), clean(target)), strict=True))
        lines = [edge_line(found["edge"], names), *_details(found)]
        own = [f"Edge {ends[0]}:{ends[1]}, {describe(window)}{_selection(found)}."]
        return table(own, lines, "{left} more lines: narrow with filter or a shorter window.")

    return [service_map, describe_node, describe_edge]


def node_id(client: Client, window: dict[str, float], text: str) -> str:
    """The id of the one node with this name, ``name (type)`` or id; ToolError otherwise."""
    if found := _NODE_ID.search(text):
        return found[0]
    name, _, rest = text.rpartition(" (")
    type = rest[:-1] if name and rest.endswith(")") else None
    exact = _named(client, window, text)
    if not exact and type is not None:
        kind = "" if type == "no type" else type
        exact = [hit for hit in _named(client, window, name) if hit["type"] == kind]
    if len(exact) == 1:
        return str(exact[0]["id"])
    if exact:
        ids = ", ".join(f"{hit['id']} ({clean(hit['type'] or 'no type')})" for hit in exact[:20])
        raise ToolError(f"{len(exact)} nodes have this name: pass the id of one of {ids}.")
    raise ToolError("No node has this name in the window: see service_map with find=.")


def _named(client: Client, window: dict[str, float], name: str) -> list[dict[str, Any]]:
    if not name.strip():
        raise ToolError("The name of the node is blank.")
    found = client.get("/api/services", {**window, "q": name[:200], "limit": 500})
    exact = [hit for hit in found["services"] if hit["name"] == name]
    return [hit for hit in exact if hit["type"] != CLIENT] or exact


def _details(found: dict[str, Any]) -> list[str]:
    lines = []
    if before := found["before"]:
        faults = ", ".join(
            f"{before[status]:g} {status}" for status in ("requests", "fault", "error", "throttle")
        )
        lines.append(
            f"period before: {faults}, p50 {before['p50_ms']} ms, p95 {before['p95_ms']} ms"
        )
    lines += [f"{each['count']} × {clean(each['filter'])}" for each in found["errors"]]
    return lines


def _selection(found: dict[str, Any]) -> str:
    chosen = found.get("filtered")
    if not chosen:
        return ""
    newest = "" if chosen["complete"] else "the newest "
    return f", of {newest}{chosen['traces']} traces that satisfy the filter"


def _omitted(found: dict[str, Any]) -> list[str]:
    lines = [f"Beyond these the map has {found['left_out']} healthy nodes with little traffic."]
    lines = lines if found["left_out"] else []
    if waiting := found.get("incomplete"):  # servers of before have none
        lines.append(f"Incomplete: {counted(waiting['minutes'], 'minute')} still to be counted.")
    if found["problems"]:
        lines.append("The map is coarser than its data: some names were counted together.")
    return lines
