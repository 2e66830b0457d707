"""Records of tenants, and which credentials belong to one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.errors import AuthError
from raymap.auth.key_source import KeySource
from raymap.auth.keys import issue_key, put_key
from raymap.auth.limits import KeyLimits
from raymap.auth.people import (
    TrustedProxies,
    User,
    begin_session,
    encode_session,
    member_session,
    put_user,
)
from raymap.auth.permissions import Permission, Role
from raymap.auth.tenants import (
    Tenant,
    Tenants,
    database_of,
    forget_tenant,
    new_tenant,
    put_tenant,
    read_tenants,
    tenants_in,
)
from raymap.tenant_names import MAX_NAME, check_name
from store.config.change import change
from store.config.protocol import Change
from store.errors import StoreUnavailable
from store.memory import MemoryStore

MASTER = b"m" * 32


@pytest.mark.parametrize("name", ["a", "acme", "7-eleven", "a-b-c", "x" * MAX_NAME])
def test_names(name: str) -> None:
    check_name(name)
    assert new_tenant(name, 1).folder.startswith(f"{name}.")


@pytest.mark.parametrize(
    "name",
    ["", "-a", "A", "a_b", "a.b", "a/b", "..", "a`b", "ä", "a b", "default", "x" * 41, "a\n"],
)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="expected 1 to 40"):
        check_name(name)


def test_no_two_tenants_share_a_database() -> None:
    names = ["a", "a-b", "ab", "a-b-c", "tenant", "a-tenant-b"]
    found = {database_of("raymap", name) for name in names}
    assert len(found) == len(names)
    assert "raymap" not in found
    assert database_of("raymap", "a-b") == "raymap_tenant_a_b"


def apply(store: MemoryStore, *changes: Change) -> None:
    change(store, lambda *_: (None, changes), time.time)


def test_a_tenant_and_its_deletion() -> None:
    """One being deleted is known, and may not be used; afterwards the folder of its journals is."""
    store = MemoryStore()
    tenant = new_tenant("acme", 1, KeyLimits(5))
    apply(store, put_tenant(tenant))
    found = tenants_in(store.read_configuration())
    assert found.active == {"acme": tenant}
    assert found.by_id(tenant.id) == tenant
    assert found.deleted == frozenset()
    apply(store, put_tenant(Tenant("acme", tenant.id, 1, deleting=2)))
    found = tenants_in(store.read_configuration())
    assert found == Tenants({}, frozenset({tenant.folder}))
    apply(store, *forget_tenant(tenant, 3))
    assert read_tenants(store.read_configuration()) == {}
    again = new_tenant("acme", 4)
    apply(store, put_tenant(again))
    found = tenants_in(store.read_configuration())
    assert found == Tenants({"acme": again}, frozenset({tenant.folder}))
    assert found.by_id(tenant.id) is None


def test_tenants_are_known_while_the_database_is_not(tmp_path: Path) -> None:
    """A process that starts then puts no tenant's documents into another's."""
    store, tenant = MemoryStore(), new_tenant("acme", 1)
    issued = issue_key("k", Role.INGEST, MASTER, now=1, tenant="acme")
    apply(store, put_tenant(tenant), put_key(issued.key))
    KeySource(store.read_configuration, tmp_path).refresh()

    def unavailable() -> None:
        raise StoreUnavailable("away")

    source = KeySource(unavailable, tmp_path)  # type: ignore[arg-type]
    source.refresh()
    principal = Authenticator(Mode.ON, source, MASTER).by_headers({"x-api-key": issued.token})
    assert principal is not None
    assert principal.tenant == tenant
    nothing = KeySource(unavailable, tmp_path / "new")  # type: ignore[arg-type]
    assert nothing.tenants() is None


def test_a_key_of_a_file(tmp_path: Path) -> None:
    """It names a tenant that has to exist, also once the database has been read."""
    issued = issue_key("k", Role.INGEST, MASTER, now=1)
    file = tmp_path / "keys.json"
    file.write_text(
        f'[{{"name": "k", "role": "ingest", "token": "{issued.token}", "tenant": "acme"}}]'
    )
    store = MemoryStore()
    source = KeySource(store.read_configuration, tmp_path, file)
    authenticator = Authenticator(Mode.ON, source, MASTER)
    for status in (503, 401):
        with pytest.raises(AuthError) as error:
            authenticator.by_headers({"x-api-key": issued.token})
        assert error.value.status == status
        source.refresh()
    apply(store, put_tenant(new_tenant("acme", 1)))
    source.refresh()
    found = authenticator.by_headers({"x-api-key": issued.token})
    assert found is not None
    assert found.tenant_name == "acme"


def test_people(tmp_path: Path) -> None:
    """A user, someone whom another provider knows, and someone whom a proxy names."""
    store, tenant = MemoryStore(), new_tenant("acme", 1)
    user = User("ana", Role.VIEWER, "x", 1, tenant="acme")
    apply(store, put_tenant(tenant), put_user(user))
    source = KeySource(store.read_configuration, tmp_path)
    source.refresh()
    proxies = TrustedProxies("10.0.0.0/8")
    authenticator = Authenticator(Mode.ON, source, MASTER, proxies)
    now = authenticator.clock()
    cookies = {
        "ana": begin_session(user, now),
        "eve": member_session("eve", Role.EDITOR, now, tenant.id),
    }
    for name, session in cookies.items():
        found = authenticator.by_cookie(encode_session(session, MASTER))
        assert found is not None
        assert (found.name, found.tenant) == (name, tenant)

    def named(groups: str) -> str:
        headers = {"x-forwarded-user": "joe", "x-forwarded-groups": groups}
        found = authenticator.by_proxy("10.1.1.1", headers)
        assert found is not None
        return found.tenant_name

    assert named("raymap-editor, raymap-tenant-default") == ""
    with pytest.raises(AuthError):
        named("raymap-editor")
    assert named("ops, Raymap-Tenant-Acme, raymap-editor") == "acme"
    with pytest.raises(AuthError):
        named("raymap-tenant-globex")
    apply(store, *forget_tenant(tenant, 2))
    source.refresh()
    for session in cookies.values():
        with pytest.raises(AuthError):
            authenticator.by_cookie(encode_session(session, MASTER))


def test_limits_of_a_tenant_are_those_of_all_its_keys(tmp_path: Path) -> None:
    store = MemoryStore()
    keys = [issue_key("k", Role.INGEST, MASTER, now=1, tenant="acme") for _ in range(2)]
    other = issue_key("o", Role.INGEST, MASTER, now=1, tenant="globex")
    limits = KeyLimits(bytes_per_day=1)
    apply(
        store,
        put_tenant(new_tenant("acme", 1, limits)),
        put_tenant(new_tenant("globex", 1, limits)),
        *(put_key(each.key) for each in (*keys, other)),
    )
    source = KeySource(store.read_configuration, tmp_path)
    source.refresh()
    authenticator = Authenticator(Mode.ON, source, MASTER)

    def principal(token: str):  # type: ignore[no-untyped-def]
        found = authenticator.by_headers({"x-api-key": token})
        assert found is not None
        return found

    from collector.payloads import decode_documents
    from tests.raymap.auth.test_quotas import brought

    charge = principal(keys[0].token).charge
    assert charge is not None
    charge(decode_documents(brought(1), 1))
    for issued in keys:
        with pytest.raises(AuthError) as error:
            authenticator.authorize(principal(issued.token), Permission.INGEST)
        assert error.value.status == 429
    authenticator.authorize(principal(other.token), Permission.INGEST)
