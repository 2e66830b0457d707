"""Log lines pass through the journal like documents: acknowledged means stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from collector.batches import Limits
from collector.journal.format import DamagedRecord, Kind, encode
from collector.journal.quarantine import Quarantine
from collector.journal.writer import Journal
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.records import MOST, Records, records_in, records_of
from store.errors import DataRefused, StoreUnavailable
from store.log_lines import LogLine
from store.memory import MemoryStore
from store.model import TimeRange
from tests.builders import T0
from tests.collector.samples import segment_bytes
from tests.waiting import eventually

LIMITS = Limits(gather=0.0, linger=0.0, retry_pause=0.05)
ALWAYS = TimeRange(0, 1 << 62)


class Store(MemoryStore):
    """May be unavailable, and cannot take one text."""

    unavailable = False
    refused = ""

    def check(self) -> None:
        if self.unavailable:
            raise StoreUnavailable("connection refused")

    def put_log_lines(self, lines: Sequence[LogLine], token: str) -> None:
        self.check()
        if any(line.body == self.refused for line in lines):
            raise DataRefused("a value is out of range")
        super().put_log_lines(lines, token)

    def bodies(self) -> list[str]:
        return [line.body for line in self.node_lines(["f"], ALWAYS, limit=99_999).lines]


def lines(*bodies: str) -> list[LogLine]:
    return [LogLine(T0 + at * 1000, body, "f") for at, body in enumerate(bodies)]


def part(*bodies: str) -> Records:
    (records,) = records_of(Kind.LOG_LINES, lines(*bodies))
    return records


@pytest.fixture
def store() -> Store:
    return Store()


def start(store: Store, path: Path, metrics: IngestMetrics) -> IngestPipeline:
    pipeline = IngestPipeline(store, path, metrics=metrics, limits=LIMITS)
    pipeline.start()
    return pipeline


@pytest.fixture
def running(store: Store, tmp_path: Path, metrics: IngestMetrics) -> Iterator[IngestPipeline]:
    pipeline = start(store, tmp_path, metrics)
    yield pipeline
    pipeline.stop(5.0)


def test_parts_have_a_bounded_size() -> None:
    parts = list(records_of(Kind.LOG_LINES, lines(*["x"] * (MOST + 1))))
    assert [each.count for each in parts] == [MOST, 1]
    assert [len(each.decode()) for each in parts] == [MOST, 1]


def test_other_kinds_and_other_bytes() -> None:
    assert records_in(Kind.DOCUMENTS, b"") is None
    with pytest.raises(DamagedRecord):
        records_in(Kind.LOG_LINES, b"\xff")


def test_lines_and_documents_of_one_batch(running: IngestPipeline, store: Store) -> None:
    acks = [
        running.submit_records(part("a", "b")),
        running.submit(running.decode([segment_bytes("00000000000000a1")], "http")),
        running.submit_records(part("c")),
    ]
    for ack in acks:
        ack.result(60)
    eventually(lambda: store.bodies() == ["a", "c", "b"] or store.bodies() == ["c", "a", "b"])
    eventually(store.has_traces)


def test_what_was_acknowledged_in_an_outage_is_stored_by_the_next_process(
    store: Store, tmp_path: Path, metrics: IngestMetrics
) -> None:
    store.unavailable = True
    first = start(store, tmp_path, metrics)
    first.submit_records(part("a", "b")).result(60)
    first.stop(60)  # at once; with less its journal may stay locked, as this process does not end
    assert store.bodies() == []
    store.unavailable = False
    second = start(store, tmp_path, metrics)
    eventually(lambda: store.bodies() == ["a", "b"])
    second.stop(5.0)


def test_a_line_that_is_refused_goes_into_quarantine(
    running: IngestPipeline, store: Store, tmp_path: Path
) -> None:
    store.refused = "b"
    running.submit_records(part("a", "b", "c")).result(60)
    eventually(lambda: store.bodies() == ["a", "c"])
    (entry,) = eventually(lambda: [*Quarantine(tmp_path / "journal").read()])
    assert (entry.kind, entry.documents, entry.reason) == (7, 1, "a value is out of range")
    assert Records(Kind.LOG_LINES, entry.payload, 1).decode() == lines("a", "b")[1:]


def test_a_damaged_payload_costs_itself_only(
    store: Store, tmp_path: Path, metrics: IngestMetrics
) -> None:
    left = Journal.create(tmp_path / "journal", "test")
    for content in (b"\xff\xff", part("a").content):
        left.write([encode(Kind.LOG_LINES, T0, 1, content)])
    left.release()
    pipeline = start(store, tmp_path, metrics)
    eventually(lambda: store.bodies() == ["a"])
    assert Quarantine(tmp_path / "journal").documents() == 1
    pipeline.stop(5.0)
