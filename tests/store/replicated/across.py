"""A store over two replicas of a cell, or of each of several, which writes to one and reads from the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from store.cells.store import CellStore
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.store import ClickHouseStore
from tests.store.replicated.cell import Cell

WRITES = frozenset(
    {
        "add_alarm_event", "add_sampling_reports", "change_configuration", "pin", "put", "put_declaration", "put_delivery",
        "put_deployment", "put_encoded", "put_log_lines", "put_metric_points", "put_problems", "put_retrieval",
        "remove_declaration", "remove_deployment", "unpin", "write_audit", "write_layout",
    }
)  # fmt: skip


class AcrossReplicas:
    """What is written is written on the first replica; all else is read on the second, once it has these rows."""

    def __init__(self, *cells: Cell) -> None:
        self.address: Address = cells[0].address
        self._first, self._second = (
            _store([cell.from_replica(number) for cell in cells]) for number in range(2)
        )
        self._clients = [connect(cell.from_replica(1)) for cell in cells]
        self._is_behind = True
        named = "SELECT table FROM system.replicas WHERE database = currentDatabase()"
        self._tables = [table for (table,) in self._clients[0].execute(named)]

    @property
    def as_store(self) -> ClickHouseStore:
        """It has the same methods."""
        return cast("ClickHouseStore", self)

    def __getattr__(self, name: str) -> Any:
        if name in WRITES:
            self._is_behind = True
            return getattr(self._first, name)
        if self._is_behind:
            self._is_behind = False
            for client in self._clients:
                for table in self._tables:
                    client.execute(f"SYSTEM SYNC REPLICA {table} LIGHTWEIGHT")
        return getattr(self._second, name)

    def close(self) -> None:
        """Close both."""
        for client in self._clients:
            client.disconnect()
        self._first.close()
        self._second.close()


def _store(addresses: Sequence[Address]) -> ClickHouseStore | CellStore:
    if len(addresses) > 1:
        return CellStore(addresses, connections=4)
    return ClickHouseStore(addresses[0], connections=4)
