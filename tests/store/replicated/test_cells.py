"""Two cells of two replicas each: what is written on the first ones is read on the second ones, and one of each may fail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from collector.journal.adopt import folders
from collector.journal.reader import scan_in_use
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from store.cells.store import CellStore
from store.cells.topology import form_topology, read_topology
from store.clickhouse.schema.migrate import migrate
from store.owner import owner_of
from store.protocol import Store
from tests.conftest import empty
from tests.store.cells.test_unavailable import LIMITS, WINDOW, Load, graph_of, rows, trace_id
from tests.store.replicated.across import AcrossReplicas
from tests.store.replicated.cell import Cell
from tests.store.replicated.rig import Rig
from tests.store.replicated.test_contract import Tried
from tests.store.test_agreement import plain
from tests.waiting import eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        "RAYMAP_TEST_STOCK_REPLICAS" in os.environ, reason="stock servers are one cell"
    ),
]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Four servers and a ZooKeeper."""
    rig = Rig(tmp_path_factory.mktemp("cells"), cells=2)
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()


@pytest.fixture(scope="module")
def cells(rig: Rig) -> Iterator[list[Cell]]:
    """A database in each."""
    cells = [Cell(replicas) for replicas in rig.cells]
    for cell in cells:
        migrate(cell.address, {"retention_days": 3650})
    yield cells
    for cell in cells:
        cell.drop()


class TestCellsOfReplicas(Tried):  # type: ignore[misc]
    @pytest.fixture
    def store(self, cells: list[Cell]) -> Iterator[Store]:
        for cell in cells:
            empty(cell.address)
        store = AcrossReplicas(*cells)
        yield store.as_store
        store.close()


def _is_inserted(root: Path) -> bool:
    return not sum(scan_in_use(each, 1000, 1 << 30).documents for each in folders(root))


def test_a_replica_of_each_cell_is_killed_under_load(
    rig: Rig, cells: list[Cell], tmp_path: Path
) -> None:
    """Acknowledged = stored = distinct on every replica, and the map is the reference's."""
    for cell in cells:
        empty(cell.address)
    addresses = [cell.address for cell in cells]
    form_topology(addresses)
    store = CellStore(addresses, connections=4, member=read_topology(addresses))
    metrics = IngestMetrics(CollectorRegistry())
    pipeline = IngestPipeline(store, tmp_path, metrics=metrics, limits=LIMITS)
    pipeline.start()
    load = Load(pipeline)
    try:
        for replicas in reversed(rig.cells):
            load.reach(10)
            replicas[0].kill()
            load.reach(10)
            replicas[0].start()
        load.reach(10)
    finally:
        load.stop()
    eventually(partial(_is_inserted, tmp_path / "journal"), seconds=60)
    pipeline.stop()
    sent = load.acknowledged
    for place, cell in enumerate(cells):
        count = 2 * sum(owner_of(trace_id(number), 2) == place for number in sent)
        assert count
        for number in range(2):
            address = cell.from_replica(number)
            eventually(lambda a=address, n=count: rows(a) == (n, n), f"{address.name} has all")  # type: ignore[misc]
    expected = plain(graph_of(sent))
    eventually(lambda: plain(store.service_graph(WINDOW)) == expected, "the map is exact")
    store.close()
