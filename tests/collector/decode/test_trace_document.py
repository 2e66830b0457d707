"""Whole traces as BatchGetTraces returns them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode.rejected import Reason
from collector.decode.trace_document import read_traces
from tests.collector.samples import TRACE_ID, segment_json


def trace(*segments: Any, **change: Any) -> dict[str, Any]:
    """A trace of segments."""
    return {"Id": TRACE_ID, "Duration": 0.1, "Segments": list(segments), **change}


def described(document: dict[str, Any]) -> dict[str, Any]:
    """A segment as the API gives it: the document as text."""
    return {"Id": document["id"], "Document": json.dumps(document)}


REAL = segment_json("00000000000000a1", name="ö")
OTHER = segment_json("00000000000000a2")
INFERRED = segment_json("00000000000000a3", inferred=True)


@pytest.mark.parametrize(
    "value",
    [
        trace(described(REAL), described(INFERRED), described(OTHER)),
        trace({"Id": "x", "Document": REAL}, {"Document": INFERRED}, OTHER),
        trace(REAL, INFERRED, OTHER),
        [trace(REAL, INFERRED), trace(OTHER)],
        {"Traces": [trace(REAL), trace(INFERRED, OTHER)], "UnprocessedTraceIds": []},
        [REAL, INFERRED, OTHER],
    ],
)
def test_forms(value: Any) -> None:
    """One trace, a list, the API's answer; documents as text or as objects."""
    for text in (json.dumps(value), json.dumps(value, indent=2)):
        found = read_traces(text.encode())
        assert [json.loads(raw) for raw in found.raws] == [REAL, OTHER]
        assert found.skipped_inferred == 1
        assert found.rejected == []


def test_words_inside_documents_mean_nothing() -> None:
    """A segment may speak of Traces and Segments as it likes."""
    chatty = segment_json(metadata={"Traces": [], "Segments": 5, "Document": "x"})
    for value in ({"Traces": [trace(chatty)]}, trace(described(chatty)), [chatty]):
        found = read_traces(json.dumps(value).encode())
        assert [json.loads(raw) for raw in found.raws] == [chatty]
        assert found.rejected == []


def test_lines() -> None:
    """One value per line; a bad line costs only itself."""
    lines = [json.dumps(trace(REAL)), "", "{broken", json.dumps({"Traces": [trace(OTHER)]})]
    found = read_traces("\n".join(lines).encode())
    assert len(found.raws) == 2
    (rejected,) = found.rejected
    assert rejected.reason is Reason.INVALID_SEGMENT_DOCUMENT
    assert rejected.message.startswith("line 3: ")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"nonsense", b"5", b"{}", b"[5]", b'{"Segments": 5}', b'{"Traces": [{}]}',
        b'{"Segments": [5]}', b'{"Segments": [{"Document": "{"}]}', b'{"Segments":[{"Document":5}]}',
        b'{"a": "\xff"}', b"[" * 10_000 + b"]" * 10_000,
        b'{"Traces":[' * 3000 + b"]}" * 3000, b'{"Segments": [{"Document": "\xff"}]}',
    ],
)  # fmt: skip
def test_unreadable(body: bytes) -> None:
    """The rejection says where and what is expected; nothing of it is accepted."""
    found = read_traces(body)
    assert found.raws == []
    assert found.rejected
    assert all("expected traces" in rejected.message for rejected in found.rejected)


@given(st.binary())
def test_any_bytes(body: bytes) -> None:
    """Whatever comes in, an answer comes out."""
    found = read_traces(body)
    assert found.raws or found.rejected or found.skipped_inferred or b"[" in body
