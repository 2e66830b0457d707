"""What is too large to be parsed costs itself alone, and a request with too much is refused before it is parsed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode.item_size import DEFAULT
from collector.decode.lambda_records.otlp_logs import decode_json_logs, decode_logs
from collector.decode.limits import (
    MAX_MESSAGES,
    MAX_MESSAGES_ALONE,
    MAX_RESOURCE,
    PAIR,
    Shape,
)
from collector.decode.metrics.otlp import decode_json_metrics, decode_metrics
from collector.decode.otlp.columns import decode_otlp_columns, decode_otlp_json_columns
from collector.decode.otlp.frames import SPAN
from collector.decode.otlp.request import decode_otlp
from collector.decode.rejected import Rejected
from store.model import Document
from store.varint import varint
from tests.collector.otlp_samples import SERVER, export, span

EMPTY = b"\x4a\x00"
"""An attribute without key and value."""


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def spans(*raws: bytes, resource: bytes = b"", scope: bytes = b"") -> bytes:
    below = field(1, scope) + b"".join(field(2, raw) for raw in raws)
    return field(1, field(1, resource) + field(2, below))


def raw(id: int) -> bytes:
    return bytes(span(SERVER, {"a": "b"}, id=id).SerializeToString())


def outcome(body: bytes) -> tuple[int, list[Rejected]]:
    """Documents and rejections, by column and one by one."""
    found = decode_otlp_columns(body, 1)
    single = list(decode_otlp(body, 1))
    rejected = [one for one in single if isinstance(one, Rejected)]
    assert [str(one) for _, one in found.rejected] == [str(one) for one in rejected]
    assert len(found.documents) == sum(isinstance(one, Document) for one in single)
    return len(found.documents), rejected


@pytest.mark.parametrize(
    ("bomb", "why"),
    [
        (EMPTY * DEFAULT, "the span has 2,097,"),
        (EMPTY * (MAX_MESSAGES_ALONE + 1), "more than 40,000 attributes"),
        (b"\x5a\x00" * (MAX_MESSAGES_ALONE + 1), "more than 40,000 attributes"),
        (field(9, field(2, field(5, b"\x0a\x00" * 40_001))), "more than 40,000 attributes"),
        (b"\xca\x80\x00\x00" * (MAX_MESSAGES_ALONE + 1), "more than 40,000 attributes"),
    ],
    ids=["bytes", "attributes", "events", "values", "long tags"],
)
def test_a_span_that_is_too_large_is_rejected_alone(bomb: bytes, why: str) -> None:
    documents, rejected = outcome(spans(raw(1), raw(2) + bomb, raw(3)))
    assert documents == 2
    assert [one.id for one in rejected] == [f"{2:016x}"]
    assert why in rejected[0].message


@pytest.mark.parametrize("attributes", [128, 129, 5_000])
def test_a_span_with_many_attributes_is_stored(attributes: int) -> None:
    many = b"".join(field(9, field(1, b"key %d" % n)) for n in range(attributes))
    assert outcome(spans(raw(1), raw(2) + many, raw(3))) == (3, [])


def test_a_resource_or_scope_that_is_too_large_costs_the_spans_below_it() -> None:
    fine = spans(raw(1))
    large = b"\x0a\x00" * (MAX_RESOURCE.bytes // 2 + 1)
    documents, rejected = outcome(fine + spans(raw(2), raw(3), resource=large))
    assert documents == 1
    assert {one.message[:29] for one in rejected} == {"the resource has 262,146 bytes"[:29]}
    documents, rejected = outcome(fine + spans(raw(2), scope=large))
    assert documents == 1
    assert "the scope has 262,146 bytes" in rejected[0].message


def test_a_request_with_too_many_attributes_is_refused() -> None:
    """Before they are parsed; a span that is too large by itself is not counted."""
    many = EMPTY * (MAX_MESSAGES_ALONE - 10)
    few = MAX_MESSAGES // (MAX_MESSAGES_ALONE - 10)
    bomb = raw(1) + EMPTY * MAX_MESSAGES
    assert outcome(spans(bomb, *[raw(id) + many for id in range(2, few + 2)]))[0] == few
    body = spans(*[raw(id) + many for id in range(1, few + 2)])
    for decode in (decode_otlp_columns, lambda body, version: list(decode_otlp(body, version))):
        with pytest.raises(Rejected, match="more than 1,000,000 attributes"):
            decode(body, 1)


ELEMENTS: list[tuple[Callable[[bytes], Any], bytes]] = [
    (decode_logs, b"\x32\x00"),
    (decode_metrics, b"\x62\x00"),
]


@pytest.mark.parametrize(("decode", "attribute"), ELEMENTS, ids=["logs", "metrics"])
def test_log_records_and_metrics_are_bounded_in_the_same_way(
    decode: Callable[[bytes], Any], attribute: bytes
) -> None:
    found = decode(spans(b"", attribute * (MAX_MESSAGES_ALONE + 1), b"\x0a", b""))
    assert [one.message for one in found.rejected] == [
        f"the {'log record' if decode is decode_logs else 'metric'} has more than 40,000 attributes, events and values",
        f"the {'log record' if decode is decode_logs else 'metric'} is not readable as OTLP",
    ]
    with pytest.raises(Rejected, match=r"documents in one request"):
        decode(spans(*[b""] * 1_200_000))
    assert len(decode(spans(b"", resource=b"\x0a\x00" * MAX_RESOURCE.bytes)).rejected) == 1


def test_points_are_bounded() -> None:
    """Also those that are not stored."""
    points = b"\x0a\x00" * 30_000
    body = spans(*[field(1, b"a") + field(5, points)] * 4)
    with pytest.raises(Rejected, match="more than 50,000 points"):
        decode_metrics(body)


JSON: list[tuple[Callable[[bytes], Any], tuple[str, str, str]]] = [
    (lambda body: decode_otlp_json_columns(body, 1), ("resourceSpans", "scopeSpans", "spans")),
    (decode_json_logs, ("resourceLogs", "scopeLogs", "logRecords")),
    (decode_json_metrics, ("resourceMetrics", "scopeMetrics", "metrics")),
]


@pytest.mark.parametrize(("decode", "keys"), JSON, ids=["traces", "logs", "metrics"])
class TestJson:
    @pytest.mark.parametrize(
        "body", [b"true", b"5", b'"x"', b"[]", b"null", b"{", b"\xff", b"1e999"]
    )
    def test_what_is_no_object_is_refused(
        self, decode: Callable[[bytes], Any], keys: tuple[str, str, str], body: bytes
    ) -> None:
        with pytest.raises(Rejected, match="the body is not"):
            decode(body)

    def test_an_element_costs_itself_alone(
        self, decode: Callable[[bytes], Any], keys: tuple[str, str, str]
    ) -> None:
        resources, scopes, items = keys
        large = {"unknown": ["x" * 999_999] * 3}
        many = {"unknown": [0] * 90_000}
        given = [large, many, 5, {"name": "\ud800"}, {"attributes": "x", "metadata": 5}]
        body = json.dumps({resources: [{scopes: [{items: given}]}]}).replace("\\ud800", "\xff", 1)
        found = decode(body.encode("latin-1"))
        messages = [one[1] if isinstance(one, tuple) else one for one in found.rejected]
        texts = [one.message for one in messages]
        assert f"{resources}[0].{scopes}[0].{items}[0]: the" in texts[0]
        assert "2,097,152 are taken" in texts[0]
        assert "more than 80,000 values" in texts[1]
        assert f"{items}[2]: expected an object" in texts[2]
        assert len(texts) == 5


TREE = st.recursive(
    st.just(b""),
    lambda inner: st.lists(st.tuples(st.integers(1, 13), inner), max_size=4).map(
        lambda fields: b"".join(field(number, content) for number, content in fields)
    ),
    max_leaves=30,
)


@given(TREE | st.binary(max_size=60), st.sampled_from([SPAN, PAIR]))
def test_the_bound_is_never_below_the_count(body: bytes, shape: Shape) -> None:
    """What is counted cheaply is at least what is there."""
    assert len(body.translate(None, shape.others)) >= shape.count(body, 1_000)


def test_messages_are_counted_at_any_depth() -> None:
    body = export(span(SERVER, {"a": [1, {"b": 2}], "c": "d"}, id=1))
    frames = spans(raw(1))
    assert SPAN.count(raw(1), 100) == 2
    assert Shape({1: Shape({2: Shape({2: SPAN})})}).count(frames, 100) == 5
    assert Shape({1: Shape({2: Shape({2: SPAN})})}).count(bytes(body), 100) >= 3 + 4 + 2
