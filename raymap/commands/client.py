"""Reads a running server through `/api/v1`, with nothing but the standard library.

The commands of the terminal stand on it, and scripts import it from `raymap.client`. Times are
texts as the API takes them: ``-1h``, ``now``, RFC 3339, epoch seconds.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from raymap.commands.answers import ServiceMap, Stats
from raymap.commands.frames import Rows
from raymap.commands.server import get_json, no_raymap

if TYPE_CHECKING:
    from api.schemas.traces import TraceLine, TraceReport
    from api.schemas.v1 import RatedNode

Json = dict[str, Any]
LOCAL = "http://127.0.0.1:2000"
PAGE = 1000
"""Elements of a page, at most."""


@dataclass(frozen=True, slots=True)
class Client:
    """A server, by default the one in RAYMAP_URL. ``token`` is sent as a bearer token; None: that in RAYMAP_TOKEN."""

    url: str = field(default_factory=lambda: os.environ.get("RAYMAP_URL") or LOCAL)
    token: str | None = None

    def get(self, path: str, **query: object) -> Json:
        """The answer to a GET below /api/v1; parameters that are empty are left out. ``from`` is ``start``, ``to``
        is ``end``; both may be instants (`datetime`). Raises `raymap.errors.CommandError`, of which
        `raymap.commands.server.Refused` has the status."""
        names = {"start": "from", "end": "to"}
        given = {names.get(name, name): _written(value) for name, value in query.items()}
        given = {name: value for name, value in given.items() if value not in ("", None)}
        answer = get_json(self.url, f"/api/v1/{path}", given, token=self.token)
        if not isinstance(answer, dict):
            raise no_raymap(self.url)
        return answer

    def map(self, filter: str = "", **query: object) -> ServiceMap:
        """Services and edges of a window, of the traces that a filter selects."""
        return ServiceMap(self.get("map", filter=filter, **query))

    def services(self, **query: object) -> Rows[RatedNode]:
        """Services with their figures, those of all pages."""
        return Rows(
            lambda: cast("Iterator[RatedNode]", self._pages("services", "services", **query))
        )

    def traces(
        self, filter: str = "", *, most: int | None = None, **query: object
    ) -> Rows[TraceLine]:
        """Traces, newest first: ``most``, or all of the window. Read page by page when they are iterated over."""
        return Rows(lambda: cast("Iterator[TraceLine]", self._traces(most, filter=filter, **query)))

    def trace(self, id: str) -> TraceReport:
        """One trace, its rows and documents."""
        return cast("TraceReport", self.get(f"traces/{quote(id, safe='')}"))

    def stats(
        self,
        filter: str = "",
        *,
        by: str | Iterable[str] = "",
        metrics: str | Iterable[str] = "",
        **query: object,
    ) -> Stats:
        """Traces, or with ``of="requests"`` requests, by dimensions: names, or one text with commas between them."""
        return Stats(
            self.get("stats", filter=filter, by=_listed(by), metrics=_listed(metrics), **query)
        )

    def trust(self, **query: object) -> Json:
        """What of the map is not exact, and why; with ``node`` or ``edge``, how far that one is to be trusted."""
        return self.get("trust", **query)

    def _traces(self, most: int | None, **query: object) -> Iterator[Json]:
        left, cursor = most, ""
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            page = self.get("traces", **query, limit=size, cursor=cursor)
            yield from page["traces"]
            left = None if left is None else left - len(page["traces"])
            cursor = page["next"]
            if not cursor:
                return

    def _pages(self, path: str, member: str, **query: object) -> Iterator[Json]:
        cursor = ""
        while True:
            page = self.get(path, **query, limit=PAGE, cursor=cursor)
            yield from page[member]
            cursor = page["next"]
            if not cursor:
                return


def _listed(names: str | Iterable[str]) -> str:
    return names if isinstance(names, str) else ",".join(names)


def _written(value: object) -> object:
    """An instant as epoch seconds; one without a zone is of this machine, as everywhere in Python."""
    return value.timestamp() if isinstance(value, datetime) else value
