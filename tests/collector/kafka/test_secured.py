"""Topics of a broker that asks for TLS and SASL, by the properties of a file as docs/kafka.md has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.kafka.settings import read_properties
from store.clickhouse.connection.address import Address
from tests.collector.kafka.broker import PASSWORD, USER, Broker
from tests.collector.kafka.reading import Reader, Stored, once
from tests.collector.kafka.traffic import Traffic
from tests.conftest import empty
from tests.waiting import eventually


def properties(
    folder: Path, broker: Broker, mechanism: str, password: str = PASSWORD
) -> dict[str, str]:
    """What a file says."""
    path = folder / "kafka.properties"
    path.write_text(
        f"security.protocol=SASL_SSL\nsasl.mechanism={mechanism}\nsasl.username={USER}\n"
        f"sasl.password={password}\nssl.ca.location={broker.authority}\n"
    )
    return read_properties(path)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_records_arrive(
    broker: Broker, topic: str, clickhouse_database: Address, tmp_path: Path, mechanism: str
) -> None:
    empty(clickhouse_database)
    traffic, stored = Traffic(), Stored(clickhouse_database)
    broker.create(topic, 1)
    broker.send(topic, [traffic.otlp() for _ in range(3)])
    given = properties(tmp_path, broker, mechanism)
    with Reader(
        broker.secure_address, topic, clickhouse_database, tmp_path, properties=given
    ) as reader:
        eventually(lambda: stored.figures()["documents"] == traffic.documents, "all are stored")
        assert stored.figures() == once(traffic.documents, len(traffic.trace_ids))
        assert reader.kafka.failures._value.get() == 0
    stored.close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sasl.password": "wrong"}, "SASL authentication error"),
        ({"ssl.ca.location": None}, "certificate verify failed"),
    ],
)
def test_why_none_arrive(
    broker: Broker,
    topic: str,
    clickhouse_database: Address,
    tmp_path: Path,
    change: dict[str, str | None],
    says: str,
) -> None:
    """A refused password and a certificate of an unknown authority are named by /readyz."""
    merged = {**properties(tmp_path, broker, "SCRAM-SHA-512"), **change}
    given = {name: value for name, value in merged.items() if value is not None}
    with Reader(
        broker.secure_address, topic, clickhouse_database, tmp_path, properties=given
    ) as reader:
        eventually(lambda: says in str(reader.pipeline.health().as_dict()["problems"]), says)
