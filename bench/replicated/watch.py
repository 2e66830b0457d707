"""API processes of a cell, each with a reader that compares its map with the rows of its replica."""

from __future__ import annotations

import threading
import time
from collections import Counter

from bench.replicated.load import MINUTE, Rows, map_of
from store.clickhouse.store import ClickHouseStore
from store.model import TimeRange
from tests.store.replicated.cell import Cell


class Watched:
    """A store that counts in the background as an API process does. ``worst``: the longest time, seconds, for which its
    map lacked a row that its replica had; ``slowest``: the longest time that its map took to read."""

    def __init__(self, cell: Cell, replica: int) -> None:
        now = time.time_ns() // 1000
        self.window = TimeRange(now - 10 * MINUTE, now + 120 * MINUTE)
        self.store = ClickHouseStore(cell.from_replica(replica), connections=4)
        self.worst = self.slowest = 0.0
        self.failures: Counter[str] = Counter()
        self.last: Counter[str] = Counter()
        self._rows = Rows(cell, replica)
        self._had: list[tuple[float, Counter[str]]] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self.store.run_rollups, args=(self._stop,), daemon=True),
            threading.Thread(target=self._watch, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.3):
            try:
                self._look()
            except Exception as error:  # the replica does not answer
                self.failures[f"{type(error).__name__}: {error!s:.100}"] += 1

    def _look(self) -> None:
        rows = self._rows.read()
        if not self._had or rows != self._had[-1][1]:
            self._had.append((time.monotonic(), rows))
        begun = time.monotonic()
        self.last = map_of(self.store, self.window)
        self.slowest = max(self.slowest, time.monotonic() - begun)
        for since, had in self._had:
            if any(self.last[name] < count for name, count in had.items()):
                self.worst = max(self.worst, begun - since)
                break
        self._had = [each for each in self._had[:-1] if each[0] > begun - 180] + self._had[-1:]

    def phase(self) -> float:
        """The worst since the last call."""
        worst, self.worst = self.worst, 0.0
        return worst

    def until_exact(self, expected: Counter[str], seconds: float = 180.0) -> tuple[float, float]:
        """Seconds until the map is this, and until the rows are, which ClickHouse fetches; RuntimeError when they never
        are."""
        begun = time.monotonic()
        of_map = of_rows = 0.0
        while time.monotonic() - begun < seconds:
            try:
                is_map = map_of(self.store, self.window) == expected
                of_map = (of_map or time.monotonic() - begun) if is_map else 0.0
                is_stored = self._rows.read() == expected
                of_rows = (of_rows or time.monotonic() - begun) if is_stored else 0.0
                if of_map and of_rows:
                    return of_map, of_rows
            except AssertionError:
                raise
            except Exception as error:
                self.failures[f"{type(error).__name__}: {error!s:.100}"] += 1
            time.sleep(0.1)
        raise RuntimeError(
            f"expected {dict(expected)}, rows {dict(self._rows.read())}, "
            f"map {dict(map_of(self.store, self.window))}"
        )

    def close(self) -> None:
        """End it as a process that is stopped."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.store.close()
