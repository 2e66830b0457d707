"""Equal graphs requested at the same time are computed once, and not at all for clients that left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any
from unittest import mock

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from api.app import create_app
from api.errors import ClientDisconnected
from api.single_flight import Flight, SingleFlight
from store.cancellation import Cancelled, cancellable
from store.graph import ServiceGraph
from store.memory import MemoryStore
from store.model import TimeRange
from tests.api.shop import END, START, shop
from tests.waiting import SECONDS


class Slow(MemoryStore):
    """Counts graphs, and computes none before it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.put(shop(), "shop")
        self.computed: list[TimeRange] = []
        self.go_on = threading.Event()

    def service_graph(
        self, window: TimeRange, *, settled_before: int | None = None
    ) -> ServiceGraph:
        self.computed.append(window)
        assert self.go_on.wait(SECONDS)
        return super().service_graph(window, settled_before=settled_before)


MAP = f"/api/map?from={START}&to={END}"


def together(app: FastAPI, store: Slow, *requests: tuple[str, str, Any]) -> list[httpx.Response]:
    """The responses to requests that all wait before the first graph, that of the first, is computed."""
    waiting, wait = 0, Flight.wait

    async def counted(flight: Flight[Any], request: Request) -> Any:
        nonlocal waiting
        waiting += 1
        return await wait(flight, request)

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            tasks = []
            for number, (method, path, body) in enumerate(requests, start=1):
                tasks.append(asyncio.create_task(client.request(method, path, json=body)))
                while waiting < number or not store.computed:
                    await asyncio.sleep(0.001)
            store.go_on.set()
            return list(await asyncio.gather(*tasks))

    with mock.patch.object(Flight, "wait", counted):
        return asyncio.run(ask())


@pytest.mark.parametrize(
    "request_",
    [
        ("GET", MAP, None),
        ("POST", "/ServiceGraph", {"StartTime": START, "EndTime": END}),
    ],
    ids=["console", "X-Ray"],
)
def test_equal_requests_share_one_computation(request_: tuple[str, str, Any]) -> None:
    store = Slow()
    app = create_app(store, version="0")
    responses = together(app, store, *[request_] * 8)
    assert len(store.computed) == 1
    assert {response.status_code for response in responses} == {200}
    assert len({response.content for response in responses}) == 1
    ids = {response.headers["x-amzn-RequestId"] for response in responses}
    assert len(ids) == 8, "a shared body, not a shared response"


def test_other_windows_are_computed_on_their_own() -> None:
    store = Slow()
    app = create_app(store, version="0")
    together(app, store, ("GET", MAP, None), ("GET", f"/api/map?from={START + 60}&to={END}", None))
    assert len(store.computed) == 2


def test_a_result_is_used_once() -> None:
    """What has changed since is in the next response."""
    store = Slow()
    app = create_app(store, version="0")
    together(app, store, ("GET", MAP, None))
    together(app, store, ("GET", MAP, None))
    assert len(store.computed) == 2


class Counting(Slow):
    """Notes how many graphs are computed at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.at_once: list[int] = []
        self._running = 0

    def service_graph(
        self, window: TimeRange, *, settled_before: int | None = None
    ) -> ServiceGraph:
        self._running += 1
        self.at_once.append(self._running)
        try:
            return super().service_graph(window, settled_before=settled_before)
        finally:
            self._running -= 1


def live(end: float) -> tuple[str, str, Any]:
    return "GET", f"/api/map?from={START}&to={end}", None


def test_consoles_that_refresh_a_second_apart_share_the_next_computation() -> None:
    """One at a time; a later request gets a map as recent as its window."""
    store = Counting()
    app = create_app(store, version="0", clock=lambda: float(END))
    ends = [END - 2 + i / 10 for i in range(30)]
    responses = together(app, store, *map(live, ends))
    assert {response.status_code for response in responses} == {200}
    assert (len(store.computed), max(store.at_once)) == (2, 1)
    for end, response in zip(ends, responses, strict=True):
        shown = response.json()
        assert end <= shown["to"] <= END + 1
        assert shown["from"] == START


def test_windows_of_the_past_are_shown_as_requested() -> None:
    store = Slow()
    app = create_app(store, version="0", clock=lambda: END + 60.0)
    responses = together(app, store, live(END - 1), live(END))
    assert [response.json()["to"] for response in responses] == [END - 1, END]


async def eventually(condition: Callable[[], bool]) -> None:
    """Return when the condition is true; what runs in this loop goes on meanwhile."""
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.001)


class Client:
    """A request whose client stays until `leave`."""

    def __init__(self) -> None:
        self._left = asyncio.Event()
        self.request = Request({"type": "http"}, self._receive)

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    def leave(self) -> None:
        self._left.set()


def test_work_is_cancelled_when_the_last_client_has_left() -> None:
    begun, stopped = threading.Event(), threading.Event()
    outcomes: list[object] = []

    def work() -> str:
        try:
            with cancellable(stopped.set):
                begun.set()
                stopped.wait(SECONDS)
        except Cancelled:
            outcomes.append("cancelled")
            raise
        return "done"

    async def scenario() -> None:
        flights = SingleFlight()
        clients = [Client(), Client()]
        waiting = [asyncio.create_task(flights.run(c.request, "map", work)) for c in clients]
        await eventually(begun.is_set)
        clients[0].leave()
        await left(waiting[0])
        assert not stopped.is_set(), "the other one still waits"
        clients[1].leave()
        await left(waiting[1])
        assert stopped.is_set()
        third = Client()
        assert await flights.run(third.request, "map", lambda: "anew") == "anew"
        await eventually(lambda: bool(outcomes))  # The thread ends after its client is answered.

    async def left(task: Coroutine[Any, Any, str] | asyncio.Task[str]) -> None:
        with pytest.raises(ClientDisconnected):
            await task

    asyncio.run(scenario())
    assert outcomes == ["cancelled"]


def test_a_queued_computation_is_given_up_with_its_last_client() -> None:
    released = threading.Event()
    ends: list[int] = []

    def work(end: int) -> int:
        ends.append(end)
        assert released.wait(SECONDS)
        return end

    async def scenario() -> None:
        flights = SingleFlight()

        def request(client: Client, end: int) -> asyncio.Task[int]:
            return asyncio.create_task(flights.run_live(client.request, "map", end, work))

        leaving = Client()
        first, queued = request(Client(), 1), request(leaving, 2)
        await eventually(lambda: ends == [1] and len(flights._live["map"]) == 2)
        leaving.leave()
        with pytest.raises(ClientDisconnected):
            await queued
        third, fourth = request(Client(), 3), request(Client(), 4)
        await eventually(lambda: flights._live["map"][-1].end == 4)
        released.set()
        assert [await first, await third, await fourth] == [1, 4, 4]
        assert ends == [1, 4]
        assert not flights._live

    asyncio.run(scenario())
