"""Columns as they are encoded here, read back by ClickHouse itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from clickhouse_driver import Client

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.native_format import Columns, encoder, sent_type
from store.clickhouse.connection.pool import connect

MANY = 70_000
"""Distinct values: past what 16 bits can number."""


@pytest.fixture(params=["none", "lz4", "zstd"])
def client(clickhouse_database: Address, request: pytest.FixtureRequest) -> Iterator[Client]:
    client = connect(replace(clickhouse_database, compression=request.param))
    yield client
    client.execute("DROP TABLE IF EXISTS written")
    client.disconnect()


def write(client: Client, type: str, values: Sequence[Any]) -> list[Any]:
    """The column as the server has it, in the order of the rows."""
    client.execute("DROP TABLE IF EXISTS written")
    client.execute(f"CREATE TABLE written (row UInt32, value {type}) ENGINE = Memory")
    rows = client.execute(
        "INSERT INTO written (row, value) VALUES",
        Columns([list(range(len(values))), values]),
        columnar=True,
    )
    assert rows == len(values)
    return [value for (value,) in client.execute("SELECT value FROM written ORDER BY row")]


@pytest.mark.parametrize(
    ("type", "values"),
    [
        ("UInt8", [0, True, 255]),
        ("UInt16", [0, 65_535]),
        ("UInt32", [0, 2**32 - 1]),
        ("UInt64", [0, 2**64 - 1]),
        ("Int64", [-(2**63), 0, 2**63 - 1]),
        ("FixedString(16)", [b"0123456789abcdef", bytes(range(100, 116))]),
        ("String", ["", "é" * 100, "x" * 20_000]),
        ("LowCardinality(String)", ["", "a", "", "é", "a"]),
        ("LowCardinality(String)", ["one"] * 1000),
        ("LowCardinality(String)", ["n" * 127, "n" * 128, "n" * 1023, "n" * 1024, "n" * 20_000]),
        ("Array(String)", [(), ("a", "é"), ("",), ()]),
        ("Array(UInt64)", [(), (1, 2**64 - 1), ()]),
        ("Float64", [0.5, -1.0]),  # one that only the driver knows
    ],
)
def test_every_type_comes_back_as_it_went(client: Client, type: str, values: list[Any]) -> None:
    expected = [v.decode() if isinstance(v, bytes) else v for v in values]
    read = write(client, type, values)
    assert [tuple(v) if isinstance(v, list) else v for v in read] == expected


def test_datetime_is_seconds(client: Client) -> None:
    write(client, "DateTime('UTC')", [0, 1_795_560_000])
    assert client.execute("SELECT toUnixTimestamp(value) FROM written ORDER BY row") == [
        (0,),
        (1_795_560_000,),
    ]


@pytest.mark.parametrize("distinct", [256, 257, 65_536, 65_537, MANY])
def test_low_cardinality_at_the_widths_of_its_keys(client: Client, distinct: int) -> None:
    values = [f"value {number}" for number in range(distinct)] * 2
    assert write(client, "LowCardinality(String)", values) == values


@pytest.mark.parametrize(
    ("type", "values"),
    [
        ("UInt8", [1, 256]),
        ("UInt16", [1, 65_536]),
        ("UInt64", [1, -1]),
        ("Int64", [1, 2**63]),
        ("FixedString(16)", [b"0123456789abcde", b"0123456789abcdef0"]),
        ("LowCardinality(String)", ["fine", "\ud800"]),
        ("Array(String)", [("fine",), ("\ud800",)]),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    client: Client, type: str, values: list[Any]
) -> None:
    with pytest.raises((OverflowError, ValueError)):
        write(client, type, values)
    assert client.execute("SELECT count() FROM written") == [(0,)]


def test_columns_of_unequal_length_are_refused(client: Client) -> None:
    client.execute("CREATE TABLE written (row UInt32, value UInt8) ENGINE = Memory")
    with pytest.raises(ValueError, match="of one length"):
        client.execute("INSERT INTO written VALUES", Columns([[1, 2], [1]]), columnar=True)


def test_lists_that_are_not_columns_go_through_the_driver(client: Client) -> None:
    client.execute(
        "CREATE TABLE written (row UInt32, value LowCardinality(String)) ENGINE = Memory"
    )
    client.execute("INSERT INTO written VALUES", [[1, 2], ["a", "b"]], columnar=True)
    assert client.execute("SELECT value FROM written ORDER BY row") == [("a",), ("b",)]


def test_types_of_the_tables_are_all_encoded_here(clickhouse_database: Address) -> None:
    """A type that falls back to the driver costs ten times as much: a migration must not bring one."""
    client = connect(clickhouse_database)
    types = client.execute(
        "SELECT DISTINCT type FROM system.columns WHERE database = currentDatabase() "
        "AND table IN ('segments', 'calls', 'links') AND default_kind != 'ALIAS'"
    )
    client.disconnect()
    assert [
        type for (type,) in types if type != "String" and encoder(sent_type(type)) is None
    ] == []
