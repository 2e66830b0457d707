"""Many documents read by column are what each of them is alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.decode.columnar.documents import decode_columns
from collector.decode.document import MAX_NESTING, decode_document
from collector.decode.item_size import DEFAULT
from collector.decode.rejected import Rejected
from store.columnar import CallColumns, DocumentColumns, columns_of
from store.model import Document
from tests.collector.samples import START, TRACE_ID, segment_bytes


def alone(raws: Sequence[bytes], version: int) -> tuple[list[Document], list[tuple[int, str]]]:
    """What the documents are, and what is said of the others."""
    documents: list[Document] = []
    rejected = []
    for place, raw in enumerate(raws):
        try:
            documents.append(decode_document(raw, version + place))
        except Rejected as rejection:
            rejected.append((place, str((rejection.reason, rejection.message, rejection.id))))
    return documents, rejected


def agree(raws: Sequence[bytes]) -> None:
    """The two ways say the same."""
    documents, rejected = alone(raws, 7)
    columns, bad = decode_columns(raws, 7)
    assert [(place, str((r.reason, r.message, r.id))) for place, r in bad] == rejected
    expected = columns_of(documents)
    for field in DocumentColumns.__struct_fields__:
        if field not in ("calls", "parts"):
            assert list(getattr(columns, field)) == list(getattr(expected, field)), field
    # A subsegment's own call comes before those of all other documents: rows have no order.
    assert sorted(_rows(columns.calls)) == sorted(_rows(expected.calls))


def _rows(calls: CallColumns) -> list[tuple[Any, ...]]:
    return list(zip(*(getattr(calls, name) for name in CallColumns.__struct_fields__), strict=True))


ID = st.sampled_from(["00000000000000b1", "00000000000000b2", "0" * 16, "nonsense", "é" * 16, None])
TIME = st.sampled_from([START, START + 0.25, 0, -1, 1e13, 253_402_300_799.9999999, None, "now"])
FLAG = st.sampled_from([None, None, False, True, "yes"])
ANNOTATIONS: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from(["a", "b", "c=d", "version", "deployment.environment"]),
    st.sampled_from(["x", "ü", 1, 1.0, True, 2.5, None, [], "long" * 300]),
    max_size=3,
)
AWS = st.fixed_dictionaries(
    {},
    optional={
        "account_id": st.sampled_from(["111122223333", 5]),
        "region": st.sampled_from(["us-east-1", "aws-global", 5]),
        "table_name": st.sampled_from(["orders", ["orders"], {}]),
        "resource_names": st.sampled_from([["one"], [["odd"]], "one"]),
        "ec2": st.sampled_from([{"instance_id": "i-1", "availability_zone": "eu-west-1a"}, {}]),
        "ecs": st.sampled_from([{"availability_zone": "eu-west-1b"}, "ecs"]),
        "api_gateway": st.sampled_from([{"account_id": "4", "stage": "prod"}, {"stage": 5}, {}]),
        "function_arn": st.just("arn:aws:lambda:eu-west-1:111122223333:function:f:42"),
        "event_source_arn": st.sampled_from(["arn:aws:sqs:eu-west-1:111122223333:q", "q", 5, []]),
    },
)
REQUEST = {"method": "GET", "url": "http://b/x", "client_ip": "192.0.2.1", "traced": True}
HTTP = st.sampled_from(
    [
        {"request": REQUEST, "response": {"status": 200}},
        {"request": {"user_agent": "curl"}, "response": {"status": 429}},
        {"response": {"status": 503}},
        {"response": {"status": 99_999}},
        {"request": {}},
        {},
        "http",
    ]
)
CAUSE = st.sampled_from(
    [
        "00000000000000e1",
        {"exceptions": [{"id": "00000000000000e1", "type": "KeyError"}]},
        {"exceptions": [{"id": "00000000000000e2"}, {"type": "Later"}]},
        {},
        5,
    ]
)
LINKS = st.lists(
    st.fixed_dictionaries(
        {
            "trace_id": st.sampled_from([TRACE_ID, TRACE_ID[:-1] + "f", "none"]),
            "id": st.sampled_from(["00000000000000d1", "bad"]),
        },
        optional={"attributes": st.just({"aws.xray.reserved.reference_type": "child"})},
    )
    | st.fixed_dictionaries(
        {},
        optional={"attributes": st.sampled_from([{"raymap.messages": n} for n in (3, 0, -1, 1 << 40, "4", 2.0, 1.5)])},
    ),
    max_size=2,
)  # fmt: skip
COMMON: dict[str, st.SearchStrategy[Any]] = {
    "namespace": st.sampled_from(["aws", "remote", "local", None]),
    "name": st.sampled_from(["DynamoDB", "host.example.com", "", None, "n" * 201, 5]),
    "origin": st.sampled_from(["Database::SQL", "AWS::EC2::Instance", None]),
    "in_progress": FLAG,
    "error": FLAG,
    "fault": FLAG,
    "throttle": FLAG,
    "annotations": ANNOTATIONS,
    "aws": AWS,
    "http": HTTP,
    "cause": CAUSE,
    "links": LINKS,
    "start_time": TIME,
    "end_time": TIME,
}
SUBSEGMENT = st.recursive(
    st.fixed_dictionaries(
        {"id": ID},
        optional=COMMON | {"traced": FLAG, "sql": st.just({"url": "postgresql://db/orders"})},
    ),
    lambda inner: st.fixed_dictionaries(
        {"id": ID, "name": st.just("step"), "subsegments": st.lists(inner, max_size=3)}
    ),
    max_leaves=4,
)
ROOT = st.fixed_dictionaries(
    {},
    optional=COMMON
    | {
        "id": ID,
        "trace_id": st.sampled_from(
            [
                TRACE_ID,
                TRACE_ID[2:].replace("-", ""),
                "1-00000000-" + "0" * 24,
                "1-0000-000" + "0" * 25,
                "1-" + "ä" * 33,
                None,
                5,
            ]
        ),
        "parent_id": ID,
        "type": st.sampled_from(["subsegment", "segment", None]),
        "user": st.sampled_from(["ann", "é", 5]),
        "inferred": FLAG,
        "service": st.sampled_from([{"version": "7"}, {"version": 7}, {"version": []}, {}, "7"]),
        "subsegments": st.lists(SUBSEGMENT, max_size=3),
    },
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(ROOT, st.just({})), max_size=5))
def test_whatever_comes(changes: list[dict[str, Any]]) -> None:
    """Odd and usual documents, valid and not, in any combination."""
    agree([segment_bytes(**change) for change in changes])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "subsegments": st.lists(
                    st.fixed_dictionaries(
                        {"id": ID, "name": st.just("SQS")},
                        optional={key: value for key, value in COMMON.items() if key != "name"},
                    ),
                    max_size=3,
                )
            },
            optional={"http": HTTP, "annotations": ANNOTATIONS, "cause": CAUSE, "aws": AWS},
        ),
        max_size=4,
    )
)
def test_what_is_usual_outside(changes: list[dict[str, Any]]) -> None:
    """Ids and times of the documents are all right, so that none is judged alone."""
    agree([segment_bytes(**change) for change in changes])


def test_bytes_that_are_no_document() -> None:
    """One of them costs its neighbours nothing, and each limit applies to each document."""
    deep = segment_bytes(metadata=json.loads("[" * MAX_NESTING + "]" * MAX_NESTING))
    wide = segment_bytes(metadata=[[] for _ in range(MAX_NESTING)])
    long = segment_bytes(metadata="x" * DEFAULT)
    broken = segment_bytes().replace(b"frontend", b"front\xff\xfe")
    hidden = segment_bytes(metadata="y").replace(b'"y"', b'"\xff"')
    usual = [segment_bytes(f"{id:016x}") for id in range(1, 4)]
    for odd in (deep, wide, long, broken, hidden, b"{", b"{}", b"", b"[1]", b"{'a':1}"):
        agree([*usual, odd, *usual])
        agree([odd])
    agree([])
    columns, rejected = decode_columns([*usual, wide, deep], 7)
    assert (len(columns), [place for place, _ in rejected]) == (4, [4])
