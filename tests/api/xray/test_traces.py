"""BatchGetTraces and GetTraceSummaries as boto3 sees them (docs/xray-format.md §4, §6)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.xray import traces
from api.xray.traces import Position, decode_position, encode_position, sampled
from store.errors import InvalidCursor
from store.memory import MemoryStore
from store.model import State, Trace
from store.query import Page, TraceQuery
from store.times import SECOND
from store.trace_id import format_trace_id
from tests.api.shop import END, START, order, shop
from tests.builders import T0, segment, subsegment, trace_id

Json = dict[str, Any]


def summaries(xray: Any, **more: Any) -> list[Json]:
    found: list[Json] = xray.get_trace_summaries(StartTime=START, EndTime=END, **more)[
        "TraceSummaries"
    ]
    return found


def test_batch_gives_traces_and_says_which_it_has_not(store: MemoryStore, xray: Any) -> None:
    store.put(shop(), "shop")
    known, unknown = format_trace_id(trace_id(99)), format_trace_id(trace_id(7))
    answer = xray.batch_get_traces(TraceIds=[known, unknown, "nonsense"])
    assert answer["UnprocessedTraceIds"] == [unknown, "nonsense"]
    (trace,) = answer["Traces"]
    assert trace["Id"] == known
    assert trace["Duration"] == 0.1
    assert trace["LimitExceeded"] is False
    documents = [json.loads(each["Document"]) for each in trace["Segments"]]
    assert [each["Id"] for each in trace["Segments"]] == [each["id"] for each in documents]
    assert {each["trace_id"] for each in documents} == {known}
    assert [len(each.get("subsegments", [])) for each in documents] == [0, 1]


def test_both_spellings_name_one_trace(store: MemoryStore, xray: Any) -> None:
    store.put(shop(), "shop")
    ids = [format_trace_id(trace_id(99)), trace_id(99).hex()]
    answer = xray.batch_get_traces(TraceIds=ids)
    assert len(answer["Traces"]) == 1
    assert answer["UnprocessedTraceIds"] == []


def test_batch_takes_five_ids(xray: Any) -> None:
    ids = [format_trace_id(trace_id(n)) for n in range(6)]
    with pytest.raises(xray.exceptions.InvalidRequestException, match="5 elements, got 6"):
        xray.batch_get_traces(TraceIds=ids)


def test_summary_says_what_the_entry_saw(store: MemoryStore, xray: Any) -> None:
    store.put([order(1)], "t")
    (summary,) = summaries(xray)
    front = {"Name": "front", "Names": ["front"], "Type": "AWS::ECS::Container"}
    assert summary["StartTime"].timestamp() == START + 1
    assert (summary["Duration"], summary["ResponseTime"]) == (0.1, 0.1)
    assert summary["Http"] == {
        "HttpURL": "http://shop.example.com/",
        "HttpStatus": 200,
        "HttpMethod": "GET",
    }
    assert summary["EntryPoint"] == front
    assert summary["Users"] == [{"UserName": "alice", "ServiceIds": [front]}]
    assert {(s["Name"], s.get("Type")) for s in summary["ServiceIds"]} == {
        ("backend.example.com", "remote"),
        ("front", "AWS::ECS::Container"),
        ("front", "client"),
        ("orders", "AWS::DynamoDB::Table"),
    }
    values = {k: v[0]["AnnotationValue"] for k, v in summary["Annotations"].items()}
    assert values == {
        "tier": {"StringValue": "gold"},
        "age": {"NumberValue": 42},
        "first": {"BooleanValue": True},
    }
    assert summary["Revision"] == 1
    assert "MatchedEventTime" not in summary
    for empty in ("ResourceARNs", "InstanceIds", "AvailabilityZones", "FaultRootCauses"):
        assert summary[empty] == []


@pytest.mark.parametrize(
    ("state", "flags"),
    [
        (State.OK, (False, False, False)),
        (State.ERROR, (False, True, False)),
        (State.THROTTLE, (False, True, True)),
        (State.FAULT, (True, False, False)),
    ],
)
def test_a_throttle_is_an_error_too(
    store: MemoryStore, xray: Any, state: State, flags: tuple[bool, bool, bool]
) -> None:
    store.put([order(1, state)], "t")
    (summary,) = summaries(xray)
    assert (summary["HasFault"], summary["HasError"], summary["HasThrottle"]) == flags


def test_what_is_not_over_is_partial_and_has_no_response_time(
    store: MemoryStore, xray: Any
) -> None:
    store.put([segment(trace_id=trace_id(1), state=State.IN_PROGRESS)], "t")
    (summary,) = summaries(xray)
    assert summary["IsPartial"] is True
    assert "ResponseTime" not in summary


def test_orphans_have_no_entry(store: MemoryStore, xray: Any) -> None:
    store.put([subsegment(trace_id=trace_id(1))], "t")
    (summary,) = summaries(xray)
    assert "EntryPoint" not in summary
    assert summary["Http"] == {}


def test_pages_hold_every_trace_once_newest_first(store: MemoryStore, xray: Any) -> None:
    store.put([order(n, calls=()) for n in range(250)], "t")
    pages = list(xray.get_paginator("get_trace_summaries").paginate(StartTime=START, EndTime=END))
    sizes = [len(page["TraceSummaries"]) for page in pages]
    assert sizes == [100, 100, 50]
    times = [s["StartTime"] for page in pages for s in page["TraceSummaries"]]
    assert times == sorted(times, reverse=True)
    assert len(set(times)) == 250
    assert sum(page["TracesProcessedCount"] for page in pages) == 250
    assert pages[0]["ApproximateTime"].timestamp() == START + 150
    assert pages[-1]["ApproximateTime"].timestamp() == START


def test_each_axis_has_its_own_time(store: MemoryStore, xray: Any) -> None:
    """Arrived at +300 s, ended at +1 s, id from -3600 s."""
    late = segment(
        trace_id=trace_id(1, epoch=START - 3600), end=T0 + SECOND, version=T0 + 300 * SECOND
    )
    store.put([late], "t")
    assert summaries(xray) == []
    assert len(summaries(xray, TimeRangeType="Service")) == 1
    (summary,) = summaries(xray, TimeRangeType="Event")
    assert summary["MatchedEventTime"].timestamp() == START + 300


def test_fixed_rate_keeps_the_same_share_every_time(store: MemoryStore, xray: Any) -> None:
    store.put([order(n, calls=()) for n in range(90)], "t")
    half = {"Sampling": True, "SamplingStrategy": {"Name": "FixedRate", "Value": 0.5}}
    answer = xray.get_trace_summaries(StartTime=START, EndTime=END, **half)
    assert 20 < len(answer["TraceSummaries"]) < 70
    assert answer["TracesProcessedCount"] == 90
    assert answer["TraceSummaries"] == summaries(xray, **half)
    scan = {"Sampling": True, "SamplingStrategy": {"Name": "PartialScan", "Value": 0.1}}
    assert len(summaries(xray, **scan)) == 90


class Indexed(MemoryStore):
    """Its index rules out what does not match, so that nothing else is examined."""

    def find_traces(
        self, query: TraceQuery, *, limit: int, cursor: str | None = None, raw: bool = False
    ) -> Page:
        page = super().find_traces(query, limit=limit, cursor=cursor)
        return page._replace(scanned=len(page.found))


def test_processed_traces_are_those_that_did_not_match_too() -> None:
    """Page by page those between the first and the last, some of one second; all in the end."""
    store = Indexed()
    failed = [n % 2 == 0 for n in range(250)]
    made = [segment(n + 1, trace_id=trace_id(n, START + n // 10), start=T0 + n // 10 * SECOND,
                    state=State.FAULT if failed[n] else State.OK) for n in range(250)]  # fmt: skip
    store.put(made, "t")
    client = TestClient(create_app(store, version="1"))
    body = {"StartTime": START, "EndTime": END, "FilterExpression": "fault"}
    first = client.post("/TraceSummaries", json=body).json()
    second = client.post("/TraceSummaries", json={**body, "NextToken": first["NextToken"]}).json()
    assert [len(page["TraceSummaries"]) for page in (first, second)] == [100, 25]
    counts = [page["TracesProcessedCount"] for page in (first, second)]
    assert sum(counts) == 250
    assert counts[0] in range(199, 201)
    nothing = client.post("/TraceSummaries", json={**body, "FilterExpression": "throttle"}).json()
    assert (nothing["TraceSummaries"], nothing["TracesProcessedCount"]) == ([], 250)


def test_samples_are_nested() -> None:
    for number in range(200):
        id = trace_id(number)
        assert not sampled(id, 0)
        assert sampled(id, 1)
        assert sampled(id, 0.7) or not sampled(id, 0.3)


def test_filter_expressions(store: MemoryStore, xray: Any) -> None:
    store.put([order(number) for number in range(3)], "t")
    name = store.get_traces([order(1).trace_id])[order(1).trace_id].documents[order(1).id].node.name
    assert len(summaries(xray, FilterExpression="")) == 3
    assert len(summaries(xray, FilterExpression=f'service("{name}")')) == 3
    assert summaries(xray, FilterExpression=f'!service("{name}")') == []
    assert len(summaries(xray, FilterExpression='group.name = "Default" AND duration >= 0')) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fualt", "at position 1; did you mean fault"),
        ('service("x") { fault', "ends where '}' .* at position 21"),
        ('ok AND group.name = "mine"', "there is no group 'mine' at position 8"),
    ],
)
def test_invalid_filter_expressions(xray: Any, text: str, said: str) -> None:
    with pytest.raises(xray.exceptions.InvalidRequestException, match=said):
        summaries(xray, FilterExpression=text)


def test_foreign_token_is_refused(xray: Any) -> None:
    with pytest.raises(xray.exceptions.InvalidRequestException, match="not given by this server"):
        summaries(xray, NextToken="abc")


LARGE, SMALL = trace_id(1), trace_id(2)
IDS = [format_trace_id(LARGE), format_trace_id(SMALL)]


def put_large(store: MemoryStore, segments: int) -> None:
    documents = [segment(n + 1, trace_id=LARGE, parent_id=min(n, 1)) for n in range(segments)]
    store.put([*documents, segment(1, trace_id=SMALL)], "large")


def test_a_large_trace_answers_in_pages(
    store: MemoryStore, xray: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "PAGE_SEGMENTS", 50)
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
    monkeypatch.setattr(traces, "PAGE_SEGMENTS", 2)
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
    monkeypatch.setattr(traces, "PAGE_BYTES", 1)
    put_large(store, 2)
    pages = list(xray.get_paginator("batch_get_traces").paginate(TraceIds=[*IDS, "nonsense"]))
    assert [len(page["Traces"]) for page in pages] == [1, 1, 1]
    assert [page["UnprocessedTraceIds"] for page in pages] == [["nonsense"], [], []]


def test_a_trace_may_grow_between_pages(
    store: MemoryStore, xray: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "PAGE_SEGMENTS", 3)
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
