"""What makes a segment document valid, and what is said when it is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.decode.document import decode_document, decode_documents
from collector.decode.item_size import DEFAULT
from collector.decode.rejected import Reason, Rejected
from store.model import Document, State
from tests.collector.samples import START, TRACE_ID, segment_bytes, segment_json

ID = "00000000000000a1"


def decode(**change: Any) -> Document:
    """A document that differs from a valid one in what is given."""
    return decode_document(segment_bytes(**change), 7)


def rejection(raw: bytes) -> Rejected:
    """Why these bytes are no document."""
    with pytest.raises(Rejected) as caught:
        decode_document(raw, 7)
    return caught.value


def test_minimal_segment() -> None:
    """The required properties are enough; times are microseconds, the raw bytes are unchanged."""
    raw = segment_bytes()
    document = decode_document(raw, 7)
    assert document.trace_id.hex() == TRACE_ID[2:].replace("-", "")
    assert (document.id, document.parent_id, document.independent) == (0xA1, 0, False)
    assert (document.start, document.end) == (1_795_560_000_250_000, 1_795_560_000_350_000)
    assert document.last_end == document.end
    assert document.state is State.OK
    assert document.node == ("", "frontend", "", "")
    assert (document.raw, document.version) == (raw, 7)


@pytest.mark.parametrize(
    ("change", "reason", "said"),
    [
        ({"id": None}, Reason.MISSING_ID, "missing"),
        ({"id": ""}, Reason.MISSING_ID, "missing"),
        ({"id": 5}, Reason.INVALID_ID, "got 5"),
        ({"id": "a1"}, Reason.INVALID_ID, "16 hex digits"),
        ({"id": "00000000000000a1f"}, Reason.INVALID_ID, "16 hex digits"),
        ({"id": "0x000000000000a1"}, Reason.INVALID_ID, "16 hex digits"),
        ({"id": "00000000_00000a1"}, Reason.INVALID_ID, "16 hex digits"),
        ({"id": " 0000000000000a1"}, Reason.INVALID_ID, "16 hex digits"),
        ({"id": "٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠١"}, Reason.INVALID_ID, "16 hex digits"),
        ({"id": "0" * 16}, Reason.INVALID_ID, "all-zero"),
        ({"trace_id": None}, Reason.MISSING_TRACE_ID, "missing"),
        ({"trace_id": 5}, Reason.INVALID_TRACE_ID, "got 5"),
        ({"trace_id": "1-6b061440-1"}, Reason.INVALID_TRACE_ID, "24 hex digits"),
        ({"trace_id": "1-00000000-" + "0" * 24}, Reason.INVALID_TRACE_ID, "all-zero"),
        ({"name": None}, Reason.MISSING_NAME, "missing"),
        ({"name": ""}, Reason.MISSING_NAME, "empty"),
        ({"name": ["a"]}, Reason.INVALID_NAME, "expected text"),
        ({"name": "n" * 201}, Reason.INVALID_NAME, "got 201"),
        ({"start_time": None}, Reason.MISSING_START_TIME, "missing"),
        ({"start_time": "now"}, Reason.INVALID_TIME, "epoch seconds"),
        ({"start_time": True}, Reason.INVALID_TIME, "epoch seconds"),
        ({"start_time": -1}, Reason.INVALID_TIME, "got -1"),
        ({"start_time": 1.79e12}, Reason.INVALID_TIME, "milliseconds"),
        ({"start_time": 1.79e15}, Reason.INVALID_TIME, "microseconds"),
        ({"start_time": 1.79e18}, Reason.INVALID_TIME, "nanoseconds"),
        ({"start_time": 10**400}, Reason.INVALID_TIME, "start_time"),
        ({"end_time": "later"}, Reason.INVALID_TIME, "end_time"),
        ({"end_time": 1.79e12}, Reason.INVALID_TIME, "end_time"),
        ({"end_time": None}, Reason.INVALID_SEGMENT_DOCUMENT, "in_progress"),
        ({"end_time": None, "in_progress": False}, Reason.INVALID_SEGMENT_DOCUMENT, "end_time"),
        ({"type": "subsegment"}, Reason.INVALID_PARENT_ID, "missing"),
        ({"type": "subsegment", "parent_id": "x"}, Reason.INVALID_PARENT_ID, "16 hex digits"),
        ({"type": "subsegment", "parent_id": ID}, Reason.INVALID_PARENT_ID, "itself"),
    ],
)
def test_rejected(change: dict[str, Any], reason: Reason, said: str) -> None:
    """Each fault has X-Ray's code and says what is expected, with the id when it is valid."""
    rejected = rejection(segment_bytes(**change))
    assert rejected.reason is reason
    assert said in rejected.message
    if "id" not in change:
        assert rejected.id == ID


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"nonsense",
        b"null",
        b"7",
        b'"text"',
        b"[]",
        b"{",
        segment_bytes()[:-1],
        segment_bytes() + segment_bytes(),
        segment_bytes(note=float("nan")),
        segment_bytes(start_time=float("inf")),
        segment_bytes(annotations=5, note=float("nan")),
        segment_bytes(note="x").replace(b'"x"', b'"\xff"'),
        segment_bytes(note="\ud800"),
        b"\xef\xbb\xbf" + segment_bytes(),
        segment_bytes().decode().encode("utf-16"),
        segment_bytes(note="x" * DEFAULT),
        segment_bytes(note=1)[:-2] + b"[" * 10_000 + b"]" * 10_000 + b"}",
        segment_bytes(annotations=1)[:-2] + b"[" * 10_000 + b"]" * 10_000 + b"}",
    ],
)
def test_no_document_at_all(raw: bytes) -> None:
    """Garbled, oversized, not UTF-8, not JSON, too deep: said in one way, never a crash."""
    rejected = rejection(raw)
    assert rejected.reason is Reason.INVALID_SEGMENT_DOCUMENT
    assert rejected.message


def test_deep_subsegments() -> None:
    """A hundred levels are read; thousands are refused."""

    def nested(levels: int) -> bytes:
        inside: dict[str, Any] = {}
        for level in range(levels):
            inside = {"id": f"{level + 1:016x}", "subsegments": [inside]}
        return segment_bytes(subsegments=[inside])

    assert len(decode_document(nested(100), 1).members) == 100
    text = segment_bytes(subsegments=[])[:-2] + b'{"subsegments":[' * 3000 + b"]}" * 3000 + b"]}"
    assert rejection(text).reason is Reason.INVALID_SEGMENT_DOCUMENT
    assert "deep" in rejection(nested(220)).message


def test_deep_metadata() -> None:
    """A document too deep to be read again is rejected; brackets in text and many side by side are fine."""

    def deep(levels: int) -> bytes:
        text = b"[" * levels + b"]" * levels
        return segment_bytes(metadata=1)[:-2] + b'{"\\"[": ' + text + b"}}"

    assert decode_document(deep(350), 1)
    assert "more than 400 levels" in rejection(deep(450)).message
    assert decode_document(segment_bytes(metadata={"a": [[]] * 5000, "b": '[{"\\' * 900}), 1)


def test_unusual_but_valid() -> None:
    """1970 and 2438, names with any character, W3C ids, capitals in ids."""
    assert decode(start_time=0, end_time=0).start == 0
    assert decode(start_time=14_769_999_999, end_time=14_769_999_999).start > 0
    assert decode(name="## handler; <script>").node.name == "## handler; <script>"
    assert decode(name="n" * 200).node.name == "n" * 200
    assert decode(trace_id=TRACE_ID[2:].replace("-", "")).trace_id == decode().trace_id
    assert decode(id="ABCDEF0123456789").id == 0xABCDEF0123456789


def test_end_before_start() -> None:
    """Accepted, with no duration."""
    document = decode(end_time=START - 5)
    assert document.end == document.start


def test_in_progress() -> None:
    """An unfinished document has no duration, whatever else it says."""
    document = decode(end_time=None, in_progress=True, fault=True)
    assert document.state is State.IN_PROGRESS
    assert document.end == document.start
    assert decode(in_progress=True).state is State.IN_PROGRESS


def test_segments_parent() -> None:
    """An invalid parent, or the segment itself as its parent, is dropped and the segment accepted."""
    assert decode(parent_id="00000000000000B2").parent_id == 0xB2
    for bad in (ID, "nonsense", 5, "", "0" * 16):
        assert decode(parent_id=bad).parent_id == 0


@pytest.mark.parametrize(
    "change",
    [
        {"http": 5},
        {"http": {"request": [], "response": {"status": "2xx", "content_length": "3"}}},
        {"http": {"response": {"status": -1}}},
        {"aws": "x"},
        {"aws": {"ec2": 5, "account_id": 1, "api_gateway": [], "table_name": {}}},
        {"sql": 5},
        {"cause": 5},
        {"cause": {}},
        {"cause": {"exceptions": [5, {"id": 5}]}},
        {"annotations": []},
        {"subsegments": 5},
        {"subsegments": [5, None, {}]},
        {"subsegments": {}},
        {"error": "yes", "fault": 1, "throttle": None},
        {"origin": 5, "user": 7, "resource_arn": []},
        {"metadata": 5, "service": 5, "links": 5, "Dummy": False},
        {"namespace": 5},
        {"in_progress": "no"},
        {"type": 5},
        {"inferred": "x"},
        {"precursor_ids": 1},
    ],
)
def test_bad_properties_are_dropped(change: dict[str, Any]) -> None:
    """What breaks the schema costs the property, not the segment (docs/xray-format.md §3.1)."""
    document = decode(**change)
    assert document.id == 0xA1
    assert document.state is State.OK
    assert document.http.status == 0


def test_the_rest_of_a_bad_block_is_used() -> None:
    """Only the offending property goes."""
    http = {"request": {"method": "GET", "url": 5}, "response": {"status": 404.0}}
    document = decode(http=http, annotations={"a": 1}, user=5)
    assert document.http.method == "GET"
    assert document.http.status == 404
    assert document.state is State.ERROR
    assert document.annotations == ("a=1",)


def test_numbers_beyond_a_double() -> None:
    """1e400 is JSON; where it says nothing sensible it is dropped."""
    raw = segment_bytes(annotations={"a": 1, "b": 2}).replace(b'"b": 2', b'"b": 1e400')
    assert decode_document(raw, 1).annotations == ("a=1",)
    raw = segment_bytes().replace(str(START).encode(), b"1e400")
    assert rejection(raw).reason is Reason.INVALID_TIME


def test_arrays_are_their_elements() -> None:
    """Each is judged alone, and keeps its own bytes."""
    one = segment_bytes("00000000000000a1", name="ö")
    results = list(decode_documents(b" [" + one + b", {} ,5]\n", 9))
    first, second, third = results
    assert isinstance(first, Document)
    assert first.raw == one
    assert isinstance(second, Rejected)
    assert second.reason is Reason.MISSING_ID
    assert isinstance(third, Rejected)
    assert third.reason is Reason.INVALID_SEGMENT_DOCUMENT


def test_empty_and_broken_arrays() -> None:
    """X-Ray answers a bare [] with MissingId."""
    (empty,) = decode_documents(b"[]", 1)
    assert isinstance(empty, Rejected)
    assert empty.reason is Reason.MISSING_ID
    for raw in (b"[{}", b"[" * 10_000 + b"]" * 10_000):
        results = list(decode_documents(raw, 1))
        assert all(isinstance(result, Rejected) for result in results)
        assert results


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
KEYS = [
    *[
        "id",
        "name",
        "start_time",
        "end_time",
        "in_progress",
        "namespace",
        "error",
        "throttle",
        "fault",
        "traced",
        "http",
        "aws",
        "sql",
    ],
    *[
        "cause",
        "annotations",
        "subsegments",
        "trace_id",
        "parent_id",
        "type",
        "origin",
        "user",
        "resource_arn",
    ],
]


@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    """Whatever comes in, nothing but documents and Rejected come out."""
    for result in decode_documents(raw, 1):
        assert isinstance(result, Document | Rejected)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(KEYS), json_values, max_size=8))
def test_any_json_in_any_place(change: dict[str, Any]) -> None:
    """Any value under any known key of a segment and of a subsegment."""
    inner = {"id": "00000000000000b2", "start_time": START, "namespace": "aws", **change}
    for candidate in (
        {**segment_json(), **change},
        segment_json(subsegments=[inner, {**inner, "namespace": "remote"}]),
    ):
        for result in decode_documents(json.dumps(candidate).encode(), 1):
            assert isinstance(result, Document | Rejected)
            if isinstance(result, Document):
                assert 0 <= result.start <= result.end
                assert all(call.start <= call.end and call.id for call in result.calls)


def test_a_segment_neither_finished_nor_in_progress_is_rejected() -> None:
    """As the schema of AWS has it; an embedded call of that kind is in progress instead."""
    for change in ({"end_time": None}, {"end_time": None, "in_progress": False}):
        (rejected,) = decode_documents(segment_bytes(**change), 1)
        assert isinstance(rejected, Rejected)
        assert rejected.reason == Reason.INVALID_SEGMENT_DOCUMENT
        assert "expected one of the two" in rejected.message
    call = {"id": "b" * 16, "name": "x", "namespace": "remote", "start_time": START}
    (document,) = decode_documents(segment_bytes(subsegments=[call]), 1)
    assert isinstance(document, Document)
    assert document.calls[0].state is State.IN_PROGRESS
