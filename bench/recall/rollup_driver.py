"""Keeps a store's rollups up to date while documents arrive."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Protocol

from store.cells.cells import Cells
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import Rows, Statement, execute
from store.clickhouse.rollup import compaction, few_rows
from store.clickhouse.rollup.worker import RollupWorker


@contextmanager
def rolling(address: Address) -> Iterator[Callable[[], None]]:
    """A function that counts all that is due."""
    client, rollup_worker = connect(address), RollupWorker()

    def recount_minutes() -> None:
        rollup_worker.tick(partial(execute, client))

    with never_quiet():
        yield recount_minutes
    client.disconnect()


class HasCells(Protocol):
    """A store over cells."""

    @property
    def cells(self) -> Cells:
        """Those of now."""
        ...


def count_cells(store: HasCells) -> None:
    """Count what is due in each cell, as its worker does."""
    for cell in store.cells.stores:
        with cell._asking() as ask:
            cell.rollup_worker.tick(ask)


def crossing_links(store: HasCells) -> tuple[int, int]:
    """How many links are stored, and how many of them lead from cell to cell."""
    links = crossing = 0
    for number, cell in enumerate(store.cells.stores):
        beside = store.cells.owners.may_be_beside_sql("other_trace", number)
        with cell._asking() as ask:
            ((all_of_cell, leading),) = ask(f"SELECT count(), countIf({beside}) FROM links FINAL")
        links, crossing = links + all_of_cell, crossing + leading
    return links, crossing


STATEMENTS = 8, 40
"""A count is killed before one of so many statements, or ends before: of few rows, which are counted in Python, and of
many."""


class Kills:
    """Counts by processes of their own, each killed by SIGKILL before a statement drawn at random."""

    def __init__(self, address: Address, random: Random) -> None:
        self._address = address
        self._random = random
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload([__name__])
        self.counts = self.kills = 0

    def count(self) -> None:
        """Begin to count all that is due."""
        few = self._random.random() < 0.5
        before = self._random.randrange(STATEMENTS[not few])
        process = self._processes.Process(target=_count_until, args=(self._address, few, before))
        process.start()
        process.join()
        if process.exitcode not in (0, -signal.SIGKILL):
            raise RuntimeError(f"a count ended with {process.exitcode}")
        self.counts += 1
        self.kills += process.exitcode != 0


def _count_until(address: Address, few: bool, statement: int) -> None:
    """Count in Python or in SQL, and be killed before the statement of this number."""
    client, left = connect(address), statement

    def run(text: Statement) -> Rows:
        nonlocal left
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        rows: Rows = execute(client, text)
        return rows

    compaction.QUIET = 0
    if not few:
        few_rows.MOST = 0
    RollupWorker().tick(run)


@contextmanager
def rollup_workers(address: Address, count: int) -> Iterator[None]:
    """Run ``count`` rollup workers, each as if it were a process; raises the first error at exit."""
    stop = threading.Event()
    errors: list[Exception] = []

    def work() -> None:
        client, rollup_worker = connect(address), RollupWorker()
        while not stop.is_set():
            try:
                rollup_worker.tick(partial(execute, client))
            except Exception as error:
                errors.append(error)
                return
            stop.wait(0.3)
        client.disconnect()

    threads = [threading.Thread(target=work, name=f"rollup-{n}") for n in range(count)]
    with never_quiet():
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    if errors:
        raise errors[0]


@contextmanager
def never_quiet() -> Iterator[None]:
    """Minutes are added up to tens and hours at once, so that late rows find those made already."""
    quiet, compaction.QUIET = compaction.QUIET, 0
    try:
        yield
    finally:
        compaction.QUIET = quiet
