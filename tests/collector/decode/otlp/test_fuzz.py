"""By chance: whatever bytes come, spans are documents or rejections, and nothing else is raised."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from collector.decode.otlp.datagram import decode_payload
from collector.decode.otlp.request import decode_otlp
from collector.decode.rejected import Rejected
from collector.decode.stored import decode_any
from collector.decode.zipkin.spans import decode_zipkin, decode_zipkin_protobuf
from store.model import Document
from store.otel.from_xray import export_trace, to_json
from store.otel.to_xray import render_span
from tests.collector.otlp_samples import CLIENT, SERVER, export, span
from tests.otlp_json import decode_otlp_json

EXPORT = export(
    span(SERVER, {"http.method": "GET", "aws.xray.annotations": ["x"]}, id=1),
    span(CLIENT, {"db.system": "redis"}, id=2, exceptions=[{"exception.type": "E"}]),
    resource={"cloud.platform": "aws_ecs", "cloud.provider": "aws"},
)
JSON_SPAN = {
    "traceId": "6b061440000000000000000000000001",
    "spanId": "00000000000000b1",
    "kind": 2,
    "startTimeUnixNano": "1795560000000000000",
    "endTimeUnixNano": "1795560000010000000",
    "attributes": [{"key": "a", "value": {"stringValue": "b"}}],
    "links": [{"traceId": "6b061440000000000000000000000001", "spanId": "00000000000000b2"}],
}
ZIPKIN_SPAN = {
    "traceId": "6b061440000000000000000000000001",
    "id": "00000000000000b1",
    "parentId": "00000000000000aa",
    "kind": "CLIENT",
    "name": "get",
    "timestamp": 1795560000000000,
    "duration": 10000,
    "localEndpoint": {"serviceName": "shop"},
    "remoteEndpoint": {"serviceName": "pay", "ipv4": "10.0.0.1", "port": 80},
    "tags": {"http.method": "GET"},
    "annotations": [{"timestamp": 1795560000000000, "value": "x"}],
    "shared": False,
}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def mutations(sample: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The sample with some of its properties replaced by anything."""
    changes = st.dictionaries(st.sampled_from(sorted(sample)), values, max_size=4)
    return changes.map(lambda change: {**sample, **change})


def check(decode: Callable[[], Iterable[Document | Rejected]]) -> None:
    """Decode; every document is whole, and its stored bytes give the same one again."""
    try:
        results = list(decode())
    except Rejected:
        return
    for result in results:
        if isinstance(result, Document):
            assert decode_any(result.raw, result.version) == result
            if result.raw[:1] in b"\x01\x02":
                json.dumps(render_span(result.raw))
                json.dumps(to_json(export_trace([result])))


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    check(lambda: decode_otlp(body, 1))
    check(lambda: decode_otlp_json(body, 1))
    check(lambda: decode_zipkin(body, 1).documents)
    check(lambda: decode_zipkin_protobuf(body, 1).documents)
    check(lambda: decode_payload(b"T1S" + body, 1))
    check(lambda: decode_payload(b"T1U" + base64.b64encode(body), 1))


@given(st.lists(st.tuples(st.integers(0, len(EXPORT) - 1), st.integers(0, 255)), max_size=6))
@example([(141, 6)])  # a kind of span that is not defined
def test_flipped_bytes(flips: list[tuple[int, int]]) -> None:
    body = bytearray(EXPORT)
    for place, value in flips:
        body[place] = value
    check(lambda: decode_otlp(bytes(body), 1))
    check(lambda: [decode_any(b"\x01" + bytes(body[3:]), 1)])


@given(st.integers(0, len(EXPORT)))
def test_cut(length: int) -> None:
    check(lambda: decode_otlp(EXPORT[:length], 1))


@given(st.lists(mutations(JSON_SPAN) | values, max_size=3), values)
def test_json(spans: list[Any], resource: Any) -> None:
    part = {"resource": resource, "scopeSpans": [{"spans": spans}]}
    body = json.dumps({"resourceSpans": [part]}).encode(errors="replace")
    check(lambda: decode_otlp_json(body, 1))


@given(st.lists(mutations(ZIPKIN_SPAN) | values, max_size=3))
def test_zipkin(spans: list[Any]) -> None:
    check(lambda: decode_zipkin(json.dumps(spans).encode(errors="replace"), 1).documents)
