"""Processes that have the lease to count: killed between any two statements, or stopped until another has it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from contextlib import suppress
from random import Random

from bench.replicated.load import MINUTE, documents, map_of
from store.clickhouse.connection import lease
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import Rows, Statement, execute
from store.clickhouse.rollup import compaction, few_rows, turn
from store.clickhouse.rollup.turn import MayNotCount, Turn
from store.clickhouse.rollup.worker import RollupWorker
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore
from store.model import TimeRange
from tests.store.replicated.cell import Cell
from tests.store.replicated.rig import Rig

PROCESSES = multiprocessing.get_context("forkserver")
STATEMENTS = 24, 60
"""A count is ended before one of so many: of few rows, which are counted in Python, and of many."""
COUNTS = 2.0
"""For each of the seconds for which it is to last, about."""
SHORT = {"RENEW": 0.3, "VALID": 1.0, "LOST": 1.6}
"""Seconds of a lease, so that the next process need not wait for long."""


def shorten() -> None:
    """Let leases of this process last seconds."""
    for name, seconds in SHORT.items():
        setattr(lease, name, seconds)
    setattr(turn, "RENEW", SHORT["RENEW"])  # noqa: B010


def _count_until(address: Address, few: bool, statement: int, end: int) -> None:
    """Take the lease, count in Python or in SQL, and be ended by a signal before the statement of this number."""
    shorten()
    client, left = connect(address), statement

    def run(text: Statement) -> Rows:
        nonlocal left
        if not left:
            os.kill(os.getpid(), end)
        left -= 1
        rows: Rows = execute(client, text) or []
        return rows

    compaction.QUIET = 0
    if not few:
        few_rows.MOST = 0
    worker = RollupWorker(Turn(lambda: address))
    deadline = time.monotonic() + 20
    worker._wanted = True
    while not worker.turn.mine and time.monotonic() < deadline:  # type: ignore[union-attr]
        with suppress(MayNotCount):  # it stood still
            worker.tick(run)
        time.sleep(0.1)


def holders(rig: Rig, seconds: float) -> list[str]:
    """Processes that count are killed or stopped between any two statements; another counts, and those that were stopped
    go on."""
    shorten()
    random = Random(int(time.time()) // 86_400)
    cell = Cell(rig.replicas)
    migrate(cell.address, {"retention_days": 3650})
    stores = [ClickHouseStore(cell.from_replica(number), connections=3) for number in range(2)]
    now = time.time_ns() // 1000
    window = TimeRange(now - 60 * MINUTE, now + 60 * MINUTE)
    expected: Counter[str] = Counter()
    wrong: list[str] = []
    kills = stops = whole = 0
    for number in range(round(COUNTS * seconds)):
        name = f"v{number % 2}"
        stores[number % 2].put(documents(name, number, now - number % 7 * MINUTE), f"{number}")
        expected[name] += 20
        few, end = random.random() < 0.5, random.choice((signal.SIGKILL, signal.SIGSTOP))
        before = random.randrange(3, STATEMENTS[not few])
        address = cell.from_replica(random.randrange(2))
        process = PROCESSES.Process(target=_count_until, args=(address, few, before, end))
        process.start()
        state = _ended(process)
        kills, stops, whole = (
            kills + (state == "killed"),
            stops + (state == "stopped"),
            whole + (state == "whole"),
        )
        reader = stores[random.randrange(2)]
        took = _until(reader, window, expected)
        if took < 0:
            wrong.append(
                f"count {number}, {state} before statement {before}: {_map(reader, window)}"
            )
        if state == "stopped":
            os.kill(process.pid or 0, signal.SIGCONT)
            process.join(30)
            wrong += [
                f"count {number}, which went on at statement {before}: {_map(store, window)}"
                for store in stores
                if _until(store, window, expected, 10) < 0
            ]
        process.join(30)
    differences = sum(len(part.differences) for part in stores[1].verify(window))
    print(
        f"  {kills + stops + whole} counts: {kills} killed, {stops} stopped until another had counted, {whole} ended before; "
        f"{len(wrong)} wrong maps; verify: {differences} differences",
        flush=True,
    )
    for each in wrong:
        print("! " + each, flush=True)
    for store in stores:
        store.close()
    cell.drop()
    return wrong + ["verify"] * bool(differences)


def _ended(process: multiprocessing.process.BaseProcess) -> str:
    """How a process has ended, or that it stands still."""
    while process.is_alive():
        with (
            suppress(FileNotFoundError, ProcessLookupError),  # it has ended in between
            open(f"/proc/{process.pid}/stat") as file,
        ):
            if file.read().rpartition(")")[2].split()[0] == "T":
                return "stopped"
        time.sleep(0.02)
    return "killed" if process.exitcode == -signal.SIGKILL else "whole"


def _map(store: ClickHouseStore, window: TimeRange) -> dict[str, int]:
    return dict(map_of(store, window))


def _until(
    store: ClickHouseStore, window: TimeRange, expected: Counter[str], seconds: float = 30
) -> float:
    """Seconds until the map is right; -1 when it never is."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        if map_of(store, window) == expected:
            return time.monotonic() - begun
        time.sleep(0.05)
    return -1.0
