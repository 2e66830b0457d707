"""Connections: what a URL means, which errors mean "away", and a pool that drops broken ones."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace

import pytest
from clickhouse_driver import errors as driver_errors

from store.clickhouse.connection.client import (
    Address,
    ClickHouseUnavailable,
    ClientPool,
    InvalidUrl,
    connect,
    is_transient,
    parse_url,
    wait_until_up,
)


def test_a_url_gives_an_address() -> None:
    assert parse_url("clickhouse://me:p%40ss%3A@db.example:9123/traces?timeout=7") == Address(
        "db.example", 9123, "me", "p@ss:", "traces", timeout=7.0
    )
    assert parse_url("clickhouse://db") == Address("db", 9000, "default", "", "raymap")
    assert parse_url("clickhouse://[::1]:9001/x").host == "::1"


def test_tls_has_a_port_of_its_own() -> None:
    assert parse_url("clickhouses://db").port == 9440
    assert parse_url("clickhouse://db?secure=1").port == 9440
    assert parse_url("clickhouses://db:19440").port == 19440


def test_an_address_survives_its_own_url() -> None:
    address = Address("::1", 9001, "u:ser", "p/w@d#?%", "da ta")
    assert parse_url(address.url) == address
    assert "p/w" not in address.name


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://db:8123", "begins with clickhouse://"),
        ("db:9000", "begins with clickhouse://"),
        ("clickhouse://", "names no host"),
        ("clickhouse://db:port/x", "no usable port"),
        ("clickhouse://db/a/b", "expected one word"),
        ("clickhouse://u:a#b@db", "'#'"),
        ("clickhouse://db?compression=gzip", "lz4, zstd or none"),
        ("clickhouse://db?timeout=never", "expected seconds"),
        ("clickhouse://db?secure=maybe", "expected 0 or 1"),
        ("clickhouse://db?ssl=1", "known are"),
    ],
)
def test_a_bad_url_says_which_part(url: str, said: str) -> None:
    with pytest.raises(InvalidUrl) as raised:
        parse_url(url)
    assert said in str(raised.value)


def test_away_is_told_from_refused() -> None:
    assert is_transient(driver_errors.NetworkError("gone"))
    assert is_transient(driver_errors.SocketTimeoutError("slow"))
    assert is_transient(EOFError("Unexpected EOF while reading bytes"))
    assert is_transient(ConnectionResetError())
    assert is_transient(driver_errors.ServerException("too many", 202))
    assert not is_transient(driver_errors.ServerException("unknown table", 60))
    assert not is_transient(driver_errors.ServerException("wrong password", 516))
    assert not is_transient(ValueError("a bug"))


def test_silence_ends_with_a_sentence() -> None:
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
        wait_until_up(replace(clickhouse, password="wrong"), 30.0)
    assert time.monotonic() - begun < 10


def test_strings_come_as_text_or_as_bytes(clickhouse: Address) -> None:
    anywhere = replace(clickhouse, database="")
    assert connect(anywhere).execute("SELECT 'é'") == [("é",)]
    assert connect(anywhere, strings_as_bytes=True).execute("SELECT 'é'") == [("é".encode(),)]


def test_the_pool_is_bounded_and_reuses(clickhouse: Address) -> None:
    pool = ClientPool(replace(clickhouse, database=""), 2, patience=0.2)
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
