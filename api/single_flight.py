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
from store.errors import StoreUnavailable
from store.missing import gathering, note

Result = TypeVar("Result")


class Flight(Generic[Result]):
    """One run of blocking work in a thread, which begins once ``after`` is done. Lives inside one
    event loop."""

    def __init__(
        self, work: Callable[[], Result], after: asyncio.Future[Any] | None = None
    ) -> None:
        self._scope = CancelScope()
        self._waiting = 0
        self.begun = after is None
        self.abandoned = False
        """Whether every client has left: there will be no result."""

        def in_scope() -> tuple[Result, list[str]]:
            with self._scope.activate(), gathering() as lacking:
                return work(), lacking.names

        async def run() -> tuple[Result, list[str]]:
            if after is not None:
                await asyncio.wait([after])
                self.begun = True
            return await anyio.to_thread.run_sync(in_scope, abandon_on_cancel=True)

        self.running: asyncio.Future[tuple[Result, list[str]]] = asyncio.ensure_future(run())

    @property
    def ended(self) -> bool:
        """Whether it can be waited for no more."""
        return self.abandoned or self.running.done()

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
                result, lacking = self.running.result()
                if lacking and not note(lacking):
                    raise StoreUnavailable(", ".join(lacking))
                return result
            raise ClientDisconnected
        finally:
            leaving.cancel()
            self._waiting -= 1
            if not self._waiting and not self.running.done():
                self.abandoned = True
                self._scope.cancel()
                self.running.cancel()


class _LiveWindow(Generic[Result]):
    """The work for a window whose end is now. Until it begins, the end may be moved."""

    def __init__(
        self, work: Callable[[int], Result], end: int, after: asyncio.Future[Any] | None
    ) -> None:
        self.end = end
        self.flight = Flight(lambda: work(self.end), after)

    def answers(self, end: int) -> bool:
        """Whether it is (or can be made) recent enough for a request of a window with this end."""
        return not self.flight.ended and (self.end >= end or not self.flight.begun)


class SingleFlight:
    """The work in progress by key. Lives inside one event loop."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, Flight[Any]] = {}
        self._live: dict[Hashable, list[_LiveWindow[Any]]] = {}

    async def run(self, request: Request, key: Hashable, work: Callable[[], Result]) -> Result:
        """The result of ``work``, or of the work that another request has begun for the same key."""
        flight: Flight[Result] | None = self._flights.get(key)
        if flight is None or flight.abandoned:
            flight = self._flights[key] = Flight(work)
            flight.running.add_done_callback(partial(self._forget, key))
        return await flight.wait(request)

    async def run_live(
        self, request: Request, key: Hashable, end: int, work: Callable[[int], Result]
    ) -> Result:
        """The result of ``work`` for a window that ends at ``end`` or a little later.

        One run at a time for each key: requests that arrive meanwhile share the next one, with the
        latest end among them. So none waits for more than two runs, however many clients refresh.
        """
        windows = self._live.setdefault(key, [])
        window = next((each for each in windows if each.answers(end)), None)
        if window is None:
            running = [each.flight.running for each in windows if not each.flight.ended]
            window = _LiveWindow(work, end, running[-1] if running else None)
            windows.append(window)
            window.flight.running.add_done_callback(partial(self._forget_live, key, window))
        window.end = max(window.end, end)
        result: Result = await window.flight.wait(request)
        return result

    def _forget_live(self, key: Hashable, window: _LiveWindow[Any], _: asyncio.Future[Any]) -> None:
        windows = self._live[key]
        windows.remove(window)
        if not windows:
            del self._live[key]

    def _forget(self, key: Hashable, ended: asyncio.Future[Any]) -> None:
        if (flight := self._flights.get(key)) is not None and flight.running is ended:
            del self._flights[key]


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
