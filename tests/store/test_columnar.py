"""Documents as columns."""

from __future__ import annotations

from array import array

from store.clickhouse.connection.native_format import encode_strings
from store.columnar import (
    Coded,
    PackedTexts,
    codes_of,
    columns_of,
    documents_of,
    pack_text,
)
from store.model import Link
from tests.builders import call, segment, subsegment, trace_id


def test_lists_are_concatenated_with_counts_and_owners() -> None:
    documents = [
        segment(0xA1, annotations=("a=1", "b=2"), members=(0x11,)),
        subsegment(0x51, 0xA1, calls=(call(0x51), call(0xC1)), links=(Link(trace_id(9), 1),)),
    ]
    columns = columns_of(documents)
    assert len(columns) == 2
    assert (columns.ids, columns.independent) == ([0xA1, 0x51], [False, True])
    assert (columns.annotation_counts, columns.annotations) == ([2, 0], ["a=1", "b=2"])
    assert (columns.member_counts, columns.members) == ([1, 0], [0x11])
    assert (columns.calls.owners, columns.calls.ids) == ([1, 1], [0x51, 0xC1])
    assert columns.links == [(1, Link(trace_id(9), 1))]
    assert documents_of(columns) == documents


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
