"""Connections: a bounded pool that drops broken connections, and waiting for a server."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace

import pytest
from clickhouse_driver import errors as driver_errors

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import ClickHouseUnavailable
from store.clickhouse.connection.pool import ClientPool, abort, connect, wait_until_up


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_reported_in_a_sentence() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(
            ClickHouseUnavailable, match=f"127.0.0.1:{port} did not answer within 1 s"
        ):
            wait_until_up(f"clickhouse://127.0.0.1:{port}", 1.0)


def test_a_wrong_password_is_not_waited_for(clickhouse: Address) -> None:
    begun = time.monotonic()
    with pytest.raises(driver_errors.ServerException, match="Authentication failed"):
        wait_until_up(replace(clickhouse, password="wrong"), 120.0)
    assert time.monotonic() - begun < 60


def test_strings_come_as_text_or_as_bytes(clickhouse: Address) -> None:
    anywhere = replace(clickhouse, database="")
    assert connect(anywhere).execute("SELECT 'é'") == [("é",)]
    assert connect(anywhere, strings_as_bytes=True).execute("SELECT 'é'") == [("é".encode(),)]


def test_the_pool_is_bounded_and_reuses(clickhouse: Address) -> None:
    pool = ClientPool(replace(clickhouse, database=""), 2, acquire_timeout=0.2)
    with pool.client() as first, pool.client() as second:
        assert first is not second
        with pytest.raises(ClickHouseUnavailable, match="all 2 connections"), pool.client():
            pass
    with pool.client() as again:
        assert again in (first, second)
    pool.close()


def test_the_pool_drops_a_connection_in_an_unknown_state(clickhouse: Address) -> None:
    pool = ClientPool(replace(clickhouse, database=""), 1)
    with pool.client() as first:
        first.execute("SELECT 1")
    with pytest.raises(driver_errors.ServerException), pool.client() as refused:
        refused.execute("SELECT no_such_column")
    assert refused is first
    with pytest.raises(ConnectionResetError), pool.client() as broken:
        raise ConnectionResetError
    assert not broken.connection.connected
    with pool.client() as fresh:
        assert fresh is not broken
        assert fresh.execute("SELECT 1") == [(1,)]
    pool.close()


def test_threads_share_the_pool(clickhouse: Address) -> None:
    pool = ClientPool(replace(clickhouse, database=""), 3)
    answers: list[int] = []

    def ask(number: int) -> None:
        for _ in range(10):
            with pool.client() as client:
                answers.append(client.execute(f"SELECT {number}")[0][0] - number)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [0] * 80
    pool.close()


def test_a_client_that_was_aborted_does_not_connect(clickhouse: Address) -> None:
    """A statement may be stopped before its client has a socket, or while that makes a new one."""
    fresh, idle = (connect(replace(clickhouse, database="")) for _ in range(2))
    idle.execute("SELECT 1")
    for client in fresh, idle:
        abort(client)
        with pytest.raises(driver_errors.NetworkError, match="aborted"):
            client.execute("SELECT 1")
