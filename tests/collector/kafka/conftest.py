"""A broker and topics, for this folder."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.collector.kafka.broker import Broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker. A test that ends it starts it again."""
    broker = Broker(tmp_path_factory.mktemp("kafka"))
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


@pytest.fixture
def topic() -> str:
    """A name that no other test has."""
    return f"spans_{uuid.uuid4().hex[:8]}"
