"""A cell of two replicas, for this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pytest

from store.clickhouse.schema.migrate import migrate
from tests.store.replicated.cell import Cell
from tests.store.replicated.rig import Replica, Rig
from tests.store.replicated.stock import StockReplica, StockRig


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
