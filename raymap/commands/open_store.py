"""The store of a command that ends by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace

from clickhouse_driver import Client

from raymap.cells import open_cells, require_cells
from raymap.errors import CommandError
from raymap.schema_check import require_schema
from store.cells.store import CellStore
from store.cells.topology import read_member
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.store import ClickHouseStore
from store.config.change import Contended, Decide, Result, change
from store.config.protocol import ConfigStore


@contextmanager
def open_store(clickhouse: Address) -> Iterator[ClickHouseStore]:
    """A store on one connection. CommandError when the schema is another version's."""
    require_schema(clickhouse)
    with closing(ClickHouseStore(clickhouse, connections=1)) as store:
        yield store


@contextmanager
def open_all(
    cells: Sequence[Address], *, connections: int = 1
) -> Iterator[ClickHouseStore | CellStore]:
    """The same over all cells, each of which has to answer. CommandError for some of them alone."""
    require_cells(cells)
    with closing(open_cells(cells, connections=connections)) as store:
        yield store


@contextmanager
def open_home(clickhouse: Address) -> Iterator[ClickHouseStore]:
    """The same for what the home cell alone has. CommandError for another cell."""
    with open_store(clickhouse) as store:
        client = connect(clickhouse)
        try:
            member = read_member(client)
        finally:
            client.disconnect()
        if member is not None and member.place:
            raise CommandError(
                f"{clickhouse.name}/{clickhouse.database} is {member.name}; this is stored in cell 1: "
                "name that one with --clickhouse."
            )
        yield store


def change_configuration(store: ConfigStore, decide: Decide[Result]) -> Result:
    """`store.config.change.change` for a command. CommandError when other writers prevent it."""
    try:
        return change(store, decide, time.time)
    except Contended as error:
        raise CommandError(f"{str(error).capitalize()}.") from None


LONG = 24 * 3600.0
"""Seconds that one statement of `long_connection` may take."""


@contextmanager
def long_connection(address: Address) -> Iterator[Client]:
    """A connection for statements that take hours."""
    client = connect(replace(address, timeout=LONG))
    try:
        yield client
    finally:
        client.disconnect()
