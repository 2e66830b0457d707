"""Blocking work in threads, shared by all requests that need the same result at the same time.

A map of many nodes takes seconds of CPU time, and every open console requests it. Work is cancelled,
and its store queries with it, when the last client that waits for it has disconnected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

import anyio.to_thread
from starlette.requests import Request

from api.errors import ClientDisconnected
from store.cancellation import CancelScope

Result = TypeVar("Result")


class Flight(Generic[Result]):
    """One run of blocking work in a thread. Lives inside one event loop."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._scope = CancelScope()
        self._waiting = 0
        self.abandoned = False
        """Whether every client has left: there will be no result."""

        def in_scope() -> Result:
            with self._scope.activate():
                return work()

        self.running: asyncio.Future[Result] = asyncio.ensure_future(
            anyio.to_thread.run_sync(in_scope, abandon_on_cancel=True)
        )

    async def wait(self, request: Request) -> Result:
        """The result. Raises ClientDisconnected, and what the work raises.

        The request's body must have been read.
        """
        leaving = asyncio.ensure_future(_wait_for_disconnect(request))
        self._waiting += 1
        try:
            ends: list[asyncio.Future[Any]] = [self.running, leaving]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self.running.done():
                return self.running.result()
            raise ClientDisconnected
        finally:
            leaving.cancel()
            self._waiting -= 1
            if not self._waiting and not self.running.done():
                self.abandoned = True
                self._scope.cancel()
                self.running.cancel()


class SingleFlight:
    """The work in progress by key. Lives inside one event loop."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, Flight[Any]] = {}

    async def run(self, request: Request, key: Hashable, work: Callable[[], Result]) -> Result:
        """The result of ``work``, or of the work that another request has begun for the same key."""
        flight: Flight[Result] | None = self._flights.get(key)
        if flight is None or flight.abandoned:
            flight = self._flights[key] = Flight(work)
            flight.running.add_done_callback(partial(self._forget, key))
        return await flight.wait(request)

    def _forget(self, key: Hashable, ended: asyncio.Future[Any]) -> None:
        if (flight := self._flights.get(key)) is not None and flight.running is ended:
            del self._flights[key]


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
