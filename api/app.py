"""The HTTP side of the reader: `create_app` puts routes, errors and the built console together."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from api import errors
from api.console.router import console_router
from api.context import Context
from api.health import health_router
from api.middleware import Headers
from api.sampling import Sampler
from api.static import static_router
from api.store_probe import StoreProbe
from api.xray.operations import xray_router
from store.protocol import Store

Hook = Callable[[], Awaitable[None]]


def create_app(
    store: Store,
    *,
    version: str,
    sampling_rate: float = 1.0,
    extra_routers: Sequence[APIRouter] = (),
    metrics: Callable[[], bytes] = lambda: b"",
    ingest_status: Callable[[], dict[str, Any]] = dict,
    keeping: Callable[[], dict[str, Any]] | None = None,
    static_dir: Path | None = None,
    on_start: Sequence[Hook] = (),
    on_stop: Sequence[Hook] = (),
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """An app that answers from ``store``; closing the store is left to whoever opened it.

    ``extra_routers`` come before everything else: the collector's doors share this port.
    ``metrics`` and ``ingest_status`` give the numbers of the whole server; ``keeping`` says
    whether this process can keep what comes in, for /readyz.
    """
    context = Context(
        store=store,
        version=version,
        sampler=Sampler(sampling_rate, clock),
        clock=clock,
        metrics=metrics,
        ingest_status=ingest_status,
        check=StoreProbe(store),
        keeping=keeping,
    )
    app = FastAPI(
        title="Raymap",
        version=version,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(on_start, on_stop),
        middleware=[
            Middleware(Headers),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=4),
        ],
    )
    errors.install_handlers(app)
    own = (
        xray_router(context),
        console_router(context),
        health_router(context),
        static_router(static_dir),
    )
    for router in (*extra_routers, *own):
        app.include_router(router)
    return app


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
