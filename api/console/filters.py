"""Help with writing filter expressions: checks, and completions with counts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.console.counted_graph import count_window
from api.console.params import FilterExpression, Window
from api.console.part import console_part
from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.graph.build import shown_name
from api.graph.passes import importance
from api.schemas.filters import Completion, CompletionList
from store.filters.ast import Field, Value
from store.model import TimeRange
from store.query import VALUE_FIELDS

MOST = 50
FIELD = Query(
    description="service, annotation (the keys), annotation.<key>, or a keyword with values"
)
PREFIX = Query(max_length=200, description="what the completions begin with; of services, contain")


def filters_router(context: Context) -> APIRouter:
    """/api/filter/check and /api/filter/completions."""
    router = console_part("traces")

    @router.get("/api/filter/check", status_code=204, response_class=Response)
    async def check_filter(expression: FilterExpression) -> Response:
        """204 for an expression that can be read, else 400 with the position of the error."""
        return Response(status_code=204)

    @router.get(
        "/api/filter/completions",
        response_class=Response,
        responses={200: {"model": CompletionList}},
    )
    async def complete_filter(
        request: Request,
        window: Window,
        field: Annotated[str, FIELD],
        prefix: Annotated[str, PREFIX] = "",
    ) -> Response:
        """Values that occur in a window, the most frequent first."""
        return await run_cancellable(
            request,
            lambda: json_response({"completions": completions(context, window, field, prefix)}),
        )

    return router


def completions(context: Context, window: TimeRange, field: str, prefix: str) -> list[Completion]:
    """At most 50 values of a field; services count requests, everything else traces."""
    if field == "service":
        return _services(context, window, prefix.casefold())
    if field == "annotation":
        keys = context.store.annotation_keys(window, limit=MOST, prefix=prefix)
        return [_completion(key, traces) for key, traces in keys]
    found = context.store.field_values(_field(field), window, prefix=prefix, limit=MOST)
    return [_completion(value, traces) for value, traces in found]


def _field(text: str) -> Field:
    keyword, _, key = text.partition(".")
    if keyword == "annotation" and key:
        return Field(keyword, key)
    if text not in VALUE_FIELDS:
        known = ", ".join(("service", "annotation", "annotation.<key>", *VALUE_FIELDS))
        raise ApiError(f"field must be among {known}, got {text[:60]!r}")
    return Field(text)


def _services(context: Context, window: TimeRange, part: str) -> list[Completion]:
    graph = count_window(context, window, None).graph
    counts: dict[str, int] = {}
    for node in graph:
        name = shown_name(graph, node)
        if part in name.casefold():
            counts[name] = max(counts.get(name, 0), importance(graph, node)[1])
    best = sorted(counts, key=lambda name: (-counts[name], name))
    return [_completion(name, counts[name]) for name in best[:MOST]]


def _completion(value: Value, count: int) -> Completion:
    return {"value": value, "count": count}
