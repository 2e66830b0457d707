"""The OpenTelemetry Collector itself before Kafka: its exporter's records, by the configuration that is documented.

Building it takes minutes, so it is not built here: `bench/peers/build.sh` does.
"""

from __future__ import annotations

import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from store.clickhouse.connection.address import Address
from tests.collector.kafka.broker import PASSWORD, USER, Broker
from tests.collector.kafka.reading import Reader, Stored, once
from tests.collector.kafka.traffic import Traffic
from tests.conftest import ROOT, empty
from tests.ports import free_port
from tests.waiting import eventually

COLLECTOR = Path(os.environ.get("RAYMAP_TEST_OTELCOL") or ROOT / ".peers/otelcol")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not COLLECTOR.exists(), reason=f"there is no {COLLECTOR}: bench/peers/build.sh"
    ),
]


@pytest.fixture(params=["plain", "secure"])
def otlp(
    broker: Broker, topic: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """A Collector with deploy/kafka/collector.yaml, and where it takes OTLP by HTTP."""
    config = yaml.safe_load((ROOT / "deploy/kafka/collector.yaml").read_text())
    port = free_port()
    config["receivers"]["otlp"]["protocols"] = {"http": {"endpoint": f"127.0.0.1:{port}"}}
    kafka = config["exporters"]["kafka"]
    kafka["brokers"], kafka["traces"]["topic"] = [broker.address], topic
    if request.param == "secure":
        kafka["brokers"] = [broker.secure_address]
        kafka["tls"] = {"ca_file": str(broker.authority)}
        login = {"username": USER, "password": PASSWORD, "mechanism": "SCRAM-SHA-512"}
        kafka["auth"] = {"sasl": login}
    config["service"]["telemetry"] = {"metrics": {"level": "none"}}
    path = tmp_path / "collector.yaml"
    path.write_text(yaml.safe_dump(config))
    broker.create(topic, 2)
    with (tmp_path / "collector.log").open("w") as log:
        process = subprocess.Popen([COLLECTOR, "--config", str(path)], stdout=log, stderr=log)
    yield f"http://127.0.0.1:{port}/v1/traces"
    process.terminate()
    assert process.wait(60) == 0


def test_spans_of_the_collector(
    broker: Broker, topic: str, otlp: str, clickhouse_database: Address, tmp_path: Path
) -> None:
    """What it has taken is stored, and nothing twice."""
    empty(clickhouse_database)
    traffic, stored = Traffic(), Stored(clickhouse_database)

    def send(body: bytes) -> bool:
        headers = {"Content-Type": "application/x-protobuf"}
        with urllib.request.urlopen(urllib.request.Request(otlp, body, headers)) as answer:
            return bool(answer.status == 200)

    for _ in range(50):
        body = traffic.otlp()
        eventually(lambda: send(body), "the Collector takes it", ignore=(OSError,))  # noqa: B023
    with Reader(broker.address, topic, clickhouse_database, tmp_path) as reader:
        eventually(lambda: stored.figures()["documents"] == traffic.documents, "all are stored")
        assert stored.figures() == once(traffic.documents, len(traffic.trace_ids))
        assert reader.metrics.snapshot()["rejected_by_reason"] == {}
    stored.close()
