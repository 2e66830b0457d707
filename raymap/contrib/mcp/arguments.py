"""The arguments of a call: refused by name if a tool has no such parameter, rather than dropped."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import Any

from mcp.server.mcpserver.exceptions import ToolError

ALIASES = {"from": "start", "to": "end"}
"""The HTTP API's names of parameters."""
ALIKE = 0.4
"""How alike a name must be to be suggested."""


def named(tool: str, arguments: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """The arguments by the tool's own names; ToolError for one that it does not have."""
    found: dict[str, Any] = {}
    for name, value in arguments.items():
        own = ALIASES[name] if name not in known and ALIASES.get(name) in known else name
        if own not in known:
            raise ToolError(f"{tool} has no parameter {name[:60]!r}; {_hint(name, known)}.")
        if own != name and own in arguments:
            raise ToolError(f"{name} and {own} are the same parameter of {tool}: pass one.")
        found[own] = value
    return found


def _hint(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, 1, ALIKE)
    return f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
