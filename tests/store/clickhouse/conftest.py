"""A database for tests that alter more of it than the next test can live with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from clickhouse_driver import Client

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.store import ClickHouseStore
from tests.conftest import empty, migrated_database


@pytest.fixture(scope="module")
def database(clickhouse: Address) -> Iterator[Address]:
    """A migrated database of the module's own."""
    with migrated_database(clickhouse) as address:
        yield address


@pytest.fixture
def client(database: Address) -> Iterator[Client]:
    """A connection to the emptied database."""
    empty(database)
    client = connect(database)
    yield client
    client.disconnect()


@pytest.fixture
def store(database: Address, client: Client) -> Iterator[ClickHouseStore]:
    """A store in the emptied database."""
    store = ClickHouseStore(database, connections=4)
    yield store
    store.close()
