"""Documents decoded twice: the map is what their bytes say, or the difference is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from msgspec.structs import replace
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.document import decode_documents
from collector.decode.otlp.request import decode_otlp
from raymap.commands import verify as command
from store.clickhouse.graph.verify_decoding import DecodedMinute
from store.clickhouse.store import ClickHouseStore
from store.model import Document, NodeKey, State, TimeRange
from store.second_decoder.traces import Sources
from store.times import MINUTE, SECOND
from tests.collector import otlp_samples
from tests.collector.otlp_samples import (
    CLIENT,
    CONSUMER,
    PRODUCER,
    SERVER,
    checkout_export,
    export,
    span,
)
from tests.collector.samples import START, segment_bytes
from tests.collector.test_any_order import START as FOREST
from tests.collector.test_any_order import Forest, otlp
from tests.vectors import NOON, demo_documents

AT = int(START) * SECOND // MINUTE * MINUTE
LATER = AT + 1
"""Versions are times of arrival, from which rows expire."""
WINDOW = TimeRange(AT - 10 * MINUTE, AT + 10 * MINUTE)
TRACE, OTHER = otlp_samples.TRACE, otlp_samples.TRACE[:-1] + b"\x02"


def compared(store: ClickHouseStore, window: TimeRange = WINDOW) -> tuple[Sources, list[str]]:
    """What was compared, and the differences as text."""
    sources, lines = Sources(), []
    for part in store.verify_decoding(window):
        assert not part.left_out
        assert part.figures
        sources += part.sources
        lines += [
            f"{each.kind} {each.source}>{each.target}: {each.counted} / {each.rows} {each.trace}"
            for each in part.differences
        ]
    return sources, lines


def documents() -> list[Document]:
    """X-Ray documents and spans with calls, failures, links and messages."""
    call = {"id": "00000000000000b1", "start_time": START, "end_time": START + 0.01, "namespace": "aws",
            "name": "DynamoDB", "aws": {"table_names": ["a", "b"]}}  # fmt: skip
    raws = [
        segment_bytes(subsegments=[call, {**call, "id": None}, {**call, "id": "00000000000000b3", "fault": True}]),
        segment_bytes("00000000000000a2", type="subsegment", namespace="remote", name="pay", parent_id="00000000000000a1"),
        segment_bytes("00000000000000a3", parent_id="00000000000000a2", in_progress=True, end_time=None),
    ]  # fmt: skip
    found: list[Any] = [each for raw in raws for each in decode_documents(raw, AT)]
    link = Span.Link(trace_id=TRACE, span_id=(0xC2).to_bytes(8, "big"))
    spans = [
        span(SERVER, {"http.response.status_code": 429}, id=0xC1, parent=b""),
        span(PRODUCER, {"messaging.system": "kafka", "messaging.destination.name": "orders"}, id=0xC2),
        span(CONSUMER, {"messaging.system": "kafka"}, id=0xC3, parent=b"", trace_id=OTHER, links=[link]),
        span(CLIENT, {"peer.service": "pay", "http.response.status_code": 503}, id=0xC4, trace_id=OTHER, parent=b""),
    ]  # fmt: skip
    found += decode_otlp(export(*spans), AT)
    return [each for each in found if isinstance(each, Document)]


def test_no_difference(clickhouse_store: ClickHouseStore) -> None:
    """Documents of both formats, their links and messages."""
    given = documents()
    clickhouse_store.put(given, "a")
    sources, lines = compared(clickhouse_store)
    assert lines == []
    assert sources == Sources(decoded=len(given))


def test_demo_and_forests(clickhouse_store: ClickHouseStore) -> None:
    """Traffic of the demo, and random traces."""
    found: list[Any] = [each for raw in demo_documents(60) for each in decode_documents(raw, AT)]
    for seed in range(12):
        spans = Forest(seed, shares_ids=False).spans
        found += otlp(spans, FOREST * SECOND) if spans else []
    found += decode_otlp(checkout_export(), AT)
    clickhouse_store.put(found, "a")
    noon = int(NOON) * SECOND
    sources, lines = compared(clickhouse_store, TimeRange(AT - 10 * MINUTE, noon + 10 * MINUTE))
    assert lines == []
    assert sources.decoded > 400
    assert sources == Sources(decoded=sources.decoded)


def test_what_only_rows_know(clickhouse_store: ClickHouseStore) -> None:
    """A call that a later copy leaves out stays on the map; bytes that are not stored, or are no document, are counted."""
    call = {
        "id": "00000000000000b1",
        "name": "pay",
        "namespace": "remote",
        "start_time": START,
        "end_time": START + 1,
    }
    (first,) = decode_documents(segment_bytes(subsegments=[call]), AT)
    (second,) = decode_documents(segment_bytes(), LATER)
    (lost,), (odd,) = (
        decode_documents(segment_bytes(id), AT) for id in ("00000000000000a7", "00000000000000a8")
    )
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert isinstance(lost, Document)
    assert isinstance(odd, Document)
    clickhouse_store.put([first, replace(lost, raw=b""), replace(odd, raw=b"{")], "a")
    clickhouse_store.put([second], "b")
    sources, lines = compared(clickhouse_store)
    assert lines == []
    assert sources == Sources(decoded=1, documents=1, unreadable=1, calls=1)


def altered(where: Callable[[Document], bool], **change: Any) -> list[Document]:
    return [replace(each, **change) if where(each) else each for each in documents()]


def first_call(document: Document, **change: Any) -> Document:
    return replace(document, calls=(replace(document.calls[0], **change), *document.calls[1:]))


FAULTS: dict[str, Iterable[Document]] = {
    "a state": altered(lambda d: d.id == 0xC1, state=State.ERROR),
    "a service": altered(lambda d: d.id == 0xC1, node=NodeKey("", "shopp", "")),
    "a region": altered(lambda d: d.id == 0xA1, node=NodeKey("", "frontend", "", "eu-west-1")),
    "a link": altered(lambda d: d.id == 0xC3, links=()),
    "a call": altered(lambda d: d.id == 0xC2, calls=()),
    "a weight": altered(lambda d: d.id == 0xC1, weight=8),
    "a parent": altered(lambda d: d.id == 0xA3, parent_id=0),
    "an end": altered(lambda d: d.id == 0xA1, end=AT + MINUTE),
    "an exception": altered(lambda d: d.id == 0xC1, exception="KeyError"),
    "what is in front": altered(lambda d: d.id == 0xC1, before=NodeKey("", "edge", "remote")),
    "a callee": [
        first_call(d, node=NodeKey("", "c", "AWS::DynamoDB::Table")) if d.id == 0xA1 else d for d in documents()
    ],
    "a name for it": [first_call(d, host="h") if d.id == 0xA2 else d for d in documents()],
    "a call's state": [first_call(d, state=State.FAULT) if d.id == 0xA1 else d for d in documents()],
    "a streamed call": altered(lambda d: d.id == 0xA2, calls=()),
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTS)
def test_rows_that_are_wrong(clickhouse_store: ClickHouseStore, what: str) -> None:
    """What a faulty decoder put into the rows is shown with a trace in which it is, though rows and rollups agree."""
    clickhouse_store.put(list(FAULTS[what]), "a")
    assert [each for part in clickhouse_store.verify(WINDOW) for each in part.differences] == []
    _, lines = compared(clickhouse_store)
    assert lines
    assert all(line.rpartition(" ")[2].startswith("1-6b061440-") for line in lines)


def test_command(clickhouse_store: ClickHouseStore, capfd: pytest.CaptureFixture[str]) -> None:
    """It prints what differs, and says what was compared."""
    clickhouse_store.put(list(FAULTS["a state"]), "a")
    start, end = (str(each // SECOND) for each in WINDOW)
    assert not command.verify([clickhouse_store.address], start, end, decode=True)
    printed, status = capfd.readouterr()
    assert "node shop" in printed
    assert "  the map    failures {'2:HTTP 429': 1}, error 1, throttle 0\n" in printed
    assert "  the bytes  failures {'3:HTTP 429': 1}, error 0, throttle 1\n" in printed
    assert "  as in      1-6b061440-" in printed
    assert "documents decoded" in status


def test_minutes_without_rows(clickhouse_store: ClickHouseStore) -> None:
    """There is nothing to compare, and nothing fails."""
    assert list[DecodedMinute](clickhouse_store.verify_decoding(WINDOW)) == []
