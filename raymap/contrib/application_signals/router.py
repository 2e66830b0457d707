"""Routes of Application Signals' operations, at the root as AWS has them, beside X-Ray's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, Request, Response

from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.request import JsonBody, instant, read_body, window_of
from raymap.contrib.application_signals.objectives import OBJECTIVES
from raymap.contrib.application_signals.operations import OPERATIONS
from raymap.contrib.application_signals.requested import Operation, Requested
from store.model import TimeRange

MOST = 100
"""Elements of a page."""
USUAL = 50


def application_signals_router(context: Context) -> APIRouter:
    """The operations; not in the OpenAPI document, as AWS's own model describes them."""
    router = APIRouter()
    for operations in (OPERATIONS, OBJECTIVES):
        for (method, path), operation in operations.items():
            endpoint = _endpoint(context, operation, has_window=operations is OPERATIONS)
            router.add_route(path, endpoint, methods=[method], include_in_schema=False)
    return router


def _endpoint(
    context: Context, operation: Operation, *, has_window: bool
) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        with _named_errors():
            body = JsonBody.parse(await read_body(request))
            given = _requested(request, body, has_window=has_window)
            return await run_cancellable(request, lambda: json_response(operation(context, given)))

    return endpoint


@contextmanager
def _named_errors() -> Iterator[None]:
    """What X-Ray calls an invalid request is a failed validation here."""
    try:
        yield
    except ApiError as error:
        if error.code == "InvalidRequest":
            error.code = "Validation"
        raise


def _requested(request: Request, body: JsonBody, *, has_window: bool) -> Requested:
    query = request.query_params
    window = TimeRange(0, 1)
    if has_window:
        start, end = (query.get(name, "") for name in ("StartTime", "EndTime"))
        if not start or not end:
            raise ApiError("StartTime and EndTime are required: ISO 8601 or epoch seconds")
        window = window_of(
            instant(start, "StartTime"), instant(end, "EndTime"), "StartTime", "EndTime"
        )
    most = _number(query.get("MaxResults"), "MaxResults", USUAL)
    if not 1 <= most <= MOST:
        raise ApiError(f"MaxResults must be 1 to {MOST}, got {most}")
    after = _number(query.get("NextToken"), "NextToken", 0)
    return Requested(window, most, after, body, {**query, **request.path_params})


def _number(text: str | None, name: str, otherwise: int) -> int:
    if not text:
        return otherwise
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise ApiError(f"{name} must be a number, got {text[:60]!r}")
    return int(text)
