"""OTLP's JSON, as the specification has it and as senders write it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from collector.decode.otlp.request import decode_otlp
from collector.decode.rejected import Rejected
from store.model import Document
from tests.collector.otlp_samples import CLIENT, SERVER, export, span
from tests.otlp_json import decode_otlp_json

TRACE_ID = "6b061440000000000000000000000001"
SPAN: dict[str, Any] = {
    "traceId": TRACE_ID,
    "spanId": "00000000000000b1",
    "parentSpanId": "00000000000000aa",
    "name": "GET",
    "kind": 3,
    "startTimeUnixNano": "1795560000000000000",
    "endTimeUnixNano": "1795560000010000000",
    "attributes": [
        {"key": "server.address", "value": {"stringValue": "pay"}},
        {"key": "http.response.status_code", "value": {"intValue": "404"}},
    ],
}


def body(*spans: Any, **change: Any) -> bytes:
    """A request of one service."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    part = {"resource": resource, "scopeSpans": [{"scope": {"name": "tests"}, "spans": spans}]}
    return json.dumps({"resourceSpans": [{**part, **change}]}).encode()


def read(raw: bytes) -> tuple[list[Document], list[Rejected]]:
    results = list(decode_otlp_json(raw, 7))
    documents = [result for result in results if isinstance(result, Document)]
    return documents, [result for result in results if isinstance(result, Rejected)]


def test_same_as_protobuf() -> None:
    """Both encodings of one request give the same documents, to the stored byte."""
    attributes = {"server.address": "pay", "http.response.status_code": 404}
    state = "a=1,ot=th:e;rv:fedcba98765432"
    expected = list(decode_otlp(export(span(CLIENT, attributes, trace_state=state)), 7))
    (document,) = read(body({**SPAN, "traceState": state}))[0]
    assert [document] == expected
    assert (document.weight, document.calls[0].weight) == (8, 8)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "SPAN_KIND_CLIENT"},
        {"kind": "CLIENT"},
        {"kind": "client"},
        {"kind": "3"},
        {"status": {}},
        {"startTimeUnixNano": 1795560000000000000},
        {"traceId": TRACE_ID.upper()},
        {"traceId": base64.b64encode(bytes.fromhex(TRACE_ID)).decode()},
        {"spanId": base64.b64encode(bytes.fromhex("00000000000000b1")).decode()},
        {"unknown": {"x": 1}},
        {"status": {"code": "STATUS_CODE_UNSET"}},
        {"links": None},
        {"traceState": None},
        {"traceId": None, "trace_id": TRACE_ID},
        {"startTimeUnixNano": None, "start_time_unix_nano": "1795560000000000000"},
    ],
)
def test_forgiven(change: dict[str, Any]) -> None:
    """Names or numbers, hex or base64, camelCase or snake_case."""
    (document,), rejected = read(body({**SPAN, **change}))
    assert rejected == []
    assert document.trace_id.hex() == TRACE_ID
    assert document.calls[0].id == 0xB1
    assert document.start == 1_795_560_000_000_000


def test_values_and_links() -> None:
    """Every kind of value; ids of links in hex."""
    values = {
        "b": {"boolValue": True},
        "d": {"doubleValue": 0.5},
        "bytes": {"bytesValue": "AAE="},
        "list": {"arrayValue": {"values": [{"stringValue": "x"}]}},
        "map": {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": 1}}]}},
        "none": {},
    }
    attributes = [{"key": key, "value": value} for key, value in values.items()]
    link = {"traceId": TRACE_ID, "spanId": "00000000000000b2"}
    (document,), _ = read(body({**SPAN, "attributes": attributes, "links": [link]}))
    assert document.annotations == ("b=true", "d=0.5", 'bytes="AAE="')
    assert bytes.fromhex("00000000000000b2") in document.raw


@pytest.mark.parametrize(
    "bad",
    [
        {**SPAN, "spanId": "xyz"},
        {**SPAN, "spanId": 5},
        {**SPAN, "spanId": "00"},
        {**SPAN, "traceId": "00"},
        {**SPAN, "startTimeUnixNano": "soon"},
        {**SPAN, "startTimeUnixNano": -1},
        {**SPAN, "startTimeUnixNano": 1e300},
        {**SPAN, "attributes": {"a": 1}},
        {**SPAN, "attributes": [{"key": 1}]},
        {**SPAN, "links": [5]},
        {**SPAN, "links": 5},
        {**SPAN, "name": ["x"]},
        5,
        None,
        [],
    ],
)
def test_bad_span(bad: Any) -> None:
    """It is named, and its neighbours are stored."""
    good = {**SPAN, "spanId": "00000000000000b3"}
    documents, rejected = read(body(SPAN, bad, good))
    assert len(documents) == 2
    (only,) = rejected
    assert only.message


@pytest.mark.parametrize(
    ("raw", "rejections"),
    [
        (body(SPAN, SPAN, resource={"attributes": 5}), 2),
        (body(SPAN, resource=5), 1),
        (body(scopeSpans=[{"scope": 5, "spans": [SPAN]}]), 1),
        (body(scopeSpans=[5]), 1),
        (b'{"resourceSpans": [5]}', 1),
    ],
)
def test_bad_resource(raw: bytes, rejections: int) -> None:
    documents, rejected = read(raw)
    assert documents == []
    assert len(rejected) == rejections


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"5", b"{", b'{"resourceSpans": 5}', b"\xff", b'["\\ud800"]', b"[" * 9999]
)
def test_bad_request(raw: bytes) -> None:
    with pytest.raises(Rejected):
        read(raw)


@pytest.mark.parametrize("raw", [b"{}", b'{"resourceSpans": null}', body(scopeSpans=None)])
def test_nothing(raw: bytes) -> None:
    assert read(raw) == ([], [])


def test_deep_value() -> None:
    """Nesting that no reader could follow costs its span."""
    value: dict[str, Any] = {"intValue": 1}
    for _ in range(300):
        value = {"arrayValue": {"values": [value]}}
    deep = {**SPAN, "attributes": [{"key": "deep", "value": value}]}
    documents, rejected = read(body(SPAN, deep))
    assert (len(documents), len(rejected)) == (1, 1)


def test_server_without_scope() -> None:
    """The scope is optional."""
    part = {"scopeSpans": [{"spans": [{**SPAN, "kind": SERVER}]}]}
    (document,), _ = read(json.dumps({"resourceSpans": [part]}).encode())
    assert document.node.name == "unknown_service"
