"""A record that ends each process that decodes it: set aside after some, and those behind it are stored."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from collector.ingest import FOLDER
from collector.journal.quarantine import Quarantine
from store.clickhouse.connection.address import Address
from tests.collector.kafka.broker import Broker
from tests.collector.kafka.fatal import FATAL
from tests.collector.kafka.reading import Stored, once
from tests.collector.kafka.traffic import Traffic
from tests.conftest import ROOT, empty
from tests.waiting import eventually

pytestmark = pytest.mark.slow


def consumer(*words: str) -> subprocess.Popen[bytes]:
    """A process of its own."""
    return subprocess.Popen([sys.executable, "-m", "tests.collector.kafka.fatal", *words], cwd=ROOT)


def test_a_record_that_ends_every_process(
    broker: Broker, topic: str, clickhouse_database: Address, tmp_path: Path
) -> None:
    """On two machines in turn, which share no disk: what is known of it is in Kafka."""
    empty(clickhouse_database)
    traffic, stored = Traffic(), Stored(clickhouse_database)
    broker.create(topic, 1)
    values = [traffic.otlp() for _ in range(4)]
    broker.send(topic, [*values[:2], FATAL, *values[2:]])
    ended, folder = 0, tmp_path
    while ended < 9:
        folder = tmp_path / f"machine-{ended % 2}"
        process = consumer(broker.address, topic, clickhouse_database.url, str(folder))
        eventually(
            lambda: process.poll() is not None or stored.figures()["documents"],  # noqa: B023
            "it ends, or stores",
        )
        if process.poll() is None:
            break
        assert process.returncode == -signal.SIGKILL
        ended += 1
    assert ended == 3
    eventually(lambda: stored.figures()["documents"] == traffic.documents, "the others are stored")
    assert stored.figures() == once(traffic.documents, len(traffic.trace_ids))
    (entry,) = Quarantine(folder / FOLDER).read()
    assert (entry.payload, entry.documents) == (FATAL, 1)
    assert entry.reason == f"{topic}/0 at 2: processes ended while they decoded it"
    process.terminate()
    assert process.wait(30) == 0
    stored.close()
