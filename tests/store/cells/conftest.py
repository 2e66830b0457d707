"""Two cells, each with an engine of its own, for this folder, and four, of which two share one."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator

import pytest

from collector.payloads import decode_documents
from raymap.embedded import EmbeddedClickHouse
from store.cells.store import CellStore
from store.cells.topology import form_topology
from store.clickhouse.connection.address import Address
from tests.collector.samples import START
from tests.conftest import empty, migrated_database
from tests.faults.gate import Gate


@pytest.fixture(scope="session")
def other_engine(
    clickhouse: Address, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Address]:
    """A second server; of a ClickHouse that the tests were given, the same once more."""
    if "RAYMAP_TEST_CLICKHOUSE" in os.environ:
        yield clickhouse
        return
    with EmbeddedClickHouse(tmp_path_factory.mktemp("cell")) as engine:
        yield engine.address


@pytest.fixture(scope="session")
def cell_addresses(clickhouse: Address, other_engine: Address) -> Iterator[list[Address]]:
    """A migrated database in each."""
    with (
        migrated_database(clickhouse) as first,
        migrated_database(other_engine) as second,
    ):
        yield [first, second]


@pytest.fixture(scope="session")
def four_addresses(cell_addresses: list[Address]) -> Iterator[list[Address]]:
    """Two more databases."""
    first, second = cell_addresses
    with migrated_database(first) as third, migrated_database(second) as fourth:
        yield [first, second, third, fourth]


@pytest.fixture
def three(cell_addresses: list[Address], clickhouse: Address) -> Iterator[list[Address]]:
    """The two, empty, as a topology, and an empty database."""
    for address in cell_addresses:
        empty(address)
    form_topology(cell_addresses)
    with migrated_database(clickhouse) as third:
        yield [*cell_addresses, third]


@pytest.fixture
def gate(cell_addresses: list[Address]) -> Iterator[Gate]:
    """Before the second cell."""
    gate = Gate(cell_addresses[1].host, cell_addresses[1].port)
    yield gate
    gate.shut()


def fill(addresses: list[Address], raws: Iterable[bytes]) -> CellStore:
    """A store over cells that have these documents alone, one after the other."""
    for address in addresses:
        empty(address)
    form_topology(addresses)
    store = CellStore(addresses, connections=2)
    for number, raw in enumerate(raws, 1):
        documents = decode_documents([raw], int(START * 1e6) + number).documents
        store.put(list(documents), uuid.uuid4().hex)
    return store


@pytest.fixture
def cell_store(cell_addresses: list[Address]) -> Iterator[CellStore]:
    """An empty store over two."""
    yield from _empty_store(cell_addresses)


@pytest.fixture
def four_cells(four_addresses: list[Address]) -> Iterator[CellStore]:
    """An empty store over four."""
    yield from _empty_store(four_addresses)


def _empty_store(addresses: list[Address]) -> Iterator[CellStore]:
    for address in addresses:
        empty(address)
    store = CellStore(addresses, connections=4)
    yield store
    store.close()
