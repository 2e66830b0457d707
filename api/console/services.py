"""Search for nodes by name, over the whole graph of a window and not only the drawn map."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.console.counted_graph import recent_window
from api.console.map_json import locations, node_counts
from api.console.node_kinds import kind_of
from api.console.params import Window
from api.console.part import console_part
from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.graph.build import node_id
from api.schemas.map import ServiceHit, ServiceList
from store.graph import ServiceStats
from store.model import TimeRange

MAX_HITS = 500
TEXT = Query(min_length=1, max_length=200, description="part of a name or type, case-insensitive")
LIMIT = Query(ge=1, le=MAX_HITS, description="most services in the response")


def services_router(context: Context) -> APIRouter:
    """/api/services."""
    router = console_part("map")

    @router.get("/api/services", response_class=Response, responses={200: {"model": ServiceList}})
    async def search_services(
        request: Request,
        window: Window,
        q: Annotated[str, TEXT],
        limit: Annotated[int, LIMIT] = 50,
    ) -> Response:
        """Nodes whose name or type contains a text: exact names, then prefixes, then unhealthy."""
        text = q.strip()
        if not text:
            raise ApiError("q must not be blank; expected part of a name")
        return await run_cancellable(
            request, lambda: json_response(find_services(context, window, text, limit))
        )

    return router


def find_services(context: Context, window: TimeRange, text: str, limit: int) -> ServiceList:
    """The best matches of a window's graph, and how many nodes match."""
    counted = recent_window(context, window, None)
    services, names = counted.services.services, counted.names
    hits = names.find(text)
    located = locations(services, hits[:limit])
    return {
        "services": [
            _hit(services[node], drawn=node in names.drawn, location=located[node])
            for node in hits[:limit]
        ],
        "total": len(hits),
    }


def _hit(stats: ServiceStats, *, drawn: bool, location: str) -> ServiceHit:
    node, statistics = stats.key, stats.statistics
    return {
        "id": node_id(node),
        "name": stats.shown,
        "type": node.type,
        "location": location,
        "kind": kind_of(node.type),
        **node_counts(stats),
        "in_progress": None if node.is_client else statistics.in_progress,
        "observed": None if node.is_client else statistics.observed,
        "drawn": drawn,
    }
