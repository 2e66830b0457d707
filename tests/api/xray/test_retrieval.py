"""Trace retrieval as boto3 sees it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.xray import retrieval
from collector.decode.document import decode_document
from store.memory import MemoryStore
from store.model import Link, NodeKey
from store.times import SECOND
from store.trace_id import format_trace_id
from tests.api.shop import END, START, shop
from tests.builders import T0, call, segment, trace_id

ID = format_trace_id(trace_id(99))
WINDOW = {"StartTime": START, "EndTime": END}


def start(xray: Any, *ids: str, **window: Any) -> str:
    token: str = xray.start_trace_retrieval(TraceIds=list(ids), **(window or WINDOW))[
        "RetrievalToken"
    ]
    return token


def test_documents_are_those_of_batch_get_traces(store: MemoryStore, xray: Any) -> None:
    store.put(shop(), "shop")
    token = start(xray, ID, trace_id(99).hex(), format_trace_id(trace_id(7)))
    found = xray.list_retrieved_traces(RetrievalToken=token)
    assert (found["RetrievalStatus"], found["TraceFormat"]) == ("COMPLETE", "XRAY")
    (trace,) = found["Traces"]
    (expected,) = xray.batch_get_traces(TraceIds=[ID])["Traces"]
    assert (trace["Id"], trace["Duration"]) == (ID, expected["Duration"])
    assert trace["Spans"] == expected["Segments"]
    assert "NextToken" not in found


def test_spans_are_opentelemetrys(store: MemoryStore, xray: Any) -> None:
    body = {
        "name": "shop", "id": "00000000000000a1", "trace_id": ID, "start_time": START,
        "end_time": START + 1, "http": {"request": {"method": "GET"}},
    }  # fmt: skip
    store.put([decode_document(json.dumps(body).encode(), 1)], "t")
    found = xray.list_retrieved_traces(RetrievalToken=start(xray, ID), TraceFormat="OTEL")
    assert found["TraceFormat"] == "OTEL"
    (span,) = found["Traces"][0]["Spans"]
    document = json.loads(span["Document"])
    assert span["Id"] == document["spanId"] == "00000000000000a1"
    assert document["traceId"] == trace_id(99).hex()
    assert document["resource"]["attributes"]


def test_pages_have_five_traces_of_a_hundred_spans(store: MemoryStore, xray: Any) -> None:
    documents = [segment(n + 1, trace_id=trace_id(1)) for n in range(250)]
    documents += [segment(1, trace_id=trace_id(n)) for n in range(2, 10)]
    store.put(documents, "many")
    token = start(xray, *(format_trace_id(trace_id(n)) for n in range(1, 10)))
    pages: list[Any] = [xray.list_retrieved_traces(RetrievalToken=token)]
    while "NextToken" in pages[-1]:
        more = {"NextToken": pages[-1]["NextToken"]}
        pages.append(xray.list_retrieved_traces(RetrievalToken=token, **more))
    traces = [trace for page in pages for trace in page["Traces"]]
    assert [len(page["Traces"]) for page in pages] == [5, 5, 1]
    assert [len(trace["Spans"]) for trace in traces] == [100, 100, 50, *[1] * 8]
    assert len({(t["Id"], span["Id"]) for t in traces for span in t["Spans"]}) == 258


def test_both_ends_of_the_window_are_in_it(store: MemoryStore, xray: Any) -> None:
    at = START + 5
    store.put([segment(trace_id=trace_id(99), start=at * SECOND, end=at * SECOND)], "t")
    for first, last, count in ((at, at, 1), (at - 1, at, 1), (at, at + 1, 1), (at + 1, at + 2, 0)):
        token = start(xray, ID, StartTime=first, EndTime=last)
        assert len(xray.list_retrieved_traces(RetrievalToken=token)["Traces"]) == count


def test_the_graph_of_the_traces_with_their_links(store: MemoryStore, xray: Any) -> None:
    queue = NodeKey("", "jobs", "AWS::SQS::Queue")
    send = call(0xC1, node=queue, service="SQS", end=T0 + 11_000)
    taken = Link(trace_id(1), 0xC1, received=T0 + 2_011_000)
    worker = segment(0xB1, trace_id=trace_id(2), name="worker", links=(taken,))
    store.put([segment(trace_id=trace_id(1), calls=(send,)), worker], "t")
    ids = [format_trace_id(trace_id(n)) for n in (1, 2)]
    found = xray.get_retrieved_traces_graph(RetrievalToken=start(xray, *ids))
    assert found["RetrievalStatus"] == "COMPLETE"
    services = {each["Service"]["Name"]: each for each in found["Services"]}
    assert set(services) == {"frontend", "jobs", "worker"}
    assert services["worker"]["Links"] == [
        {"ReferenceType": "parent", "SourceTraceId": ids[0], "DestinationTraceIds": [ids[1]]}
    ]
    assert services["jobs"]["Links"] == []
    expected = xray.get_trace_graph(TraceIds=ids)["Services"]
    assert [each["Service"] for each in found["Services"]] == expected


def test_after_cancellation_nothing_is_listed(store: MemoryStore, xray: Any) -> None:
    store.put(shop(), "shop")
    token = start(xray, ID)
    xray.cancel_trace_retrieval(RetrievalToken=token)
    found = xray.list_retrieved_traces(RetrievalToken=token)
    assert (found["RetrievalStatus"], found["Traces"]) == ("CANCELLED", [])
    graph = xray.get_retrieved_traces_graph(RetrievalToken=token)
    assert (graph["RetrievalStatus"], graph["Services"]) == ("CANCELLED", [])


def test_unknown_tokens_are_404(xray: Any) -> None:
    for call_it in (
        xray.cancel_trace_retrieval,
        xray.list_retrieved_traces,
        xray.get_retrieved_traces_graph,
    ):
        with pytest.raises(xray.exceptions.ResourceNotFoundException) as refused:
            call_it(RetrievalToken="none")
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
        assert refused.value.response["ResourceName"] == "none"


def test_retrievals_are_limited(xray: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval, "MAX_RETRIEVALS", 2)
    tokens = [start(xray, ID) for _ in range(2)]
    with pytest.raises(xray.exceptions.ThrottledException, match="2 retrievals") as refused:
        start(xray, ID)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    xray.cancel_trace_retrieval(RetrievalToken=tokens[0])
    start(xray, ID)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"TraceIds": [ID] * 101, **WINDOW}, "100 elements, got 101"),
        ({"TraceIds": ["x"], **WINDOW}, r"TraceIds\[0\]: expected 1-"),
        ({"TraceIds": [], "StartTime": END, "EndTime": START}, "must not be after"),
    ],
)
def test_invalid_requests(xray: Any, body: dict[str, Any], said: str) -> None:
    with pytest.raises(xray.exceptions.InvalidRequestException, match=said):
        xray.start_trace_retrieval(**body)
    with pytest.raises(xray.exceptions.InvalidRequestException, match="TraceFormat must be"):
        xray.list_retrieved_traces(RetrievalToken="x", TraceFormat="JSON")


def test_listed_traces_are_retrieved(store: MemoryStore, xray: Any) -> None:
    """The list goes by the time in the id: of the last second some segments begin after the window."""
    made = [
        segment(n, trace_id=trace_id(n), start=T0 + n * SECOND // 4, end=T0 + 2 * SECOND)
        for n in range(1, 6)
    ]
    store.put(made, "t")
    window = {"StartTime": START - 10, "EndTime": START + 0.1}
    listed = [each["Id"] for each in xray.get_trace_summaries(**window)["TraceSummaries"]]
    assert len(listed) == 5
    token = start(xray, *listed, **window)
    found = xray.list_retrieved_traces(RetrievalToken=token)["Traces"]
    assert {each["Id"] for each in found} == set(listed)
