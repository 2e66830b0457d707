"""What happens to replicas, and what has to be true meanwhile and afterwards."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import inf

from bench.replicated.holders import holders
from bench.replicated.load import Load
from bench.replicated.three import three
from bench.replicated.watch import Watched
from bench.replicated.webhooks import webhooks
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore
from tests.store.replicated.cell import Cell
from tests.store.replicated.rig import Rig
from tests.store.replicated.traffic import lagging

FRESH, BACK = 5.0, 10.0
"""Seconds for which a map may lack a row of its replica; and after a return until all is exact."""
LOAD = 1000
FAKETIME = "RAYMAP_BENCH_FAKETIME"
TABLES = ("segments", "calls", "traces", "links", "dirty")


@dataclass
class Case:
    """A cell with two APIs and two collectors, one for each replica, and what was seen of them."""

    cell: Cell
    rig: Rig
    apis: list[Watched]
    loads: list[Load]
    said: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def say(self, line: str, *, ok: bool = True) -> None:
        """Note a figure."""
        self.said.append(line)
        if not ok:
            self.wrong.append(line)
        print(("  " if ok else "! ") + line, flush=True)

    def fresh(self, phase: str, bound: float = FRESH, only: int | None = None) -> None:
        """Note for how long the maps have lacked rows of their replicas."""
        for number, api in enumerate(self.apis):
            worst = api.phase()
            ok = worst <= bound or only not in (None, number)
            self.say(
                f"{phase}: map of r{number + 1} lacked rows for {worst:.1f} s at most, and took {api.slowest:.1f} s to read",
                ok=ok,
            )
            api.slowest = 0.0

    def phase(self, name: str, seconds: float) -> None:
        """Let it last, and note what is said of it."""
        time.sleep(seconds)
        for number, api in enumerate(self.apis):
            lag = api.store.rollup_worker.lag
            self.say(f"{name}: r{number + 1} says {lag.reason or 'nothing'}")

    def counting(self) -> int:
        """The replica of the process that counts."""
        turns = [api.store.rollup_worker.turn for api in self.apis]
        return next(number for number, turn in enumerate(turns) if turn and turn.mine)

    def exact(self, bound: float = BACK, rows: float = BACK) -> None:
        """End the load, and wait until maps and rows of both are what was acknowledged. ``rows``: their bound in seconds."""
        for load in self.loads:
            load.end()
        expected = Counter({load.service: load.acknowledged for load in self.loads})
        with ThreadPoolExecutor(len(self.apis)) as threads:
            found = list(threads.map(lambda api: api.until_exact(expected), self.apis))
        for number, (of_map, of_rows) in enumerate(found):
            self.say(
                f"r{number + 1}: {sum(expected.values())} acknowledged = on the map after {of_map:.1f} s, "
                f"= stored = distinct after {of_rows:.1f} s",
                ok=of_map <= bound and of_rows <= rows,
            )
        for load in self.loads:
            for error, times in load.errors.most_common(2):
                self.say(f"{load.service} was refused {times} times: {error}")
        self.say(
            f"load average of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        )


@contextmanager
def case(rig: Rig) -> Iterator[Case]:
    """A new database under load: two collectors, each with an insert of LOAD documents a second."""
    cell = Cell(rig.replicas)
    migrate(cell.address, {"retention_days": 3650})
    apis = [Watched(cell, number) for number in range(2)]
    stores = [ClickHouseStore(cell.from_replica(number), connections=2) for number in range(2)]
    loads = [Load(store, f"v{number + 1}", 1.0, LOAD) for number, store in enumerate(stores)]
    try:
        yield Case(cell, rig, apis, loads)
    finally:
        for load in loads:
            load.stopping.set()
        for api in apis:
            api.close()
        for store in stores:
            with suppress(Exception):
                store.close()
        cell.drop()


def lag(rig: Rig, seconds: float) -> list[str]:
    """Rows do not reach the replica of the process that counts."""
    with case(rig) as it:
        time.sleep(15)
        it.fresh("before")
        with lagging(it.cell, it.counting(), TABLES):
            time.sleep(seconds)
            it.fresh(f"lag of {seconds:g} s")
        it.exact(FRESH, rows=inf)  # ClickHouse fetches what has waited in its own time
        it.fresh("after", FRESH)
        return it.wrong


def kill_replica(rig: Rig, seconds: float) -> list[str]:
    """The first replica ends by SIGKILL, and comes back."""
    with case(rig) as it:
        time.sleep(12)
        it.fresh("before")
        rig.replicas[0].kill()
        time.sleep(seconds)
        it.say(f"acknowledged meanwhile: {[load.acknowledged for load in it.loads]}")
        rig.replicas[0].start()
        it.exact()
        return it.wrong


def kill_coordination(rig: Rig, seconds: float) -> list[str]:
    """ZooKeeper ends by SIGKILL alone, and comes back."""
    with case(rig) as it:
        time.sleep(12)
        it.fresh("before")
        rig.coordination.kill()
        time.sleep(seconds)
        for number, api in enumerate(it.apis):
            it.say(f"map of r{number + 1} meanwhile: {dict(api.last)}", ok=bool(api.last))
            for problem in api.store.problems():
                it.say(f"r{number + 1} says: {problem}")
        rig.coordination.start()
        it.exact()
        return it.wrong


def clocks(rig: Rig, seconds: float) -> list[str]:
    """The second replica's clock is 120 s ahead, then behind, then right."""
    second = rig.replicas[1]
    with case(rig) as it:
        time.sleep(12)
        it.fresh("before")
        for offset in ("+120", "-120", ""):
            second.kill()
            second.environment = _offset(offset)
            second.start()
            it.phase(f"the clock of r2 is {offset or '0'} s ahead", seconds)
        it.exact(BACK)
        return it.wrong


def _offset(seconds: str) -> dict[str, str]:
    if not seconds:
        return {}
    return {
        "LD_PRELOAD": os.environ[FAKETIME],
        "FAKETIME": seconds,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


CASES: dict[str, Callable[[Rig, float], list[str]]] = {
    "lag": lag,
    "kill-replica": kill_replica,
    "kill-coordination": kill_coordination,
    "holders": holders,
    "webhooks": webhooks,
    "clocks": clocks,
    "three": three,
}
