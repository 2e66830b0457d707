"""Routes of Application Signals' reading operations, at the root as AWS has them, beside X-Ray's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.request import JsonBody, instant, read_body, window_of
from raymap.contrib.application_signals.operations import (
    OPERATIONS,
    WITHOUT_WINDOW,
    Operation,
    Requested,
)
from store.model import TimeRange

MOST = 100
"""Elements of a page."""
USUAL = 50


def application_signals_router(context: Context) -> APIRouter:
    """The operations; not in the OpenAPI document, as AWS's own model describes them."""
    router = APIRouter()
    for (method, path), operation in OPERATIONS.items():
        endpoint = _endpoint(context, operation)
        router.add_route(path, endpoint, methods=[method], include_in_schema=False)
    return router


def _endpoint(context: Context, operation: Operation) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        body = JsonBody.parse(await read_body(request))
        given = _requested(request, body)
        return await run_cancellable(request, lambda: json_response(operation(context, given)))

    return endpoint


def _requested(request: Request, body: JsonBody) -> Requested:
    query = request.query_params
    window = TimeRange(0, 1)
    if request.url.path not in WITHOUT_WINDOW:
        start, end = (query.get(name, "") for name in ("StartTime", "EndTime"))
        if not start or not end:
            raise ApiError("StartTime and EndTime are required: ISO 8601 or epoch seconds")
        window = window_of(
            instant(start, "StartTime"), instant(end, "EndTime"), "StartTime", "EndTime"
        )
    most = _number(query.get("MaxResults"), "MaxResults", USUAL)
    if not 1 <= most <= MOST:
        raise ApiError(f"MaxResults must be 1 to {MOST}, got {most}")
    return Requested(window, most, _number(query.get("NextToken"), "NextToken", 0), body)


def _number(text: str | None, name: str, otherwise: int) -> int:
    if not text:
        return otherwise
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise ApiError(f"{name} must be a number, got {text[:60]!r}")
    return int(text)
