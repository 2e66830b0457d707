"""Cells of which there are more from a time on, while documents arrive."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bench.recall.rollup_driver import count_cells
from store.cells.cells import Cells
from store.cells.store import CellStore
from store.cells.topology import add_cell, form_topology, now, read_topology
from store.clickhouse.connection.address import Address
from store.clickhouse.rollup.epochs import AFTER
from store.graph import ServiceGraph
from store.model import Document, TimeRange
from store.times import SECOND

AHEAD = 2 * SECOND
"""By which the epoch is announced at least."""


class ReshardedStore:
    """The first cells of some; before the first document of a trace that begins at ``time`` the others are added, one after
    the other, and the process starts again with all. Maps are read once they have notified each other."""

    def __init__(self, addresses: Sequence[Address], first: int, time: int) -> None:
        form_topology(addresses[:first])
        self._addresses, self._known, self._time = addresses, first, time
        self._since = 0
        self._store = self._open()

    def _open(self) -> CellStore:
        cells = self._addresses[: self._known]
        return CellStore(cells, connections=4, member=read_topology(cells))

    @property
    def cells(self) -> Cells:
        """Those of now."""
        return self._store.cells

    @property
    def is_resharded(self) -> bool:
        """Whether there are more than at first."""
        return bool(self._since)

    def put(self, documents: Sequence[Document], token: str) -> None:
        """Store documents, each in its cell."""
        begun = max(int.from_bytes(each.trace_id[:4]) * SECOND for each in documents)
        if not self._since and begun >= self._time:
            self._reshard()
        self._store.put(documents, token)

    def _reshard(self) -> None:
        self._since = max(self._time, (now() // SECOND + 1) * SECOND + AHEAD)
        while self._known < len(self._addresses):
            added = self._addresses[self._known]
            add_cell(self._addresses[: self._known], added, self._since)
            self._known += 1
        self._store.close()
        self._store = self._open()
        _wait_until(self._since)

    def service_graph(self, window: TimeRange) -> ServiceGraph:
        """The map."""
        if self._since and now() < self._since + AFTER:
            _wait_until(self._since + AFTER)
            count_cells(self)
        return self._store.service_graph(window)

    def stored(self) -> list[set[str]]:
        """The traces of each cell."""
        found = []
        for cell in self.cells.stores:
            with cell._asking() as ask:
                found.append({id for (id,) in ask("SELECT DISTINCT hex(trace_id) FROM traces")})
        return found

    def close(self) -> None:
        """Close all connections."""
        self._store.close()


def _wait_until(instant: int) -> None:
    time.sleep(max(0, instant - now()) / SECOND + 0.1)
