"""A collector is killed with documents of two tenants in its journals: each reach their own database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from raymap.auth.keys import IssuedKey, issue_key, put_key
from raymap.auth.permissions import Role
from raymap.auth.secret import server_secret
from raymap.auth.tenants import FOLDER, new_tenant, put_tenant
from raymap.tenants.databases import address_of
from store.clickhouse.connection.address import Address
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore
from store.config.change import change
from tests.conftest import drop, migrated_database
from tests.faults.gate import Gate
from tests.raymap.processes import finished_segment
from tests.raymap.tenants.collectors import collector, names_in, send
from tests.waiting import eventually

pytestmark = pytest.mark.server
TENANTS = ("acme", "globex")
DOCUMENTS = 40


@pytest.fixture
def database(clickhouse: Address) -> Iterator[Address]:
    """The default tenant's, with those of two tenants beside it."""
    with migrated_database(clickhouse) as default:
        own = [address_of(default, name) for name in TENANTS]
        for address in own:
            migrate(address, {"retention_days": 3650})
        yield default
        for address in own:
            drop(address)


def register(database: Address, data_dir: Path) -> dict[str, IssuedKey]:
    """The tenants, and a key of each; the default one's is that without a name."""
    master = server_secret(data_dir)
    keys = {
        name: issue_key(name or "default", Role.INGEST, master, now=1, tenant=name)
        for name in (*TENANTS, "")
    }
    changes = [put_tenant(new_tenant(name, 1)) for name in TENANTS]
    changes += [put_key(issued.key) for issued in keys.values()]
    with closing(ClickHouseStore(database, connections=1)) as store:
        change(store, lambda *_: (None, changes), time.time)
    return keys


def has(address: Address, names: list[str]) -> bool:
    return names_in(address) == names


def test_kill_9_with_documents_of_two_tenants(database: Address, tmp_path: Path) -> None:
    keys = register(database, tmp_path)
    gate = Gate(database.host, database.port)
    through = replace(database, port=gate.port)
    first = {name: [finished_segment(f"{name or 'default'}-first")] for name in keys}
    rest = {
        name: [finished_segment(f"{name or 'default'}-rest") for _ in range(DOCUMENTS)]
        for name in keys
    }
    with collector(through, tmp_path) as (process, http):
        for name, issued in keys.items():
            assert send(http, issued, first[name])
        gate.shut()
        for name, issued in keys.items():  # acknowledged without the database
            assert send(http, issued, rest[name])
        process.kill()
        process.wait()
    folders = [path.name.partition(".")[0] for path in (tmp_path / FOLDER).iterdir()]
    assert sorted(folders) == sorted(TENANTS)
    gate.open()
    with collector(through, tmp_path):
        for name in keys:
            wanted = sorted(
                [f"{name or 'default'}-first: 1", f"{name or 'default'}-rest: {DOCUMENTS}"]
            )
            address = address_of(database, name)
            eventually(partial(has, address, wanted), f"{name} has its own", seconds=60)
    gate.shut()
