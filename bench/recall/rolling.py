"""Brings a store's rollups up to date between batches, as its roller thread does by the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from store.clickhouse import rollup
from store.clickhouse.client import connect
from store.clickhouse.store import ClickHouseStore


@contextmanager
def rolling(store: ClickHouseStore) -> Iterator[Callable[[], None]]:
    """A function that counts all that is due. Minutes are taken to be quiet at once, so that they
    are added up to tens and hours, and late rows find those made already."""
    client = connect(store.address)
    quiet, rollup.QUIET = rollup.QUIET, 0

    def roll() -> None:
        store.roller.tick(client.execute)

    try:
        yield roll
    finally:
        rollup.QUIET = quiet
        client.disconnect()
