"""Spans as Jaeger's UI and Grafana's data source read them: values written by hand."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from collector.decode.otlp.request import decode_otlp
from raymap.contrib.jaeger import spans as spans_module
from raymap.contrib.jaeger.schemas import JaegerTraces
from store.memory import MemoryStore
from store.model import Document
from tests.api.console.test_map import get
from tests.collector.otlp_samples import START, TRACE
from tests.raymap.contrib.jaeger.conftest import ARRIVED, BIG, worker

URL = f"/jaeger/api/traces/{TRACE.hex()}"
T = START // 1000


def trace(client: TestClient) -> Any:
    (found,) = get(client, URL, JaegerTraces)["data"]
    return found


def spans(client: TestClient) -> dict[str, Any]:
    """By the last two digits of their ids."""
    return {span["spanID"][-2:]: span for span in trace(client)["spans"]}


def tags(pairs: list[dict[str, Any]]) -> dict[str, tuple[str, Any]]:
    return {pair["key"]: (pair["type"], pair["value"]) for pair in pairs}


def test_a_span_of_opentelemetry(client: TestClient) -> None:
    span = spans(client)["01"]
    assert (span["operationName"], span["startTime"], span["duration"]) == (
        "GET /orders",
        T,
        10_000,
    )
    assert span["references"] == [
        {"refType": "CHILD_OF", "traceID": TRACE.hex(), "spanID": "00000000000000aa"}
    ]
    assert tags(span["tags"]) == {
        "http.request.method": ("string", "GET"),
        "http.response.status_code": ("int64", 503),
        "ratio": ("float64", 0.5),
        "big": ("int64", str(BIG)),
        "nothing": ("string", "nan"),
        "list": ("string", '["a",1]'),
        "blob": ("binary", "AP8="),
        "retry": ("bool", False),
        "span.kind": ("string", "server"),
        "otel.scope.name": ("string", "tests"),
        "otel.status_code": ("string", "ERROR"),
        "otel.status_description": ("string", "boom"),
        "error": ("bool", True),
        "w3c.tracestate": ("string", "ot=th:0"),
    }
    (log,) = span["logs"]
    assert log["timestamp"] == T
    assert tags(log["fields"]) == {"event": ("string", "cache miss"), "n": ("int64", 1)}


def test_a_segment_of_xray(client: TestClient) -> None:
    found = spans(client)
    front, call, local = found["a1"], found["aa"], found["ab"]
    assert (front["startTime"], front["duration"], front["references"]) == (
        T + 250_000,
        100_000,
        [],
    )
    assert tags(front["tags"]) == {
        "tier": ("string", "gold"),
        "age": ("int64", 42),
        "first": ("bool", True),
        "http.request.method": ("string", "GET"),
        "url.full": ("string", "http://x/a"),
        "http.response.status_code": ("int64", 502),
        "aws.xray.fault": ("bool", True),
        "span.kind": ("string", "server"),
        "otel.status_code": ("string", "ERROR"),
        "error": ("bool", True),
    }
    (log,) = front["logs"]
    assert log["timestamp"] == T + 350_000
    assert tags(log["fields"]) == {
        "event": ("string", "exception"),
        "exception.type": ("string", "Refused"),
        "exception.message": ("string", "no"),
    }
    assert [tags(each["tags"])["span.kind"][1] for each in (call, local)] == ["client", "internal"]
    assert {each["references"][0]["spanID"] for each in (call, local)} == {front["spanID"]}


def test_processes_are_resources(client: TestClient) -> None:
    found = trace(client)
    by_service = {each["serviceName"]: tags(each["tags"]) for each in found["processes"].values()}
    assert by_service.keys() == {"front", "shop"}
    assert by_service["shop"] == {"service.version": ("string", "1.2"), "host.cpus": ("int64", 4)}
    assert by_service["front"]["aws.xray.origin"] == ("string", "AWS::ECS::Container")
    owners = {s["spanID"][-2:]: found["processes"][s["processID"]]["serviceName"] for s in found["spans"]}  # fmt: skip
    assert {owners[id] for id in ("01", "02", "03", "04")} == {"shop"}
    assert {owners[id] for id in ("a1", "aa", "ab")} == {"front"}


def test_a_link_is_a_second_reference(client: TestClient) -> None:
    parent, link = spans(client)["04"]["references"]
    assert parent["refType"] == "CHILD_OF"
    other = (TRACE[:-1] + b"\7").hex()
    assert link == {"refType": "FOLLOWS_FROM", "traceID": other, "spanID": "0000000000000007"}


def test_a_span_in_progress_warns(client: TestClient) -> None:
    found = spans(client)
    assert found["03"]["duration"] == 0
    assert found["03"]["warnings"] == ["in progress: the span has no end yet"]
    assert found["01"]["warnings"] is None


def test_ids_are_accepted_in_every_spelling(client: TestClient) -> None:
    digits = TRACE.hex()
    for id in (digits.upper(), f"1-{digits[:8]}-{digits[8:]}", digits.lstrip("0")):
        found = get(client, f"/jaeger/api/traces/{id}?prettyPrint=true&start=1&end=2", JaegerTraces)
        assert [each["traceID"] for each in found["data"]] == [digits]


def test_a_huge_trace_is_cut_with_a_warning(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans_module, "MOST_SPANS", 5)
    found = trace(client)
    assert len(found["spans"]) == 5
    assert found["warnings"] == ["2 spans beyond 5 are left out"]


@pytest.mark.parametrize(("most", "expected"), [(10_000, [20, 100]), (60, [20, 30, 30, 30, 10])])
def test_traces_are_read_in_few_pages(
    monkeypatch: pytest.MonkeyPatch, most: int, expected: list[int]
) -> None:
    """Of so many that their spans have room: two each."""
    pages: list[int] = []

    class Pages(MemoryStore):
        def get_traces(self, trace_ids: Any, **options: Any) -> Any:
            pages.append(len(trace_ids))
            return super().get_traces(trace_ids, **options)

    store = Pages()
    bodies = [decode_otlp(worker(number), ARRIVED) for number in range(1, 121)]
    store.put([each for body in bodies for each in body if isinstance(each, Document)], "all")
    ids = [TRACE[:-1] + bytes([16 + number]) for number in range(1, 121)]
    monkeypatch.setattr(spans_module, "MOST_SPANS", most)
    assert [read.id for read in spans_module.read_traces(store, ids)] == ids
    assert pages == expected
