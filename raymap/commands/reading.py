"""What the commands that read a running server have in common: which server, and how refusals are said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from raymap.commands.client import Client
from raymap.commands.contexts import client as client_of
from raymap.commands.server import Refused
from raymap.errors import CommandError

EARLIER = "-7d"


@contextmanager
def reading(url: str, context: str, filter: str = "") -> Iterator[Client]:
    """The server; CommandError says what it refused, of a filter where."""
    client = client_of(url, context)
    try:
        yield client
    except Refused as refusal:
        raise CommandError(_said(client, refusal, filter)) from None


def nothing(what: str, query: Mapping[str, Any]) -> str:
    """That there is nothing, and what to do: the selection may be too narrow, or the window, or nothing is sent."""
    selected = any(query.get(name) for name in ("filter", "status", "q", "node"))
    said = f"no {what} from {query['start']} to {query['end']}" + (
        " is selected" if selected else ""
    )
    if query["start"] != EARLIER:
        said += f": --from {EARLIER} looks further back"
    return said if selected else f"{said}; raymap demo sends some"


def _said(client: Client, refusal: Refused, filter: str) -> str:
    if refusal.status in (401, 403):
        return (
            f"{client.url} wants another key ({refusal.said}): put it into RAYMAP_TOKEN, or store it with  "
            "raymap context add NAME URL --key-file FILE"
        )
    if refusal.position is not None and "\n" not in filter:
        pointed = " " * min(refusal.position, len(filter)) + "^"
        return f"{refusal.said}\n  {filter}\n  {pointed}"
    return refusal.said
