"""One cell of the store, as a process that ingests sees it: what waits for it, and the thread that inserts there.

A cell that is unavailable delays no other. A store that does not consist of cells is one.
"""

from __future__ import annotations

import threading
import time

from collector.batches import Batches, Limits
from collector.group_commit import GroupCommit
from collector.health import StoreAvailability
from collector.inserter import Inserter
from collector.journals import Journals
from collector.metrics import IngestMetrics
from collector.replay import Backlog
from collector.store_inserts import StoreInserts
from store.protocol import CellWriter, ColumnarWriter, SegmentWriter


class Cell:
    """Its journal position, batches, backlog and inserter."""

    def __init__(
        self,
        place: int,
        writer: SegmentWriter,
        batches: Batches,
        journals: Journals,
        commit: GroupCommit,
        limits: Limits,
        metrics: IngestMetrics,
    ) -> None:
        self._place, self._writer, self._metrics = place, writer, metrics
        self.batches = batches
        self._journals, self._commit, self._limits = journals, commit, limits
        self.store = StoreAvailability(writer.name if isinstance(writer, CellWriter) else "")
        self._inserts: list[StoreInserts] = []
        """Of each thread that inserts."""
        columnar = writer if isinstance(writer, ColumnarWriter) else None
        self.backlog = Backlog(journals, place, columnar, metrics)
        self.inserter = Inserter(
            self.make_inserts(), batches, self.backlog, commit, self.store, limits, place
        )
        self.thread = threading.Thread(target=self.inserter.run, name="insert", daemon=True)

    def make_inserts(self) -> StoreInserts:
        """What a thread needs that inserts into the cell."""
        made = StoreInserts(
            self._writer, self.batches, self._journals, self._commit, self.store, self._metrics
        )
        self._inserts.append(made)
        return made

    def watch(self) -> None:
        """Notice an insert without an answer, and update the gauges."""
        slow = self._limits.slow_insert
        for each in self._inserts:
            if each.started is not None and time.monotonic() - each.started > slow:
                each.mark_unavailable(f"no answer for {slow:g} s")
        label = str(self._place + 1)
        self._metrics.cell_unsent.labels(label).set(self._commit.unsent_of(self._place))
        self._metrics.cell_unavailable.labels(label).set(not self.store.available)

    @property
    def oldest(self) -> float:
        """The age in seconds of the oldest document that the cell has not had."""
        oldest = self.backlog.oldest
        return max(self.batches.age, time.time() - oldest / 1e6 if oldest else 0.0)
