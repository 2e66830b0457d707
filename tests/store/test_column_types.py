"""Columns behave as the sequences they stand for."""

from __future__ import annotations

from array import array

from store.clickhouse.connection.native_format import encode_strings
from store.column_types import Coded, PackedTexts, codes_of, pack_text


def test_few_values_by_their_codes() -> None:
    column = Coded(["a", "b", "a"], codes_of([2, 1, 0], 3))
    assert (list(column), len(column), column[1]) == (["a", "b", "a"], 3, "b")
    assert list(column[1:]) == ["b", "a"]
    assert column.codes == b"\2\1\0"
    assert codes_of([256], 257) == array("I", [256])


def test_texts_as_they_are_sent() -> None:
    texts = ["", "a=1", "ü" * 100, "x" * 20_000]
    column = PackedTexts(list(map(pack_text, texts)))
    assert (list(column), len(column), column[2]) == (texts, 4, texts[2])
    assert list(column[1:3]) == texts[1:3]
    assert b"".join(column.parts) == encode_strings(texts)
