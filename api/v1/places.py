"""Accounts, regions and environments of a window: what may be selected."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Request, Response

from api.context import Context, json_response, run_cancellable
from api.counted import freshness
from api.schemas.v1 import PlaceList
from api.v1.graph import span
from api.v1.params import Window
from api.v1.part import v1_part
from store.filters.ast import Field
from store.model import TimeRange

MOST = 100


def places_router(context: Context, environment_annotation: str) -> APIRouter:
    """/api/v1/places."""
    router = v1_part()

    @router.get("/places", response_class=Response, responses={200: {"model": PlaceList}})
    async def list_places(request: Request, window: Window) -> Response:
        """Accounts and regions of the services of a window, and environments of its traces."""
        return await run_cancellable(
            request, lambda: json_response(place_list(context, window, environment_annotation))
        )

    return router


def place_list(context: Context, window: TimeRange, annotation: str) -> PlaceList:
    """What a window has; environments by the number of their traces, of at most 500,000 documents."""
    counted = context.counted_window(window)
    nodes = counted.graph.services
    fields = [Field("environment"), *([Field("annotation", annotation)] if annotation else [])]
    traces: Counter[str] = Counter()
    for field in fields:
        for value, count in context.store.field_values(field, window, prefix="", limit=MOST):
            if isinstance(value, str):
                traces[value] = max(traces[value], count)
    return {
        **span(window),
        **freshness(window, counted.backlog),
        "accounts": sorted({node.account for node in nodes if node.account})[:MOST],
        "regions": sorted({node.region for node in nodes if node.region})[:MOST],
        "environments": [
            {"value": value, "traces": count} for value, count in traces.most_common(MOST)
        ],
    }
