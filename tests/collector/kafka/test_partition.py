"""Which records a batch has, and when it is due; without Kafka."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from collector.batches import Limits
from collector.journal.format import Kind
from collector.kafka.marks import Mark, parse_mark
from collector.kafka.partition import OffsetsReset, Partition, Record
from collector.kafka.settings import Topic, parse_topics, read_properties
from collector.metrics import IngestMetrics
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


def test_marks() -> None:
    assert parse_mark(Mark(123, 45).encode()) == Mark(123, 45)
    for other in (None, "", "raymap1 1", "raymap2 1 2", "raymap1 -1 2", "raymap1 a b"):
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
