"""Columns packed a few rows at a time and joined, read back by ClickHouse itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from clickhouse_driver import Client

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.native_format import Columns, sent_type
from store.clickhouse.connection.pool import connect
from store.clickhouse.write.encoded_columns import encode, join
from store.clickhouse.write.rows import TABLES
from store.column_types import Coded

WORD = "LowCardinality(String)"


@pytest.fixture
def client(clickhouse_database: Address) -> Iterator[Client]:
    client = connect(clickhouse_database)
    yield client
    client.execute("DROP TABLE IF EXISTS packed")
    client.disconnect()


def write(client: Client, type: str, pieces: Sequence[Sequence[Any]]) -> list[Any]:
    """A column that came in pieces, as the server has it."""
    client.execute(f"CREATE TABLE packed (row UInt32, value {type}) ENGINE = Memory")
    types, packed, rows = ["UInt32", type], [], 0
    for piece in pieces:
        packed.append(encode(types, Columns([range(rows, rows + len(piece)), piece])))
        rows += len(piece)
    assert client.execute("INSERT INTO packed VALUES", join(types, packed), columnar=True) == rows
    return [value for (value,) in client.execute("SELECT value FROM packed ORDER BY row")]


@pytest.mark.parametrize(
    ("type", "pieces"),
    [
        ("UInt16", [[1, 2], [65_535]]),
        ("FixedString(16)", [[b"0123456789abcdef"], [bytes(range(100, 116))]]),
        ("String", [["", "é" * 100], ["x" * 20_000]]),
        ("String", [[b"{}", b"x" * 20_000], [b""]]),
        (WORD, [["a", "b", "a"], ["b"], ["c", "c"], [""]]),
        ("Array(String)", [[(), ("a", "é")], [("",), ()], [("b",)]]),
        ("Array(UInt64)", [[(), (1, 2**64 - 1)], [()], [(3,)]]),
    ],
)
def test_pieces_come_back_in_their_order(client: Client, type: str, pieces: list[Any]) -> None:
    values = [value for piece in pieces for value in piece]
    expected = [value.decode() if isinstance(value, bytes) else value for value in values]
    found = write(client, type, pieces)
    assert [tuple(value) if isinstance(value, list) else value for value in found] == expected


@pytest.mark.parametrize("size", [200, 300, 70_000])
def test_words_of_several_pieces_at_the_widths_of_their_keys(client: Client, size: int) -> None:
    """Few enough in each piece for a byte, and not in all; too many in each; too many for two."""
    words = [f"word {number}" for number in range(size + 100)]
    pieces = [words[:size], words[100:], words[:1] * 5]
    assert write(client, WORD, pieces) == [word for piece in pieces for word in piece]


def test_words_that_were_numbered_before(client: Client) -> None:
    """A word may be there twice, as two nodes may share a name."""
    pieces: list[Any] = [Coded(["a", "b", "a"], bytes([2, 1, 0])), ["b"]]
    assert write(client, WORD, pieces) == ["a", "b", "a", "b"]


def test_what_does_not_fit_is_refused(client: Client) -> None:
    """A value, a number of rows, or a table of other types: nothing is written."""
    with pytest.raises(OverflowError):
        encode(["UInt16"], Columns([[65_536]]))
    with pytest.raises(ValueError, match="of one length"):
        encode(["UInt8", "UInt8"], Columns([[1], [1, 2]]))
    with pytest.raises(TypeError, match="Float64"):
        encode(["Float64"], Columns([[0.5]]))
    client.execute("CREATE TABLE packed (value UInt8) ENGINE = Memory")
    rows = join(["UInt16"], [encode(["UInt16"], Columns([[1]]))])
    with pytest.raises(ValueError, match="UInt8"):
        client.execute("INSERT INTO packed VALUES", rows, columnar=True)
    client.disconnect()
    assert client.execute("SELECT count() FROM packed") == [(0,)]


def test_the_size_is_that_of_a_chunk() -> None:
    """Beside raw documents, which their owner counts."""
    few = encode(["UInt64", WORD], Columns([[1] * 100, ["a"] * 100]))
    more = encode(["UInt64", WORD], Columns([[1] * 200, ["a" * 1000] * 200]))
    assert 900 < few.size < 1500
    assert few.size + 1800 < more.size < few.size + 2200
    assert encode(["String"], Columns([[b"x" * 5000]])).size < 200


def test_the_types_are_those_of_the_tables(client: Client) -> None:
    """A migration that changes one has to change it in the writer, too."""
    for table in TABLES:
        found = dict(
            client.execute(
                "SELECT name, type FROM system.columns "
                "WHERE database = currentDatabase() AND table = {table:String}",
                {"table": table.name},
            )
        )
        types = [sent_type(found[name]) for name in table.names.split(", ")]
        assert table.types == types, table.name
