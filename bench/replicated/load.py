"""Documents for a cell of replicas, and what is known of them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from store.clickhouse.connection.pool import connect
from store.clickhouse.store import ClickHouseStore
from store.model import TimeRange
from tests.builders import segment
from tests.store.replicated.cell import Cell

BATCH = 20
MINUTE = 60_000_000


def documents(name: str, number: int, at: int, count: int = BATCH) -> list[Any]:
    """A batch of traces of one service that begin at a time."""
    seconds = (at // 1_000_000).to_bytes(4, "big")
    unique = name.encode()[:4].ljust(4, b"_") + number.to_bytes(4, "big")
    return [
        segment(
            1 + each,
            trace_id=seconds + unique + each.to_bytes(4, "big"),
            start=at,
            end=at + 1000,
            version=at,
            name=name,
        )
        for each in range(count)
    ]


def map_of(store: ClickHouseStore, window: TimeRange) -> Counter[str]:
    """What the map counts, by service."""
    found: Counter[str] = Counter()
    for each in store.service_graph(window).services.values():
        if not each.key.type:
            found[each.key.name] += each.statistics.total
    return found


class Rows:
    """What a replica has, by service."""

    def __init__(self, cell: Cell, replica: int) -> None:
        self._client = connect(cell.address.each[replica])

    def read(self) -> Counter[str]:
        """Documents; AssertionError where one is there twice."""
        rows = self._client.execute(
            "SELECT name, uniqExact(trace_id, id), count() FROM segments GROUP BY name"
        )
        if any(distinct != count for _, distinct, count in rows):
            raise AssertionError(f"documents are there twice: {rows}")
        return Counter({name: count for name, count, _ in rows})


@dataclass
class Load:
    """Puts batches through a store, and each again, under its token, until it is acknowledged."""

    store: ClickHouseStore
    service: str
    every: float
    batch: int
    acknowledged: int = 0
    attempts: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._put, daemon=True)
        self._thread.start()

    def _put(self) -> None:
        number = 0
        while not self.stopping.is_set():
            batch = documents(self.service, number, time.time_ns() // 1000, self.batch)
            while True:
                self.attempts += 1
                try:
                    self.store.put(batch, f"{self.service}-{number}")
                except Exception as error:
                    self.errors[f"{error!s:.140}"] += 1
                    time.sleep(0.3)
                else:
                    self.acknowledged += self.batch
                    break
            number += 1
            self.stopping.wait(self.every)

    def end(self) -> None:
        """Stop between two batches."""
        self.stopping.set()
        self._thread.join()
