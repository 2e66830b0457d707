"""The second wall: a tenant's store connects as a ClickHouse user who may use its database alone.

The password is derived from the server's secret, so every process knows it and none stores it. While
ClickHouse refuses that user, the common one is used: the embedded engine knows them from its next start on,
and a server of your own may not let us make users.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import structlog
from clickhouse_driver.errors import ServerException

from raymap.auth.tenants import Tenant
from raymap.tenants.databases import address_of
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import LOGIN_CODES, first_line
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.sql import identifier, text
from store.clickhouse.embedded import DatabaseUser, set_database_users
from store.clickhouse.grants import database_grants

log = structlog.get_logger(__name__)

LOOK_EVERY = 60.0
"""Seconds for which an answer about a tenant's login is used."""


def own_login(default: Address, tenant: Tenant, master: bytes) -> Address:
    """A tenant's database with its own user, who is called like it."""
    address = address_of(default, tenant.name)
    password = hmac.digest(master, f"raymap clickhouse user {tenant.id}".encode(), "sha256").hex()
    return replace(address, user=address.database, password=password)


def refusal(own: Address) -> str:
    """Why ClickHouse does not let the tenant's own user read the tenant's data, or empty. Raises what a
    query does that fails for another reason, such as a server that does not answer."""
    client = connect(replace(own, connect_timeout=2.0), timeout=5.0)
    try:
        client.execute("SELECT count() FROM segments WHERE 0")
        return ""
    except ServerException as error:
        if error.code not in LOGIN_CODES:
            raise
        return first_line(error)
    finally:
        client.disconnect()


class TenantLogin:
    """The address that connections for a tenant use now: with its own user, or with the common one while
    ClickHouse refuses that. Looks again every minute, when a connection is needed. Thread-safe."""

    def __init__(
        self, default: Address, tenant: Tenant, master: bytes, every: float = LOOK_EVERY
    ) -> None:
        self.common = address_of(default, tenant.name)
        self._own = own_login(default, tenant, master)
        self._tenant, self._every = tenant.name, every
        self._lock = threading.Lock()
        self._current: Address | None = None
        self._look_at = 0.0

    def __call__(self) -> Address:
        """Raises what `refusal` does until ClickHouse has answered once."""
        with self._lock:
            if self._current is None or time.monotonic() >= self._look_at:
                self._current = self._look()
                self._look_at = time.monotonic() + self._every
            return self._current

    def _look(self) -> Address:
        try:
            reason = refusal(self._own)
        except Exception:
            if self._current is None:
                raise
            return self._current
        found = self.common if reason else self._own
        if reason and found is not self._current:
            log.warning("tenant_has_no_login", tenant=self._tenant, reason=reason)
        elif not reason and self._current is self.common:
            log.info("tenant_has_login", tenant=self._tenant)
        return found


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
