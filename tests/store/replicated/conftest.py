"""A cell of two replicas, for this folder."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence

import pytest

from store.clickhouse.connection.replicas import replicas_at
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore
from tests.store.replicated.cell import Cell
from tests.store.replicated.rig import Replica, Rig
from tests.store.replicated.stock import StockReplica, StockRig
from tests.store.replicated.traffic import Traffic

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def first_replica() -> None:
    """The one that an address names first is in use, whatever an earlier test in this process has ended."""
    replicas_at.cache_clear()


@pytest.fixture(scope="session")
def replica_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig | StockRig]:
    """One cell with two replicas. A test that ends a server starts it again."""
    stock = "RAYMAP_TEST_STOCK_REPLICAS" in os.environ
    rig = StockRig() if stock else Rig(tmp_path_factory.mktemp("replicas"))
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()


@pytest.fixture
def replicas(replica_rig: Rig | StockRig) -> Sequence[Replica | StockReplica]:
    """The two."""
    return replica_rig.replicas


@pytest.fixture
def empty_cell(replicas: Sequence[Replica | StockReplica]) -> Iterator[Cell]:
    """A database that does not exist yet."""
    cell = Cell(replicas)
    yield cell
    cell.drop()


@pytest.fixture(scope="module")
def cell(replica_rig: Rig | StockRig) -> Iterator[Cell]:
    """A database with the tables, which the tests of a module share: they take seconds to make."""
    cell = Cell(replica_rig.replicas)
    migrate(cell.address, {"retention_days": 3650})
    yield cell
    cell.drop()


@pytest.fixture
def traffic() -> Traffic:
    """In a time of the test's own."""
    return Traffic(next(_numbers))


@pytest.fixture
def open_store(cell: Cell) -> Iterator[Callable[[int], ClickHouseStore]]:
    """Stores by the replica that they use."""
    opened: list[ClickHouseStore] = []

    def make(replica: int) -> ClickHouseStore:
        opened.append(ClickHouseStore(cell.from_replica(replica), connections=3))
        return opened[-1]

    yield make
    for each in opened:
        each.close()
