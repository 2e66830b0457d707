"""Three replicas, of which one is gone with rows that no other has."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from bench.replicated.load import MINUTE, documents, map_of
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore
from store.model import TimeRange
from tests.store.replicated.cell import Cell
from tests.store.replicated.rig import Rig
from tests.store.replicated.traffic import lagging

COUNTED, BACK = 60.0, 10.0
"""Seconds in which the others count: the first one's session has to end; and after its return."""


def three(_: Rig, seconds: float) -> list[str]:
    """The first of three replicas is gone, with rows that no other has: the others count what is there."""
    with tempfile.TemporaryDirectory(prefix="raymap-bench-", dir="/dev/shm") as folder:
        rig = Rig(Path(folder), replicas=3)
        try:
            rig.start()
            return _lose_one(rig, seconds)
        finally:
            rig.stop()


def _lose_one(rig: Rig, seconds: float) -> list[str]:
    cell = Cell(rig.replicas)
    migrate(cell.address, {"retention_days": 3650})
    stores = [ClickHouseStore(cell.from_replica(number), connections=3) for number in range(3)]
    stop = threading.Event()
    for store in stores[1:]:
        threading.Thread(target=store.run_rollups, args=(stop,), daemon=True).start()
    now = time.time_ns() // 1000
    window = TimeRange(now - 60 * MINUTE, now + 60 * MINUTE)
    with lagging(cell, 1), lagging(cell, 2):
        stores[0].put(documents("lost", 1, now), "1")
        rig.replicas[0].kill()
    stores[1].put(documents("here", 2, now), "2")
    begun = time.monotonic()
    wrong = []
    for number, store in enumerate(stores[1:], 2):
        took = _until(store, window, Counter(here=20), begun, 120)
        print(f"  r{number} has counted what is there after {took:.1f} s", flush=True)
        wrong += [f"r{number}"] * (took > COUNTED)
    time.sleep(seconds)
    rig.replicas[0].start()
    begun = time.monotonic()
    for number, store in enumerate(stores[1:], 2):
        took = _until(store, window, Counter(here=20, lost=20), begun, 120)
        print(f"  r{number} is exact {took:.1f} s after the return", flush=True)
        wrong += [f"r{number}"] * (took > BACK)
    stop.set()
    return wrong


def _until(
    store: ClickHouseStore, window: TimeRange, expected: Counter[str], begun: float, most: float
) -> float:
    """Seconds since then until the map is this, or ``most``."""
    while time.monotonic() - begun < most:
        if map_of(store, window) == expected:
            break
        time.sleep(0.1)
    return time.monotonic() - begun
