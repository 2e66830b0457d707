"""Keeps a store's rollups up to date while documents arrive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.rollup import compaction
from store.clickhouse.rollup.worker import RollupWorker


@contextmanager
def rolling(address: Address) -> Iterator[Callable[[], None]]:
    """A function that counts all that is due."""
    client, rollup_worker = connect(address), RollupWorker()

    def recount_minutes() -> None:
        rollup_worker.tick(partial(execute, client))

    with _never_quiet():
        yield recount_minutes
    client.disconnect()


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
    with _never_quiet():
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
def _never_quiet() -> Iterator[None]:
    """Minutes are added up to tens and hours at once, so that late rows find those made already."""
    quiet, compaction.QUIET = compaction.QUIET, 0
    try:
        yield
    finally:
        compaction.QUIET = quiet
