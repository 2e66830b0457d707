"""The HTTP API: `create_app` assembles routes, error handlers and the built console."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from api import errors, openapi_parts
from api.console.router import TAGS, console_router
from api.console.status import no_ingest
from api.context import DEFAULT_THRESHOLDS, MAX_GROUPS, WHOLE_MAPS, Context, Thresholds
from api.graph.arrangement import Arrangements
from api.graph.shared_layouts import SharedLayout
from api.health import health_router
from api.metrics import RequestTimer
from api.middleware import Head, Headers
from api.missing_cells import MissingCells
from api.plugins import Plugin, installed
from api.reach import ANYWHERE, Destinations
from api.sampling import Sampler
from api.static import static_router
from api.store_probe import StoreProbe
from api.v1.part import TAG as V1_TAG
from api.v1.router import v1_router
from api.xray import openapi as xray_openapi
from api.xray.operations import xray_router
from store.protocol import Store

Hook = Callable[[], Awaitable[None]]


def create_app(
    store: Store,
    *,
    version: str,
    sampling_rate: float = 1.0,
    unhealthy: Thresholds = DEFAULT_THRESHOLDS,
    map_boxes: str = "auto",
    log_link: str = "",
    webhooks: Destinations = ANYWHERE,
    environment_annotation: str = "",
    max_groups: int = MAX_GROUPS,
    extra_routers: Sequence[APIRouter] = (),
    plugins: Sequence[Plugin] | None = None,
    metrics: Callable[[], bytes] = lambda: b"",
    ingest_status: Callable[[], Mapping[str, Any]] = no_ingest,
    judged_until: Callable[[], float] = lambda: 0.0,
    ingest_health: Callable[[], dict[str, Any]] | None = None,
    static_dir: Path | None = None,
    on_start: Sequence[Hook] = (),
    on_stop: Sequence[Hook] = (),
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """An app that reads from ``store``, which its caller closes.

    ``extra_routers`` take precedence: the collector's HTTP receivers share this port.
    ``plugins`` add theirs: by default those that are installed.
    ``environment_annotation``: the key of an annotation that names a trace's environment, too.
    ``metrics`` and ``ingest_status`` (`api.schemas.server.IngestStatus`) cover all processes of the
    server, and so does ``judged_until`` (`api.context.Context`); ``map_boxes`` is by what large maps are drawn in boxes (`api.context.Context`);
    ``log_link`` is a template (`api.log_links`), ``webhooks`` says where those of alarms may go; ``ingest_health`` says whether this process accepts documents (/readyz).
    """
    # Reading the metrics of all processes takes milliseconds, and every map asks.
    oldest_waiting = lru_cache(1)(lambda second: float(ingest_status().get("oldest_s", 0.0)))
    context = Context(
        store=store,
        version=version,
        sampler=Sampler(store, sampling_rate, clock),
        unhealthy=unhealthy,
        map_boxes=map_boxes,
        log_link=log_link,
        webhooks=webhooks,
        max_groups=max_groups,
        clock=clock,
        metrics=metrics,
        ingest_status=ingest_status,
        oldest_waiting=oldest_waiting,
        probe=StoreProbe(store),
        ingest_health=ingest_health,
        judged_until=judged_until,
        arrangements=Arrangements({name: SharedLayout(store, name) for name in WHOLE_MAPS}),
    )
    plugins = installed() if plugins is None else plugins
    routers = (
        *extra_routers,
        xray_router(context),
        v1_router(context, environment_annotation),
        *(plugin.routes(context) for plugin in plugins if plugin.routes),
        console_router(context),
        health_router(context),
        static_router(static_dir),
    )
    app = _App(
        operations=_posted_paths(routers),
        examples={place: each for plugin in plugins for place, each in plugin.examples.items()},
        title="Raymap",
        description="/api/v1 for programs, what the console requests, and X-Ray's API.",
        version=version,
        openapi_url="/api/openapi.json",
        openapi_tags=[
            V1_TAG,
            *TAGS,
            *(dict(plugin.tag) for plugin in plugins if plugin.tag),
            xray_openapi.TAG,
        ],
        generate_unique_id_function=_operation_id,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(on_start, on_stop),
        middleware=[
            Middleware(Head),
            Middleware(RequestTimer),
            Middleware(Headers),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=4),
            Middleware(MissingCells),
        ],
    )
    app.state.read_configuration = store.read_configuration
    app.state.clock = clock
    app.state.environment_annotation = environment_annotation
    errors.install_handlers(app)
    for router in routers:
        _add(app, router)
    return app


class _App(FastAPI):
    """An app whose OpenAPI document has what FastAPI does not know: X-Ray's operations, examples,
    and how to authenticate."""

    def __init__(
        self, operations: Collection[str], examples: Mapping[tuple[str, str], Any], **settings: Any
    ) -> None:
        super().__init__(**settings)
        self._operations, self._examples = operations, examples

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            xray_openapi.add_operations(super().openapi(), self._operations)
            openapi_parts.complete(super().openapi(), self._examples)
        return super().openapi()


def _posted_paths(routers: Sequence[APIRouter]) -> set[str]:
    """Paths that take a POST, so that only operations that are served are described."""
    routes = (route for router in routers for route in router.routes)
    return {
        route.path
        for route in routes
        if isinstance(route, Route) and "POST" in (route.methods or ())
    }


def _add(app: FastAPI, router: APIRouter) -> None:
    """Add a router's routes as they are: FastAPI analyses each route of a router that is included again. It has to
    where a plugin's router includes others."""
    if not all(isinstance(route, Route) for route in router.routes):
        app.include_router(router)
        return
    for route in router.routes:
        if isinstance(route, APIRoute):
            route.unique_id = _operation_id(route)
    app.router.routes += router.routes


def _operation_id(route: APIRoute) -> str:
    """The endpoint's name, so that generated clients do not change when a path does."""
    return route.name


def _lifespan(on_start: Sequence[Hook], on_stop: Sequence[Hook]) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        for hook in on_start:
            await hook()
        try:
            yield
        finally:
            for hook in on_stop:
                await hook()

    return lifespan
