"""Keys and values of annotations that occur in a window."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.context import Context, json_response, run_cancellable
from api.schemas.v1 import AnnotationKeys, AnnotationValues, ValueCount
from api.v1.graph import span
from api.v1.params import MOST, Window
from api.v1.part import v1_part
from store import query
from store.filters.ast import Field
from store.model import TimeRange

Limit = Annotated[int, Query(ge=1, le=MOST, description="values in the answer")]
PREFIX = Query(max_length=200, description="what the values begin with")


def annotations_router(context: Context) -> APIRouter:
    """/api/v1/annotations and /api/v1/annotations/<key>."""
    router = v1_part()

    @router.get("/annotations", response_class=Response, responses={200: {"model": AnnotationKeys}})
    async def list_annotation_keys(
        request: Request, window: Window, limit: Limit = 100
    ) -> Response:
        """Keys of annotations, and how many traces have them."""
        return await run_cancellable(
            request, lambda: json_response(annotation_keys(context, window, limit))
        )

    @router.get(
        "/annotations/{key:path}",
        response_class=Response,
        responses={200: {"model": AnnotationValues}},
    )
    async def list_annotation_values(
        request: Request,
        key: str,
        window: Window,
        prefix: Annotated[str, PREFIX] = "",
        limit: Limit = 100,
    ) -> Response:
        """Values of an annotation, and how many traces have them, of at most 500,000 documents."""
        return await run_cancellable(
            request, lambda: json_response(annotation_values(context, key, window, prefix, limit))
        )

    return router


def annotation_keys(context: Context, window: TimeRange, limit: int) -> AnnotationKeys:
    """The most frequent keys of annotations."""
    found = context.store.annotation_keys(window, limit=limit)
    return {**span(window), "keys": _counts(found)}


def annotation_values(
    context: Context, key: str, window: TimeRange, prefix: str, limit: int
) -> AnnotationValues:
    """The most frequent values of an annotation; none for an unknown key."""
    field = Field("annotation", key)
    found = context.store.field_values(field, window, prefix=prefix, limit=limit)
    return {**span(window), "key": key, "values": _counts(found)}


def _counts(found: Iterable[query.ValueCount]) -> list[ValueCount]:
    return [{"value": value, "traces": traces} for value, traces in found]
