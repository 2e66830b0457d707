"""Routes of the console's own sign-in and links, which are no part of the API that OpenAPI describes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from fastapi import APIRouter, Response

Endpoint = Callable[..., Awaitable[Response]]


def hidden_router(routes: Iterable[tuple[str, str, Endpoint]], *, prefix: str = "") -> APIRouter:
    """A router of (method, path, endpoint); names of routes are ``prefix`` and that of the endpoint."""
    router = APIRouter()
    for method, path, endpoint in routes:
        router.add_api_route(
            path,
            endpoint,
            methods=[method],
            response_class=Response,
            include_in_schema=False,
            name=f"{prefix}{endpoint.__name__}",
        )
    return router
