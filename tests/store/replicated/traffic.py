"""Documents for a cell, and what is known of them on its replicas."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from store.clickhouse.store import ClickHouseStore
from store.model import TimeRange
from tests.builders import segment
from tests.store.replicated.cell import Cell
from tests.store.replicated.rig import Replica
from tests.store.replicated.stock import StockReplica
from tests.waiting import eventually

LAGGING = ("segments", "calls", "traces")
MINUTE = 60_000_000


class Traffic:
    """Twenty traces a batch, of one service, in a time of the test's own."""

    def __init__(self, number: int, start: int = 0) -> None:
        self._number = number
        self._start = start or int(time.time()) // 60 * MINUTE - (number + 1) * 20 * MINUTE
        self.window = TimeRange(self._start - MINUTE, self._start + MINUTE)

    def put(self, store: ClickHouseStore, batch: int) -> None:
        seconds = (self._start // 1_000_000).to_bytes(4, "big")
        store.put(
            [
                segment(
                    100 * batch + number,
                    trace_id=seconds + (batch * 100 + number).to_bytes(12, "big"),
                    start=self._start,
                    end=self._start + 1000,
                    version=self._start,
                    name="svc",
                )
                for number in range(20)
            ],
            f"{self._number}-{batch}",
        )

    def counted(self, store: ClickHouseStore) -> int:
        """What the map says."""
        graph = store.service_graph(self.window)
        return sum(each.statistics.total for each in graph.services.values() if not each.key.type)

    def rows(self, replica: Replica | StockReplica, database: str) -> int:
        """What a replica has."""
        ((found,),) = replica.ask(
            f"SELECT count() FROM segments WHERE start = {self._start} AND _partition_id < '2070'",
            database,
        )
        return int(found)


@contextmanager
def lagging(cell: Cell, replica: int, tables: Collection[str] = LAGGING) -> Iterator[None]:
    """No rows reach the replica."""
    for table in tables:
        cell.replicas[replica].ask(f"SYSTEM STOP FETCHES {table}", cell.database)
    try:
        yield
    finally:
        for table in tables:
            cell.replicas[replica].ask(f"SYSTEM START FETCHES {table}", cell.database)


def until_all(cell: Cell, traffic: Traffic, rows: int) -> None:
    """Wait until all replicas have the rows, and those of other tables that came with them."""
    waiting = "SELECT count() FROM system.replication_queue WHERE database = currentDatabase() AND type = 'GET_PART'"
    eventually(
        lambda: all(
            traffic.rows(each, cell.database) == rows and each.ask(waiting, cell.database) == [(0,)]
            for each in cell.replicas
        ),
        "the rows are on all replicas",
    )
