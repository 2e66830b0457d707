"""Bounds on the documents of a request, and how cheaply they are found to be exceeded."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector._pb import segments_pb2
from collector.decode import limits
from collector.decode.document import decode_documents
from collector.decode.limits import (
    _count_fields,
    check_field_count,
    check_string_count,
)
from collector.decode.rejected import Rejected
from collector.decode.trace_document import read_traces


@given(st.lists(st.binary(max_size=200), max_size=60))
def test_fields_are_counted_as_protobuf_does(documents: list[bytes]) -> None:
    body = segments_pb2.PutSegmentsRequest(documents=documents).SerializeToString()
    assert _count_fields(body, 1000) == len(documents)
    assert _count_fields(body, 5) == min(5, len(documents))


@pytest.mark.parametrize(
    "field",
    [
        b"\x0a\x00",  # canonical
        b"\x8a\x00\x00",  # the tag in two bytes
        b"\x0a\x80\x00",  # the length in two bytes
        b"\x12\x00\x0a\x00",  # behind an unknown field
        b"\x1b\x0a\x00\x1c",  # in a group
        b"\x18\x05",  # unknown fields of every wire type
        b"\x19" + bytes(8),
        b"\x1d" + bytes(4),
    ],
)
def test_no_encoding_evades_the_bound(monkeypatch: pytest.MonkeyPatch, field: bytes) -> None:
    monkeypatch.setattr(limits, "SMALL_MESSAGE", 10)
    segments_pb2.PutSegmentsRequest.FromString(field * 101)
    with pytest.raises(Rejected, match="more than 100 documents"):
        check_field_count(field * 101, 100)
    check_field_count(field * 25, 100)


TEXTS = st.text(st.sampled_from('a"\\\n{},:[]'), max_size=12)


@given(st.lists(TEXTS, max_size=40), st.integers(0, 40))
def test_strings_are_counted_as_json_does(texts: list[str], limit: int) -> None:
    """Whatever quotes and backslashes are in them; the key of the list is one more."""
    body = json.dumps({"TraceSegmentDocuments": texts}).encode()
    if len(texts) > limit:
        with pytest.raises(Rejected):
            check_string_count(body, limit)
    else:
        check_string_count(body, limit)


def test_documents_with_nested_json_are_no_more_strings() -> None:
    """Metadata that contains JSON as text has many escaped quotes."""
    inner = json.dumps({"k": json.dumps({"a": json.dumps({"b": "c"})})})
    body = json.dumps({"TraceSegmentDocuments": [inner] * 100}).encode()
    check_string_count(body, 100)
    with pytest.raises(Rejected):
        check_string_count(body, 99)


def test_an_array_that_cannot_be_documents() -> None:
    """One rejection for the whole of it; a small one is judged element by element."""
    (rejected,) = decode_documents(b"[" + b",".join([b"1"] * 100_000) + b"]", 1)
    assert isinstance(rejected, Rejected)
    assert "100,000 elements" in rejected.message
    assert len(list(decode_documents(b"[1,2,3]", 1))) == 3


def test_an_import_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its commas before it is split, and by the segments found in it."""
    monkeypatch.setattr("collector.decode.trace_document.MAX_COMMAS", 1000)
    with pytest.raises(Rejected, match="send fewer"):
        read_traces(b"[" + b"1," * 1001 + b"1]")
    monkeypatch.setattr("collector.decode.trace_document.MAX_SEGMENTS", 50)
    with pytest.raises(Rejected, match="send fewer"):
        read_traces(b"[" + b"1," * 100 + b"1]")
    assert len(read_traces(b"[" + b"1," * 10 + b"1]").rejected) == 11
