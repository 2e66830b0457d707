"""X-Ray's and W3C's spelling are one id in every place, and an id of random bytes stands in time
where its trace does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from collector.decode.document import decode_document
from collector.decode.otlp.request import decode_otlp
from store.memory import MemoryStore
from store.model import Document
from store.protocol import Store
from store.trace_id import format_trace_id
from tests.collector.otlp_samples import CLIENT, SERVER, export, span
from tests.collector.samples import START, segment_bytes

IDS = [
    bytes.fromhex("f0f1f2f3a1b2c3d4e5f60718293a4b5c"),  # an epoch far ahead
    bytes.fromhex("0000000100000000000000000000000d"),  # long ago
    int(START).to_bytes(4, "big") + bytes.fromhex("a1b2c3d4e5f60718293a4b5c"),  # as X-Ray's are
]
ARRIVED = round(START * 1e6) + 30_000_000
WINDOW = {"StartTime": START - 1, "EndTime": START + 60}


def documents_of(id: bytes) -> list[Document]:
    """One trace, whose documents spell its id in four ways."""
    bodies = [
        segment_bytes("00000000000000a1", trace_id=format_trace_id(id)),
        segment_bytes("00000000000000a2", trace_id=id.hex(), name="back",
                      parent_id="00000000000000b2"),
        segment_bytes("00000000000000a3", trace_id=id.hex().upper(), name="late",
                      parent_id="00000000000000a1", type="subsegment"),
    ]  # fmt: skip
    below: dict[str, Any] = {"trace_id": id, "parent": bytes(7) + b"\xa1"}
    spans = export(
        span(SERVER, id=0xB1, **below), span(CLIENT, {"peer.service": "back"}, id=0xB2, **below)
    )
    documents = [decode_document(body, ARRIVED) for body in bodies]
    documents += [d for d in decode_otlp(spans, ARRIVED) if isinstance(d, Document)]
    assert [document.trace_id for document in documents] == [id] * 5
    return documents


@pytest.fixture(params=["memory", "clickhouse"])
def client(request: pytest.FixtureRequest) -> Iterator[TestClient]:
    """A server with the three traces."""
    store: Store = MemoryStore()
    if request.param == "clickhouse":
        store = request.getfixturevalue("clickhouse_store")
    store.put([document for id in IDS for document in documents_of(id)], "three")
    with TestClient(create_app(store, version="0")) as client:
        yield client


def spellings(id: bytes) -> list[str]:
    return [format_trace_id(id), id.hex(), id.hex().upper(), format_trace_id(id).upper()]


def ask(client: TestClient, path: str, **members: Any) -> Any:
    answer = client.post(path, json=members)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_spelling_finds_the_trace(client: TestClient) -> None:
    """X-Ray's operations, the console's page (which deep links open), and the export."""
    for id, text in [(each, text) for each in IDS for text in spellings(each)]:
        batch = ask(client, "/Traces", TraceIds=[text])
        assert batch["UnprocessedTraceIds"] == []
        assert [trace["Id"] for trace in batch["Traces"]] == [format_trace_id(id)]
        graph = ask(client, "/TraceGraph", TraceIds=[text])
        assert {"frontend", "back", "shop"} <= {s["Name"] for s in graph["Services"]}
        page = client.get(f"/api/traces/{text}").json()
        assert (page["id"], page["w3c_id"]) == (format_trace_id(id), id.hex())
        assert {"frontend", "back", "late", "shop"} <= {row["name"] for row in page["rows"]}
        exported = client.get(f"/api/traces/{text}/otlp").json()
        spans = [s for part in exported["resourceSpans"] for s in part["scopeSpans"][0]["spans"]]
        assert [s["traceId"] for s in spans] == [id.hex()] * 5


def test_they_stand_where_their_traces_do(client: TestClient) -> None:
    """On each axis of GetTraceSummaries, in the lists and on the map, whatever epoch an id seems
    to have."""
    expected = {format_trace_id(id) for id in IDS}
    later = {"StartTime": START + 60, "EndTime": START + 120}
    for axis in ("TraceId", "Event", "Service"):
        found = ask(client, "/TraceSummaries", **WINDOW, TimeRangeType=axis)["TraceSummaries"]
        assert {summary["Id"] for summary in found} == expected, axis
        assert ask(client, "/TraceSummaries", **later, TimeRangeType=axis)["TraceSummaries"] == []
    window = f"from={START - 1}&to={START + 60}"
    lines = client.get(f"/api/traces?{window}").json()["traces"]
    assert {line["id"] for line in lines} == expected
    assert {line["start"] for line in lines} == {START - 0.25}
    figure = client.get(f"/api/traces/figure?{window}").json()
    assert {id for trace in figure["data"] for id in trace["customdata"]} == expected
    names = {node["name"] for node in client.get(f"/api/map?{window}").json()["nodes"]}
    assert {"frontend", "back", "shop"} <= names
