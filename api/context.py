"""What routes share: the store, the clock, callbacks into the rest of the server, and how blocking
work is run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
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
from store.model import ServiceGraph, TimeRange
from store.protocol import Store

Result = TypeVar("Result")

SETTLE_SECONDS = 30.0
"""How long a parent may be stored after its child: SDKs send a segment when it ends, so a child
precedes its parent by the rest of the parent's work, and by a batch's linger."""


@dataclass(frozen=True)
class Context:
    """Dependencies of the routes, built once by `api.app.create_app`."""

    store: Store
    version: str
    sampler: Sampler
    clock: Callable[[], float]
    metrics: Callable[[], bytes]
    ingest_status: Callable[[], Mapping[str, Any]]
    probe: StoreProbe
    ingest_health: Callable[[], dict[str, Any]] | None
    """Whether this process accepts documents, as /readyz shows it; None without receivers."""

    def service_graph(self, window: TimeRange) -> ServiceGraph:
        """The graph to draw: without clients of roots whose parents may still arrive."""
        return self.store.service_graph(window, settled_before=self.settled_before())

    def settled_before(self) -> int:
        """When a root must have begun at the latest (microseconds) for its parent, if unknown, to
        be missing rather than late."""
        return round((self.clock() - SETTLE_SECONDS) * 1e6)


async def run_cancellable(request: Request, work: Callable[[], Result]) -> Result:
    """Run blocking work in a thread. When the client disconnects, cancel its store queries.

    The request's body must have been read. Raises ClientDisconnected.
    """
    scope = CancelScope()

    def in_scope() -> Result:
        with scope.activate():
            return work()

    working = asyncio.ensure_future(anyio.to_thread.run_sync(in_scope, abandon_on_cancel=True))
    leaving = asyncio.ensure_future(_wait_for_disconnect(request))
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


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def json_response(body: object, *, status: int = 200) -> Response:
    """``body`` encoded as JSON."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")
