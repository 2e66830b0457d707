"""The second wall: a tenant's store connects as a ClickHouse user who may use its database alone.

The password is derived from the server's secret, so every process knows it and none stores it. Where
there is no such user (yet), the common one is used: the embedded engine knows them from its next start on,
and a server of your own may not let us make users.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import structlog
from clickhouse_driver.errors import ServerException

from raymap.auth.tenants import Tenant
from raymap.tenants.databases import address_of
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import first_line
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.sql import identifier, text
from store.clickhouse.embedded import DatabaseUser, database_grants, set_database_users

log = structlog.get_logger(__name__)


def own_login(default: Address, tenant: Tenant, master: bytes) -> Address:
    """A tenant's database with its own user, who is called like it."""
    address = address_of(default, tenant.name)
    password = hmac.digest(master, f"raymap clickhouse user {tenant.id}".encode(), "sha256").hex()
    return replace(address, user=address.database, password=password)


def usable_login(default: Address, tenant: Tenant, master: bytes) -> Address:
    """The tenant's own login if ClickHouse accepts it now, else the common one, which is logged."""
    own = own_login(default, tenant, master)
    client = connect(replace(own, connect_timeout=2.0), timeout=5.0)
    try:
        client.execute("SELECT 1")
        return own
    except Exception as error:
        log.info("tenant_has_no_login", tenant=tenant.name, reason=first_line(error))
        return address_of(default, tenant.name)
    finally:
        client.disconnect()


def write_embedded(
    data_dir: Path, default: Address, tenants: Iterable[Tenant], master: bytes
) -> None:
    """Have the embedded engine know the users of these tenants, and no others, from its next start on."""
    logins = [own_login(default, tenant, master) for tenant in tenants if not tenant.deleting]
    users = {
        login.user: DatabaseUser(
            login.database, hashlib.sha256(login.password.encode()).hexdigest()
        )
        for login in logins
    }
    set_database_users(data_dir, users)


def create(default: Address, tenant: Tenant, master: bytes) -> str:
    """Make the user on a server of one's own; why not, or empty. Repeatable."""
    login = own_login(default, tenant, master)
    user = identifier(login.user)
    client = connect(replace(default, database=""))
    try:
        client.execute(
            f"CREATE USER OR REPLACE {user} IDENTIFIED WITH sha256_password BY {text(login.password)}"
        )
        for grant in database_grants(login.database):
            client.execute(f"GRANT {grant} TO {user}")
        return ""
    except ServerException as error:
        return first_line(error)
    finally:
        client.disconnect()


def drop(default: Address, tenant: Tenant) -> None:
    """Remove the user, where statements can."""
    user = identifier(address_of(default, tenant.name).database)
    client = connect(replace(default, database=""))
    try:
        client.execute(f"DROP USER IF EXISTS {user}")
    except ServerException as error:
        log.info("tenant_login_not_dropped", tenant=tenant.name, reason=first_line(error))
    finally:
        client.disconnect()
