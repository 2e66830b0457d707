"""Queries of clients that have disconnected are stopped."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvicorn

from api.app import create_app
from store.cancellation import Cancelled, CancelScope, cancellable
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import QueryRunner
from store.clickhouse.store import ClickHouseStore
from store.model import TimeRange
from store.query import Backlog, TraceQuery
from tests.builders import T0
from tests.waiting import eventually

SLOW = "SELECT '{mark}', sum(number) FROM numbers(1000000000000) SETTINGS max_threads = 1"
"""Would run for many minutes."""


class Slow(ClickHouseStore):
    """Its map takes for ever."""

    mark = ""

    def _fresh(
        self,
        ask: QueryRunner,
        windows: Sequence[TimeRange],
        *,
        least: int = 0,
        waits: bool = True,
    ) -> list[Backlog | None]:
        statement = SLOW.format(mark=self.mark)
        ask.run_concurrently(statement, statement)
        return super()._fresh(ask, windows, least=least, waits=waits)


@pytest.fixture
def slow(clickhouse_store: ClickHouseStore) -> Iterator[Slow]:
    store = Slow(clickhouse_store.address, connections=2)
    store.mark = uuid.uuid4().hex
    yield store
    store.close()


@pytest.fixture
def runs(slow: Slow) -> Iterator[Callable[[], bool]]:
    """Whether ClickHouse is at work on the slow statement."""
    client = connect(slow.address)

    def look() -> bool:
        ((count,),) = client.execute(
            f"SELECT count() FROM system.processes WHERE query LIKE '%{slow.mark}%' "
            "AND query NOT LIKE '%system.processes%'"
        )
        return bool(count)

    yield look
    client.disconnect()


def test_a_statement_is_stopped_and_its_connection_replaced(
    slow: Slow, runs: Callable[[], bool]
) -> None:
    scope = CancelScope()

    def ask() -> None:
        with scope.activate():
            slow.service_graph(TimeRange(T0, T0 + 1))

    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(ask)
        eventually(runs)
        scope.cancel()
        scope.cancel()
        with pytest.raises(Cancelled):
            asking.result(60)
        eventually(lambda: not runs())
    # The one connection of the pool is a fresh one now.
    assert slow.find_traces(TraceQuery(TimeRange(T0, T0 + 1)), limit=1).found == []


def test_what_was_given_up_does_not_begin(clickhouse_store: ClickHouseStore) -> None:
    scope = CancelScope()
    scope.cancel()
    with scope.activate(), pytest.raises(Cancelled):
        clickhouse_store.find_traces(TraceQuery(TimeRange(T0, T0 + 1)), limit=1)
    assert clickhouse_store.find_traces(TraceQuery(TimeRange(T0, T0 + 1)), limit=1).found == []


def test_a_statement_that_has_ended_is_not_stopped() -> None:
    """Its connection may serve another request by then."""
    stopped: list[str] = []
    scope = CancelScope()
    with scope.activate():
        with cancellable(lambda: stopped.append("first")):
            pass
        scope.cancel()
        with pytest.raises(Cancelled), cancellable(lambda: stopped.append("second")):
            raise AssertionError("it began")
    with cancellable(lambda: stopped.append("third")):
        pass
    assert stopped == []


def test_a_client_that_leaves_stops_its_query(slow: Slow, runs: Callable[[], bool]) -> None:
    """From the closed browser tab to ClickHouse, through a real server."""
    server = uvicorn.Server(
        uvicorn.Config(create_app(slow, version="1"), port=0, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    path = f"/api/map?from={T0 // 1_000_000}&to={T0 // 1_000_000 + 60}"
    with socket.create_connection((host, port)) as browser:
        browser.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        eventually(runs)
    eventually(lambda: not runs())
    server.should_exit = True
    thread.join(60)
    assert not thread.is_alive()
