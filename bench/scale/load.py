"""What runs beside the queries that are timed: counting of minutes, merges, another client."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_driver import Client

from bench.scale.generate import DataSet, statements
from bench.scale.measure import TAIL
from bench.scale.shapes import SHAPES
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import Rows, Statement, execute
from store.clickhouse.rollup import compaction, dirty
from store.clickhouse.store import ClickHouseStore
from store.times import SECOND


@contextmanager
def counting(store: ClickHouseStore) -> Iterator[None]:
    """Minutes are counted as rows arrive, as in `raymap collect`."""
    stop = threading.Event()
    thread = threading.Thread(target=store.run_rollups, args=(stop,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def settle(
    client: Client, patience: float = 900.0, calm_for: float = compaction.QUIET / 1_000_000 + 15
) -> float:
    """Wait until every minute is counted, hours are added up and merges rest; the seconds it took.

    ``calm_for``: seconds without any change that are taken for the end.
    """

    def ask(statement: Statement) -> Rows:
        rows: Rows = execute(client, statement)
        return rows

    begun = calm = time.monotonic()
    last = -1
    while time.monotonic() - begun < patience:
        ((merges,),) = client.execute("SELECT count() FROM system.merges")
        ((rows,),) = client.execute("SELECT count() FROM rollups")
        if merges or rows != last or dirty.dirty_buckets(ask):
            last, calm = rows, time.monotonic()
        if time.monotonic() - calm > calm_for:
            break
        time.sleep(1.0)
    return calm - begun


ARRIVING = 16_000
"""Rows a second that another client inserts meanwhile."""


@contextmanager
def inserting(address: Address, data: DataSet) -> Iterator[None]:
    """Another client: every second a second's rows, the first of them five minutes before the
    windows end."""
    stop = threading.Event()
    traffic = DataSet(data.shape, round(data.hours * 3600) * ARRIVING, data.hours, seed=1000)
    each = ARRIVING // SHAPES[data.shape].rows
    last = round(data.hours * 3600) - TAIL // SECOND

    def insert() -> None:
        client = connect(address)
        second = max(0, last - 300)
        while not stop.is_set():
            begun = time.monotonic()
            for _, statement in statements(traffic, second * each, each):
                client.execute(statement)
            second += 1
            stop.wait(max(0.0, 1.0 - (time.monotonic() - begun)))
        client.disconnect()

    thread = threading.Thread(target=insert, daemon=True)
    thread.start()
    time.sleep(10.0)
    try:
        yield
    finally:
        stop.set()
        thread.join()
