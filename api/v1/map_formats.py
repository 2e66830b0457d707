"""The map in networkx's own formats, for programs that go on computing with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import networkx as nx

from api.schemas.v1 import MapNumbers

MapFormat = Literal["json", "node-link", "graphml"]
GRAPHML = "application/graphml+xml"
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot contain."""


def node_link(numbers: MapNumbers) -> dict[str, Any]:
    """What `networkx.node_link_graph` reads, with ``edges="edges"``."""
    found: dict[str, Any] = nx.node_link_data(_graph(numbers), edges="edges")
    return found


def graphml(numbers: MapNumbers) -> bytes:
    """What `networkx.read_graphml` reads."""
    return "\n".join(nx.generate_graphml(_graph(numbers))).encode()


def _graph(numbers: MapNumbers) -> nx.DiGraph:
    """Nodes by id; what is null or no scalar in JSON is no attribute, but for the figures of background work."""
    graph: nx.DiGraph = nx.DiGraph(**_scalars(numbers))
    for node in numbers["services"]:
        apart = _scalars(node["background"] or {})
        of_background = {f"background_{name}": value for name, value in apart.items()}
        graph.add_node(node["id"], **_scalars(node), **of_background)
    for edge in numbers["edges"]:
        graph.add_edge(edge["source"], edge["target"], **_scalars(edge))
    return graph


def _scalars(members: Mapping[str, Any]) -> dict[str, Any]:
    ends = ("source", "target")
    return {
        name: _NOT_XML.sub("\ufffd", value) if isinstance(value, str) else value
        for name, value in members.items()
        if isinstance(value, str | int | float | bool) and name not in ends
    }
