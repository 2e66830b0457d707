"""A tool that answers why an edge of the map is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field

from raymap.contrib.mcp.answer import clean, table
from raymap.contrib.mcp.client import Client
from raymap.contrib.mcp.map_tools import node_id
from raymap.contrib.mcp.parameters import End, NodeName, Start
from raymap.contrib.mcp.window import describe, parse_window

_MORE = "{left} more lines: name the other service, or a shorter window."
Other = Annotated[str, Field(description="Only causes between it and this other node.")]


def missing_tools(client: Client) -> list[Callable[..., str]]:
    """Functions whose signatures and docstrings are what clients see."""

    def why_is_this_edge_missing(
        node: NodeName, other: Other = "", start: Start = "-1h", end: End = "now"
    ) -> str:
        """Why a service is not joined to its callers or callees on the map: no exit span, header not passed on, parent
        lost, not sampled, clock skew, another account, no record of the platform, still running. Each cause with how
        many calls show it, an example trace, and the lines of the SDK's configuration that mend it.
        """
        window = parse_window(start, end)
        id = node_id(client, window, node)
        both = node_id(client, window, other) if other else ""
        found = client.get(f"/api/v1/nodes/{quote(id)}/missing", {**window, "other": both})
        lines = [line for each in found["causes"] for line in _lines(each)]
        about = (
            f"Node {id}, {describe(found)}: judged by {found['traces']} traces of it and what it seems to call, and by "
            f"{found['around']} of any service."
        )
        return table([about], lines or ["No missing edge was found in these traces."], _MORE)

    return [why_is_this_edge_missing]


def _lines(cause: dict[str, Any]) -> list[str]:
    other = f", other end {cause['other_trace_id']}" if cause["other_trace_id"] else ""
    mending = cause["mending"] if not cause["sdk"] else cause["mending"][:1]
    return [
        f"{cause['cause']}: {clean(cause['text'])}",
        f"  example {cause['trace_id']}{other}",
        *(
            f"  mend ({each['name']}, {each['source']}): {' ⏎ '.join(each['lines'].splitlines())}"
            for each in mending
        ),
    ]
