"""Which records a batch has, and when it is due; without Kafka."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from collector.batches import Limits
from collector.journal.format import Kind
from collector.kafka import partition as partition_module
from collector.kafka.marks import Attempt, Mark, parse_mark
from collector.kafka.partition import OffsetsReset, Partition, Record
from collector.kafka.settings import Topic, parse_topics, read_properties
from collector.metrics import IngestMetrics
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline
from store.memory import MemoryStore
from tests.collector.samples import segment_bytes

TOPIC = Topic("segments", Kind.DOCUMENTS)


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[IngestPipeline]:
    limits = Limits(gather=0.0, linger=0.0, batch_documents=4)
    metrics = IngestMetrics(CollectorRegistry())
    pipeline = IngestPipeline(MemoryStore(), tmp_path, metrics=metrics, limits=limits)
    pipeline.start()
    yield pipeline
    pipeline.stop()


def partition(pipeline: IngestPipeline, committed: int = -1, mark: Mark | None = None) -> Partition:
    return Partition(TOPIC, 3, pipeline, pipeline.source(), committed, mark)


def read(partition: Partition, *offsets: int) -> None:
    for offset in offsets:
        partition.add(Record(offset, segment_bytes(f"{offset + 1:016x}")))
    partition.gather()


def versions(partition: Partition) -> list[int]:
    return [d.version for each in partition.submissions for d in each.documents]


def test_a_batch_is_formed_again(pipeline: IngestPipeline) -> None:
    """From its mark, with the same token and versions, whatever else has arrived."""
    first = partition(pipeline, 10)
    read(first, 10, 11, 13)
    first.close()
    mark = parse_mark(first.mark.encode())
    again = partition(pipeline, first.start, mark)
    read(again, 10, 11)
    assert again.due_at(1) == math.inf
    read(again, 13, 14, 15)
    assert again.due_at(1) == -math.inf
    assert (again.token, versions(again)) == (first.token, versions(first))
    assert versions(first) == [first.version, first.version + 1, first.version + 3]
    again.stored()
    assert (again.position, again.start, again.documents) == (14, 14, 2)
    assert again.version > versions(first)[-1]


def test_a_begun_batch_is_due_once_it_is_decoded(pipeline: IngestPipeline) -> None:
    """Commits read records, too, which wait: its end may not be committed before these are inserted."""
    begun = partition(pipeline, 10, Mark(1000, 12))
    for offset in (10, 11, 12):
        begun.add(Record(offset, segment_bytes(f"{offset + 1:016x}")))
    assert begun.due_at(1) == math.inf
    begun.gather()
    assert begun.due_at(1) == -math.inf
    assert (begun.batch_end, versions(begun)) == (12, [1000, 1001])


def test_versions_grow_when_the_next_consumers_clock_is_behind(pipeline: IngestPipeline) -> None:
    late = pipeline.reserve_version() + 10**9
    ahead = partition(pipeline, 5, Mark(late))
    read(ahead, 5)
    assert versions(ahead) == [late]


def test_records_of_a_begun_batch_that_are_gone(pipeline: IngestPipeline) -> None:
    """Retention or compaction removed them: the end of the partition, or a later record, completes it."""
    for rest in ([], [17]):
        begun = partition(pipeline, 10, Mark(1000, 14))
        read(begun, 10, *rest)
        begun.reached(18)
        assert begun.due_at(1) == -math.inf
        assert (begun.batch_end, begun.documents) == (14, 1)


def test_other_records_under_the_same_offsets(pipeline: IngestPipeline) -> None:
    """A log that begins anew is not what the mark is about."""
    anew = partition(pipeline, 10, Mark(1000, 14))
    read(anew, 0, 1)
    assert (anew.start, anew.batch_end, anew.documents) == (0, 2, 2)
    assert anew.version > 1000
    with pytest.raises(OffsetsReset, match="segments/3: 0 after 1"):
        read(anew, 0)


def test_a_full_batch_leaves_the_rest(pipeline: IngestPipeline) -> None:
    full = partition(pipeline)
    read(full, 0, 1, 3, 4, 6, 7)
    assert (full.batch_end, full.documents, full.due_at(9)) == (5, 4, -math.inf)
    full.closed = True
    read(full, 8)
    assert full.batch_end == 5
    full.stored()
    assert (full.start, full.batch_end, full.documents) == (6, 9, 3)


def test_unreadable_records_with_secrets(pipeline: IngestPipeline) -> None:
    """What redaction removes is nowhere on disk: of what it cannot read only the place is noted."""
    some = partition(pipeline)
    some.add(Record(0, b"{no JSON"))
    some.add(Record(2, b'{no JSON: "password": "hunter2"'))
    some.gather()
    harmless, secret = some.unreadable
    assert (harmless.payload.content, secret.payload.content) == ([b"{no JSON"], ())
    assert secret.reason.startswith("segments/3 at 2: InvalidSegmentDocument")
    assert secret.reason.endswith(
        "its content is in Kafka only, as rules of redaction may match it"
    )


def test_partitions_share_the_linger(pipeline: IngestPipeline) -> None:
    """Each insert makes parts of its own: many partitions with few documents wait longer."""
    source = pipeline.source()
    source.limits = Limits(gather=0.0, linger=1.0)
    each = Partition(TOPIC, 0, pipeline, source)
    read(each, 0)
    each.stored()
    read(each, 1)
    alone = each.due_at(1)
    assert each.due_at(4) == pytest.approx(alone + 3)
    assert each.due_at(100) == pytest.approx(alone + 9)


def attempt(pipeline: IngestPipeline, mark: Mark | None, killer: int) -> Mark:
    """A consumer of records 10 to 14 that ends when it decodes one; what it has committed."""
    committed = [mark or Mark(0)]

    def note(some: Partition) -> bool:
        committed.append(parse_mark(some.mark.encode()) or Mark(0))
        return True

    some = Partition(TOPIC, 3, pipeline, pipeline.source(), 10, mark, note=note)
    decoded = some._decoded

    def fatal(values: list[bytes], version: int) -> Decoded:
        if any(f'"{killer + 1:016x}"'.encode() in value for value in values):
            raise SystemExit
        return decoded(values, version)

    some._decoded = fatal  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        read(some, 10, 11, 12, 13, 14)
    return committed[-1]


def test_a_record_that_ends_every_process(pipeline: IngestPipeline) -> None:
    """Two consumers note it before it is left out, its neighbours are stored, and the next one does not end."""
    mark: Mark | None = None
    seen = []
    for _ in range(3):
        mark = attempt(pipeline, mark, killer=12)
        seen.append((mark.attempt.consumers, mark.attempt.record, mark.attempt.suspect))
    assert seen == [(1, -1, -1), (2, 12, -1), (3, 12, 12)]
    some = Partition(TOPIC, 3, pipeline, pipeline.source(), 10, mark)
    read(some, 10, 11, 12, 13, 14)
    (aside,) = some.unreadable
    assert aside.reason == "segments/3 at 12: processes ended while they decoded it"
    assert aside.payload.content == [segment_bytes(f"{13:016x}")]
    assert (some.documents, some.records, some.batch_end) == (4, 5, 15)


def test_a_careful_batch_is_small_and_due_at_once(
    pipeline: IngestPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is noted may not be blamed for a process that ends later."""
    monkeypatch.setattr(partition_module, "CAREFUL_RECORDS", 2)
    some = partition(pipeline, 10, Mark(0, 0, Attempt(1)))
    read(some, 10, 11, 12)
    assert (some.due_at(1), some.batch_end, some.mark.attempt.record) == (-math.inf, 12, 11)
    some.close()
    assert some.mark.attempt == Attempt(2)
    some.stored()
    assert some.next_mark.attempt == Attempt()


def test_consumers_that_end_at_other_records_blame_none(pipeline: IngestPipeline) -> None:
    """As those that are stopped, or lose the partition, whatever they were about to decode."""
    mark: Mark | None = None
    for killer in (10, 11, 12, 13, 12, 11):
        mark = attempt(pipeline, mark, killer)
        assert mark.attempt.left_out == ()


def test_marks() -> None:
    for mark in (
        Mark(123, 45),
        Mark(123, 45, Attempt(1)),
        Mark(123, 0, Attempt(4, 17, 16, (3, 5))),
        Mark(123, 0, Attempt(4, 0, 0)),
    ):
        assert parse_mark(mark.encode()) == mark
    for other in (
        None,
        "",
        "raymap1 1",
        "raymap2 1 2",
        "raymap1 -1 2",
        "raymap1 a b",
        "raymap1 1 2 3",
    ):
        assert parse_mark(other) is None


def test_topics() -> None:
    assert parse_topics("otlp_spans, a.b-c=xray@acme") == [
        Topic("otlp_spans", Kind.OTLP),
        Topic("a.b-c", Kind.DOCUMENTS, "acme"),
    ]
    for text, says in {
        "": "at least one topic",
        "a=avro": "'a=avro': encoding 'avro'; expected one of otlp_proto, otlp_json, xray",
        "a,a": "named twice",
        "a b": "'a b': expected TOPIC",
    }.items():
        with pytest.raises(ValueError, match=says):
            parse_topics(text)


def test_a_file_of_properties(tmp_path: Path) -> None:
    path = tmp_path / "kafka.properties"
    path.write_text("# SASL\nsecurity.protocol=SASL_SSL\n\nsasl.password = a=b#c\n")
    assert read_properties(path) == {"security.protocol": "SASL_SSL", "sasl.password": "a=b#c"}
    for text, says in {
        "group.id": "line 1: expected NAME=VALUE",
        "a=b\nenable.auto.commit=true": "line 2: enable.auto.commit cannot be changed",
        "bootstrap.servers=x": "given by --kafka",
    }.items():
        path.write_text(text)
        with pytest.raises(ValueError, match=says):
            read_properties(path)
