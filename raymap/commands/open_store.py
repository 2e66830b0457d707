"""The store of a command that ends by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from clickhouse_driver import Client

from raymap.schema_check import require_schema
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.store import ClickHouseStore


@contextmanager
def open_store(clickhouse: Address) -> Iterator[ClickHouseStore]:
    """A store on one connection. CommandError when the schema is another version's."""
    require_schema(clickhouse)
    with closing(ClickHouseStore(clickhouse, connections=1)) as store:
        yield store


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
