"""A database on the replicas of a cell."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from store.clickhouse.connection.address import Address
from tests.store.replicated.rig import Replica
from tests.store.replicated.stock import StockReplica


class Cell:
    """A database of a test's own."""

    def __init__(self, replicas: Sequence[Replica | StockReplica]) -> None:
        self.replicas = replicas
        self.database = f"raymap_{uuid.uuid4().hex[:8]}"

    @property
    def address(self) -> Address:
        """With all replicas."""
        return self.from_replica(0)

    def from_replica(self, first: int) -> Address:
        """With all replicas, one of them first."""
        hosts = [(each.address.host, each.address.port) for each in self.replicas]
        (host, port), *others = hosts[first:] + hosts[:first]
        address = replace(self.replicas[0].address, database=self.database)
        return replace(address, host=host, port=port, others=tuple(others))

    def drop(self) -> None:
        """Remove it."""
        for each in self.replicas:
            each.ask(f"DROP DATABASE IF EXISTS {self.database} SYNC")
