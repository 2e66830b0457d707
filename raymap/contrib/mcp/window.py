"""Windows of time as a tool is given them."""

from __future__ import annotations

from datetime import UTC, datetime

from mcp.server.mcpserver.exceptions import ToolError

from raymap.errors import CommandError
from raymap.units import parse_instant
from store.times import SECOND


def parse_window(start: str, end: str) -> dict[str, float]:
    """``from`` and ``to`` of a request, epoch seconds; ToolError for what is no time."""
    try:
        first, last = parse_instant(start, "start"), parse_instant(end, "end")
    except CommandError as error:
        raise ToolError(str(error)) from None
    if last <= first:
        raise ToolError(f"end ({end}) is not after start ({start}).")
    return {"from": first / SECOND, "to": last / SECOND}


def describe(window: dict[str, float]) -> str:
    """A window for people, in UTC."""
    return f"{instant(window['from'])} to {instant(window['to'])} UTC"


def instant(seconds: float) -> str:
    """Epoch seconds as UTC date and time to the second."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
