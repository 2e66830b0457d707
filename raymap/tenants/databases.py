"""The databases of tenants: where they are; how they are made, migrated, measured and removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import NamedTuple

from clickhouse_driver import Client

from raymap.auth.tenants import Tenant, database_of, read_tenants
from raymap.errors import CommandError
from store.clickhouse.config.configuration import read_configuration
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.sql import identifier
from store.clickhouse.schema.retention import prepare_database


class Usage(NamedTuple):
    """What a tenant has stored: traces, documents, bytes on disk, and documents of the last 24 hours."""

    traces: int
    documents: int
    bytes: int
    last_day: int


def address_of(default: Address, tenant: str) -> Address:
    """Where a tenant's data is, beside the default tenant's; ``tenant`` may be empty."""
    if not tenant:
        return default
    return replace(default, database=database_of(default.database, tenant))


def stored_tenants(default: Address) -> dict[str, Tenant]:
    """The tenants by name, also those being deleted."""
    from store.clickhouse.store import ClickHouseStore

    with closing(ClickHouseStore(default, connections=1)) as store:
        return read_tenants(store.read_configuration())


def prepared_tenants(default: Address) -> dict[str, Tenant]:
    """The same of a database that has just been prepared, without the modules of a whole store on one server; of
    several a store chooses one."""
    if default.clustered:
        return stored_tenants(default)
    with _open(default) as client:
        return read_tenants(read_configuration(client))


def find_tenant(default: Address, name: str) -> Tenant:
    """The tenant of a name. CommandError when there is none."""
    found = stored_tenants(default).get(name)
    if found is None or found.deleting:
        raise CommandError(f"There is no tenant {name}: raymap tenant list shows them.")
    return found


def prepare_databases(default: Address, retention: Mapping[str, int]) -> dict[str, list[str]]:
    """Bring every tenant's database to this version's schema; the migrations applied, by database.

    ``retention``: days by kind given for the default tenant. Others have their own.
    """
    applied = {default.database: prepare_database(default, retention)}
    for tenant in prepared_tenants(default).values():
        if not tenant.deleting:
            address = address_of(default, tenant.name)
            applied[address.database] = prepare_database(address, {})
    return applied


def database_exists(address: Address) -> bool:
    """Whether there is a database of this name."""
    with _connected(address) as client:
        return bool(
            client.execute(
                "SELECT 1 FROM system.databases WHERE name = {name:String}",
                {"name": address.database},
            )
        )


def drop_database(address: Address) -> None:
    """Remove a database with everything in it, before this returns."""
    with _connected(address) as client:
        client.execute(f"DROP DATABASE IF EXISTS {identifier(address.database)} SYNC")


def usage(address: Address) -> Usage:
    """What is stored in a database. Documents count their copies until ClickHouse has merged them."""
    with _connected(address) as client:
        ((size,),) = client.execute(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = {name:String}",
            {"name": address.database},
        )
        ((traces,),) = client.execute(f"SELECT uniq(trace_id) FROM {_table(address, 'traces')}")
        ((documents, last_day),) = client.execute(
            "SELECT count(), countIf(received > now() - toIntervalDay(1)) "
            f"FROM {_table(address, 'segments')}"
        )
    return Usage(traces, documents, size, last_day)


@contextmanager
def _connected(address: Address) -> Iterator[Client]:
    """A connection to the server, whether or not the database exists."""
    with _open(replace(address, database=""), timeout=3_600) as client:
        yield client


@contextmanager
def _open(address: Address, timeout: float | None = None) -> Iterator[Client]:
    client = connect(address, timeout=timeout)
    try:
        yield client
    finally:
        client.disconnect()


def _table(address: Address, name: str) -> str:
    return f"{identifier(address.database)}.{identifier(name)}"
