"""Typed query parameters reach ClickHouse unchanged, whatever they contain."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.queries import Sql
from store.clickhouse.queries.parameters import encode_parameters

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
IDS = st.binary(min_size=16, max_size=16)


def test_every_type_comes_back_unchanged(clickhouse: Address) -> None:
    """Quotes, backslashes, zero bytes, braces and invalid UTF-8, on their own, in arrays and tuples."""
    client = connect(replace(clickhouse, database=""))

    @settings(deadline=None, max_examples=100)
    @given(TEXTS, IDS, st.integers(-(2**63), 2**63 - 1), st.lists(TEXTS), st.lists(IDS))
    def check(text: str, id: bytes, number: int, texts: list[str], ids: list[bytes]) -> None:
        query = Sql(
            "SELECT {text:String} AS a, hex({id:FixedString(16)}) AS b, {number:Int64} AS c, "
            "{texts:Array(String)} AS d, arrayMap(x -> hex(x), {ids:Array(FixedString(16))}) AS e, "
            "{pair:Tuple(String, String)} AS f",
            {
                "text": text,
                "id": id,
                "number": number,
                "texts": texts,
                "ids": ids,
                "pair": (text, text),
            },
        )
        digits = [each.hex().upper() for each in ids]
        assert execute(client, query) == [
            (text, id.hex().upper(), number, texts, digits, (text, text))
        ]

    check()


def test_places_are_an_array_of_tuples(clickhouse: Address) -> None:
    client = connect(replace(clickhouse, database=""))
    places = [(7, bytes(16)), (8, b"'\\\xff" + bytes(13))]
    query = Sql(
        "SELECT arrayMap(p -> (p.1, hex(p.2)), {places:Array(Tuple(UInt32, FixedString(16)))}) AS a",
        {"places": places},
    )
    ((found,),) = execute(client, query)
    assert found == [(minute, id.hex().upper()) for minute, id in places]


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="cannot be a dict"):
        encode_parameters({"share": {}})


def test_floats_keep_every_digit() -> None:
    encoded = encode_parameters({"a": 0.1, "b": 1e300, "c": float("-inf")})
    assert [str(value) for value in encoded.values()] == ["0.1", "1e+300", "-inf"]
