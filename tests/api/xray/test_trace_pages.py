"""BatchGetTraces in pages: every segment once, and a bounded response."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from api.xray import trace_pages
from api.xray.trace_pages import Position, decode_position, encode_position
from store.errors import InvalidCursor
from store.memory import MemoryStore
from store.model import Trace
from store.trace_id import format_trace_id
from tests.builders import segment, trace_id

LARGE, SMALL = trace_id(1), trace_id(2)
IDS = [format_trace_id(LARGE), format_trace_id(SMALL)]


def put_large(store: MemoryStore, segments: int) -> None:
    documents = [segment(n + 1, trace_id=LARGE, parent_id=min(n, 1)) for n in range(segments)]
    store.put([*documents, segment(1, trace_id=SMALL)], "large")


def test_a_large_trace_answers_in_pages(
    store: MemoryStore, xray: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_pages, "PAGE_SEGMENTS", 50)
    put_large(store, 250)
    pages = list(xray.get_paginator("batch_get_traces").paginate(TraceIds=IDS))
    assert [sum(len(t["Segments"]) for t in page["Traces"]) for page in pages] == [
        *[50] * 5,
        1,
    ]
    found = [s["Id"] for page in pages for t in page["Traces"] for s in t["Segments"]]
    assert sorted(found) == sorted([*(f"{n:016x}" for n in range(1, 251)), f"{1:016x}"])
    assert [t["Id"] for t in pages[-1]["Traces"]] == IDS[1:]


def test_a_page_reads_the_traces_that_it_shows(
    store: MemoryStore, xray: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_pages, "PAGE_SEGMENTS", 2)
    put_large(store, 5)
    read: list[list[bytes]] = []
    get_traces = store.get_traces

    def recorded(trace_ids: Sequence[bytes], *, raw: bool = False) -> dict[bytes, Trace]:
        read.append(list(trace_ids))
        return get_traces(trace_ids, raw=raw)

    monkeypatch.setattr(store, "get_traces", recorded)
    list(xray.get_paginator("batch_get_traces").paginate(TraceIds=IDS))
    assert read == [[LARGE, SMALL], [LARGE], [LARGE], [SMALL]]


def test_large_documents_fill_a_page(
    store: MemoryStore, xray: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least one segment is on every page, however large."""
    monkeypatch.setattr(trace_pages, "PAGE_BYTES", 1)
    put_large(store, 2)
    pages = list(xray.get_paginator("batch_get_traces").paginate(TraceIds=[*IDS, "nonsense"]))
    assert [len(page["Traces"]) for page in pages] == [1, 1, 1]
    assert [page["UnprocessedTraceIds"] for page in pages] == [["nonsense"], [], []]


def test_a_trace_may_grow_between_pages(
    store: MemoryStore, xray: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_pages, "PAGE_SEGMENTS", 3)
    put_large(store, 5)
    first = xray.batch_get_traces(TraceIds=IDS)
    store.put([segment(0x99, trace_id=LARGE, parent_id=1)], "late")
    second = xray.batch_get_traces(TraceIds=IDS, NextToken=first["NextToken"])
    found = [s["Id"] for page in (first, second) for s in page["Traces"][0]["Segments"]]
    assert len(found) == len(set(found)) == 6


@pytest.mark.parametrize("token", ["x", "AAAA", "é", encode_position(Position(LARGE, "gone"))])
def test_a_foreign_token_is_an_invalid_request(store: MemoryStore, xray: Any, token: str) -> None:
    put_large(store, 1)
    with pytest.raises(xray.exceptions.InvalidRequestException, match="NextToken"):
        xray.batch_get_traces(TraceIds=IDS, NextToken=token)
    mine = encode_position(Position(LARGE, "0000000000000001"))
    with pytest.raises(xray.exceptions.InvalidRequestException, match="other TraceIds"):
        xray.batch_get_traces(TraceIds=IDS[1:], NextToken=mine)


def test_positions_survive_their_encoding() -> None:
    position = Position(LARGE, "00000000000000a1")
    assert decode_position(encode_position(position)) == position
    assert decode_position("") is None
    with pytest.raises(InvalidCursor):
        decode_position(encode_position(Position(LARGE, "")))
