"""The store of a command that ends by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from raymap.schema_check import require_schema
from store.clickhouse.connection.address import Address
from store.clickhouse.store import ClickHouseStore


@contextmanager
def open_store(clickhouse: Address) -> Iterator[ClickHouseStore]:
    """A store on one connection. CommandError when the schema is another version's."""
    require_schema(clickhouse)
    with closing(ClickHouseStore(clickhouse, connections=1)) as store:
        yield store
