"""Reads a running server through `/api/v1`, with nothing but the standard library.

The commands of the terminal stand on it, and scripts import it from `raymap.client`. Times are
texts as the API takes them: ``-1h``, ``now``, RFC 3339, epoch seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from raymap.commands.server import get_json, no_raymap

Json = dict[str, Any]
PAGE = 1000
"""Elements of a page, at most."""


@dataclass(frozen=True, slots=True)
class Client:
    """A server. ``token`` is sent as a bearer token; None: that in RAYMAP_TOKEN."""

    url: str = "http://127.0.0.1:2000"
    token: str | None = None

    def get(self, path: str, **query: object) -> Json:
        """The answer to a GET below /api/v1; parameters that are empty are left out. ``from`` is ``start``, ``to``
        is ``end``. Raises `raymap.errors.CommandError`, of which `raymap.commands.server.Refused` has the status."""
        names = {"start": "from", "end": "to"}
        given = {names.get(name, name): value for name, value in query.items()}
        given = {name: value for name, value in given.items() if value not in ("", None)}
        answer = get_json(self.url, f"/api/v1/{path}", given, token=self.token)
        if not isinstance(answer, dict):
            raise no_raymap(self.url)
        return answer

    def map(self, **query: object) -> Json:
        """Services and edges of a window."""
        return self.get("map", **query)

    def services(self, **query: object) -> Iterator[Json]:
        """Services with their figures, those of all pages."""
        return self._pages("services", "services", **query)

    def traces(self, *, most: int | None = None, **query: object) -> Iterator[Json]:
        """Traces, newest first: ``most``, or all of the window."""
        left, cursor = most, ""
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            page = self.get("traces", **query, limit=size, cursor=cursor)
            yield from page["traces"]
            left = None if left is None else left - len(page["traces"])
            cursor = page["next"]
            if not cursor:
                return

    def trace(self, id: str) -> Json:
        """One trace, its rows and documents."""
        return self.get(f"traces/{quote(id, safe='')}")

    def stats(self, **query: object) -> Json:
        """Traces, or requests, by dimensions."""
        return self.get("stats", **query)

    def trust(self, **query: object) -> Json:
        """What of the map is not exact, and why; with ``node`` or ``edge``, how far that one is to be trusted."""
        return self.get("trust", **query)

    def _pages(self, path: str, member: str, **query: object) -> Iterator[Json]:
        cursor = ""
        while True:
            page = self.get(path, **query, limit=PAGE, cursor=cursor)
            yield from page[member]
            cursor = page["next"]
            if not cursor:
                return
