"""What the routes are given: the store, the clock, and the numbers of others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.errors import ClientDisconnected
from api.sampling import Sampler
from api.store_probe import StoreProbe
from store.cancellation import CancelScope
from store.protocol import Store

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Context:
    """Everything an app is made of, built once by `api.app.create_app`."""

    store: Store
    version: str
    sampler: Sampler
    clock: Callable[[], float]
    metrics: Callable[[], bytes]
    ingest_status: Callable[[], dict[str, Any]]
    check: StoreProbe
    keeping: Callable[[], dict[str, Any]] | None
    """How it stands with keeping what comes in; None without doors in this process."""


async def run_cancellable(request: Request, work: Callable[[], Answer]) -> Answer:
    """Do blocking work in a thread. When the client leaves, so do we, and what the store is doing
    for it is stopped.

    The request's body must have been read.
    """
    scope = CancelScope()

    def run() -> Answer:
        with scope.activate():
            return work()

    working = asyncio.ensure_future(anyio.to_thread.run_sync(run, abandon_on_cancel=True))
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientDisconnected
    finally:
        if not working.done():
            scope.cancel()
        working.cancel()
        leaving.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def json_response(body: object, *, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")
