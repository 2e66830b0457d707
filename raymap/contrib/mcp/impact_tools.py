"""Tools that answer what would stop if a service did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from raymap.contrib.mcp.answer import clean, table
from raymap.contrib.mcp.client import Client
from raymap.contrib.mcp.map_tools import node_id
from raymap.contrib.mcp.parameters import End, Filter, NodeName, Start
from raymap.contrib.mcp.window import describe, parse_window

_MORE = "{left} more lines: narrow with filter or a shorter window."


def impact_tools(client: Client) -> list[Callable[..., str]]:
    """Functions whose signatures and docstrings are what clients see."""

    def what_if_it_stops(
        node: NodeName, start: Start = "-1h", end: End = "now", filter: Filter = ""
    ) -> str:
        """Who would be hit if a service stopped: its callers and callees, direct or not, with the share of their requests
        that are in traces with it; what no traffic reaches but through it; and the circle of calls it is in.
        """
        window = parse_window(start, end)
        id = node_id(client, window, node)
        found = client.get(f"/api/v1/nodes/{quote(id)}/impact", {**window, "filter": filter})
        lines = [_dependent("caller", each) for each in found["callers"]]
        lines += [_dependent("callee", each) for each in found["callees"]]
        lines += [f"only through it: {_named(each)}" for each in found["only_through"]]
        if found["circle"]:
            lines.append(f"in a circle of calls: {_listed(found['circle'])}")
        left_out = sum(found[f"{part}_left_out"] for part in ("callers", "callees", "only_through"))
        about = f"Node {id}, {describe(found)}" + (f", {left_out} not listed" if left_out else "")
        if found["counted"]:
            about += f"; requests counted in {describe(found['counted'])}"
        return table([about + "."], lines or ["Nothing calls it, and it leads to nothing."], _MORE)

    def map_structure(start: Start = "-1h", end: End = "now", filter: Filter = "") -> str:
        """Circles of calls, and single points of failure: services that others are reached through alone, those
        with most requests behind them first.
        """
        found = client.get("/api/v1/structure", {**parse_window(start, end), "filter": filter})
        lines = [f"circle: {_listed(circle)}" for circle in found["circles"]]
        lines += [
            f"{_named(point)}: {point['only_through']} services are reached through it alone, with "
            f"{point['requests_lost']:g} requests"
            for point in found["single_points"]
        ]
        left_out = found["single_points_left_out"]
        about = f"Structure, {describe(found)}" + (f", {left_out} not listed" if left_out else "")
        return table([about + "."], lines, _MORE)

    return [what_if_it_stops, map_structure]


def _dependent(what: str, node: Mapping[str, Any]) -> str:
    words = f"{what} {_named(node)}, {node['hops']} away"
    if node["by"] == "messages":
        return f"{words}: by messages, which are received in other traces"
    if node["share"] is None:
        return f"{words}: not counted"
    return f"{words}: {node['through']:g} of {node['requests']:g} requests ({node['share']:.1%})"


def _named(node: Mapping[str, Any]) -> str:
    return f"{clean(node['name'])} [{clean(node['type'] or 'no type')}]"


def _listed(nodes: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(map(_named, nodes))
