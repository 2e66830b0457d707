"""kill -9 of consumers and of the broker, under load: what was sent is stored, counted and shown once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Message

from store.clickhouse.embedded import address
from tests.collector.kafka.broker import Broker
from tests.collector.kafka.reading import Stored, once
from tests.collector.kafka.traffic import SHOP, STORAGE, Traffic
from tests.conftest import Server, start_server, stop_server
from tests.raymap.processes import eventually, kill
from tests.tiers import NIGHTLY

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(900)]

PARTITIONS = 4


class Load(threading.Thread):
    """Sends records until it is done; the producer repeats what the broker did not take."""

    def __init__(self, broker: Broker, topic: str) -> None:
        super().__init__(daemon=True)
        self._producer, self._topic = broker.producer(), topic
        self.traffic = Traffic()
        self.done = threading.Event()
        self.delivered = 0
        self.failed: list[str] = []

    def run(self) -> None:
        number = 0
        while not self.done.wait(0.05):
            self._producer.produce(
                self._topic,
                self.traffic.otlp(),
                partition=number % PARTITIONS,
                on_delivery=self._delivered,
            )
            self._producer.poll(0)
            number += 1
        self._producer.flush(100)

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        """Count what the broker has acknowledged."""
        if error is not None:
            self.failed.append(str(error))
        else:
            self.delivered += 1


@pytest.fixture
def load(broker: Broker, topic: str) -> Iterator[Load]:
    broker.create(topic, PARTITIONS)
    load = Load(broker, topic)
    load.start()
    yield load
    load.done.set()


def map_of(server: Server, since: float) -> dict[str, int]:
    """Requests by node name."""
    picture = server.get(f"/api/map?from={since - 1}&to={time.time() + 1}")
    return {n["name"]: n["requests"] for n in picture["nodes"] if n["kind"] != "client"}


def test_nothing_is_lost_and_nothing_twice(
    broker: Broker, topic: str, load: Load, tmp_path: Path
) -> None:
    """Two consumers; each death, and each return, is a rebalance under load."""
    properties = tmp_path / "kafka.properties"
    properties.write_text(
        f"group.id = {topic}\nsession.timeout.ms=3000\nheartbeat.interval.ms=500\n"
    )
    began = time.time()
    kafka = ("--kafka", broker.address, "--topic", topic, "--kafka-config", str(properties))
    server = start_server(tmp_path / "data", "--workers", "2", *kafka)
    try:
        stored = Stored(address(tmp_path / "data"))
        for _ in range(5 if NIGHTLY else 1):
            figures = stored.figures()["documents"]
            eventually(lambda: stored.figures()["documents"] > figures, "documents are stored")  # noqa: B023
            kill(server, "collect")
            kill(server, "clickhouse")
            broker.kill()
            time.sleep(0.5)
            broker.start()
            kill(server, "collect")
        load.done.set()
        load.join(110)
        assert not load.failed
        assert load.delivered * 20 == len(load.traffic.trace_ids)
        documents, traces = load.traffic.documents, len(load.traffic.trace_ids)
        eventually(
            lambda: stored.figures()["documents"] == documents, "all are stored", seconds=120
        )
        assert stored.figures() == once(documents, traces)
        expected = {SHOP: traces, STORAGE: traces}
        eventually(
            lambda: map_of(server, began) == expected, f"the map has {expected}", seconds=120
        )
        stored.close()
    finally:
        assert stop_server(server) == 0
