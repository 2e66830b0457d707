"""Topics of a real broker → a real ClickHouse: everything that was sent is stored, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from collector.ingest import FOLDER
from collector.journal.quarantine import Quarantine
from collector.kafka.source import KafkaSource
from store.clickhouse.connection.address import Address
from tests.collector.kafka.broker import Broker
from tests.collector.kafka.reading import Reader, Stored, once
from tests.collector.kafka.traffic import Traffic
from tests.conftest import empty
from tests.waiting import eventually


@pytest.fixture
def address(clickhouse_database: Address) -> Address:
    """An empty database."""
    empty(clickhouse_database)
    return clickhouse_database


@pytest.fixture
def stored(address: Address) -> Iterator[Stored]:
    """What is in it."""
    stored = Stored(address)
    yield stored
    stored.close()


@pytest.fixture
def traffic() -> Traffic:
    return Traffic()


def becomes_stored(stored: Stored, traffic: Traffic) -> None:
    """All of the traffic is there, once."""
    expected = once(traffic.documents, len(traffic.trace_ids))
    eventually(lambda: stored.figures()["documents"] == traffic.documents, f"{expected}")
    assert stored.figures() == expected


def lag_of(reader: Reader) -> float:
    return sum(s.value for m in reader.kafka.lag.collect() for s in m.samples)


def outcomes(reader: Reader) -> dict[tuple[str, str], float]:
    """Records by topic and outcome."""
    return {
        (s.labels["topic"], s.labels["outcome"]): s.value
        for m in reader.kafka.records.collect()
        for s in m.samples
        if s.name.endswith("_total")
    }


def test_all_encodings(
    broker: Broker, topic: str, address: Address, stored: Stored, traffic: Traffic, tmp_path: Path
) -> None:
    """As the Collector's exporter writes them, and X-Ray's documents one by one."""
    for name in (topic, f"{topic}.json", f"{topic}.xray"):
        broker.create(name, 1)
    broker.send(topic, [traffic.otlp() for _ in range(5)])
    broker.send(f"{topic}.json", [traffic.otlp_json(traces=3)])
    broker.send(f"{topic}.xray", [raw for _ in range(50) for raw in traffic.segments()])
    topics = f"{topic},{topic}.json=otlp_json,{topic}.xray=xray"
    with Reader(broker.address, topics, address, tmp_path) as reader:
        becomes_stored(stored, traffic)
        eventually(lambda: reader.metrics.snapshot()["stored"] == traffic.documents)
        traces = reader.store.get_traces(traffic.trace_ids)
        assert {trace.revision for trace in traces.values()} == {2}
        assert reader.metrics.snapshot()["received"] == traffic.documents
    assert list((tmp_path / FOLDER).iterdir()) == []  # no journal


def test_a_batch_that_was_stored_and_not_committed(
    broker: Broker,
    topic: str,
    address: Address,
    stored: Stored,
    traffic: Traffic,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next consumer forms the same batch, whatever has arrived meanwhile."""
    broker.create(topic, 1)
    commit, failures = KafkaSource._commit, [1, 1, 0, 1, 0]

    def failing(self: KafkaSource, consumer: Any, partition: Any, offset: int, mark: Any) -> None:
        if offset > partition.start and failures and failures.pop(0):
            broker.send(topic, [traffic.otlp()])
            raise KafkaException(KafkaError(KafkaError._FAIL, "not committed, says the test"))
        commit(self, consumer, partition, offset, mark)

    monkeypatch.setattr(KafkaSource, "_commit", failing)
    monkeypatch.setattr("collector.kafka.source.RESTART_PAUSE", 0.05)
    broker.send(topic, [traffic.otlp() for _ in range(5)])
    with Reader(broker.address, topic, address, tmp_path):
        eventually(lambda: not failures, "all failures happened")
        becomes_stored(stored, traffic)


def test_clickhouse_is_unavailable(
    broker: Broker, topic: str, address: Address, stored: Stored, traffic: Traffic, tmp_path: Path
) -> None:
    """Nothing is read ahead, nothing committed, and the group does not lose the consumer."""
    broker.create(topic, 2)
    with Reader(broker.address, topic, address, tmp_path) as reader:
        broker.send(topic, [traffic.otlp()])
        becomes_stored(stored, traffic)
        reader.store.silent = 1
        broker.send(topic, [traffic.otlp()])
        eventually(lambda: not reader.store.silent, "an insert had no answer")
        becomes_stored(stored, traffic)
        eventually(lambda: reader.metrics.snapshot()["stored"] == traffic.documents)
        reader.store.unavailable = True
        for partition in (0, 1) * 10:
            broker.send(topic, [traffic.otlp()], partition)
        eventually(lambda: "unavailable" in str(reader.pipeline.health().as_dict()["problems"]))
        eventually(lambda: lag_of(reader) == 20, "the lag is measured while nothing is read")
        assert stored.figures()["documents"] == traffic.documents - 20 * 40
        reader.store.unavailable = False
        becomes_stored(stored, traffic)
        eventually(lambda: lag_of(reader) == 0)
        eventually(lambda: not reader.pipeline.health().as_dict()["problems"])
        assert reader.kafka.failures._value.get() == 0


def test_unreadable_records(
    broker: Broker, topic: str, address: Address, stored: Stored, traffic: Traffic, tmp_path: Path
) -> None:
    """They are counted and set aside, and stop nothing."""
    broker.create(topic, 1)
    broker.create(f"{topic}.xray", 1)
    broker.send(topic, [traffic.otlp(), b"\xff\xff no protobuf", traffic.otlp()])
    first, second = traffic.segments()
    broker.send(f"{topic}.xray", [first, b'{"name": "no id"}', b"no JSON", second])
    with Reader(broker.address, f"{topic},{topic}.xray=xray", address, tmp_path) as reader:
        becomes_stored(stored, traffic)
        eventually(lambda: len([*Quarantine(tmp_path / FOLDER).read()]) == 3)
        entries = {each.payload: each.reason for each in Quarantine(tmp_path / FOLDER).read()}
        reason = entries[b"\xff\xff no protobuf"]
        assert reason.startswith(f"{topic}/0 at 1: InvalidSegmentDocument")
        assert sum("at 1: Missing" in each or "at 2:" in each for each in entries.values()) == 2
        rejected = reader.metrics.snapshot()["rejected_by_reason"]
        assert sum(rejected.values()) == 3
        counted = {(topic, "stored"): 2, (topic, "set_aside"): 1}
        counted |= {(f"{topic}.xray", "stored"): 2, (f"{topic}.xray", "set_aside"): 2}
        eventually(lambda: outcomes(reader) == counted)


def test_another_consumer_joins_and_leaves(
    broker: Broker, topic: str, address: Address, stored: Stored, traffic: Traffic, tmp_path: Path
) -> None:
    """Partitions change their consumer while records arrive."""
    broker.create(topic, 4)
    producer, sent = broker.producer(), 0

    def send(records: int) -> None:
        nonlocal sent
        for _ in range(records):
            producer.produce(topic, traffic.otlp(), partition=sent % 4)
            producer.flush()
            sent += 1

    with Reader(broker.address, topic, address, tmp_path / "one") as first:
        send(40)
        for number in range(2):
            second = Reader(broker.address, topic, address, tmp_path / f"two-{number}")
            with second:
                while not second.metrics.snapshot()["stored"]:
                    send(4)
        send(40)
        becomes_stored(stored, traffic)
        assert first.metrics.snapshot()["stored"] < traffic.documents
        assert first.kafka.failures._value.get() == 0


def test_a_topic_that_was_made_again(
    broker: Broker, topic: str, address: Address, stored: Stored, traffic: Traffic, tmp_path: Path
) -> None:
    """Its offsets begin at 0 again, and are no repetition."""
    for _ in range(2):
        broker.create(topic, 1)
        broker.send(topic, [traffic.otlp()])
        with Reader(broker.address, topic, address, tmp_path):
            becomes_stored(stored, traffic)
        broker.delete(topic)
        eventually(lambda: topic not in broker._admin().list_topics(timeout=5).topics)
