"""Keys, members and settings over HTTP: who may, in which tenant, what is refused, and what is recorded."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from starlette.types import ASGIApp

from api.app import create_app
from raymap.administration import settings_routes
from raymap.administration.routes import administration_routers
from raymap.administration.tenants import Server
from raymap.auth.audit import AuditTrail
from raymap.auth.audit_routes import audit_router
from raymap.auth.http import AuthGuard
from raymap.auth.install import Authentication
from raymap.auth.keys import issue_key, put_key, read_keys
from raymap.auth.people import User, check_password, hash_password, put_user, read_people
from raymap.auth.permissions import Role
from raymap.auth.secret import server_secret
from raymap.auth.sign_in import sign_in_router
from raymap.auth.tenants import new_tenant, put_tenant, read_tenants
from raymap.settings import ApiSettings
from raymap.shown_settings import ShownSetting
from store.clickhouse.connection.address import Address
from store.memory import MemoryStore

PASSWORD = "correct horse battery"
HASHED = hash_password(PASSWORD)
TENANTS = ("", "acme", "globex")
SHOWN = [
    ShownSetting("port", "2000", "file", "UDP and HTTP"),
    ShownSetting("oidc-client-secret", "…", "environment"),
    ShownSetting("journal-size", str(2 << 30), "default"),
    ShownSetting("retention-days", "7", "option"),
]


class Office:
    """An API process with a key of each role, and an administrator, in each of three tenants."""

    def __init__(self, folder: Path, auth: str = "on") -> None:
        self.store = MemoryStore()
        self.folder = folder
        settings = ApiSettings(data_dir=folder, auth=cast("Any", auth))
        master = server_secret(folder)
        self.keys = {
            (tenant, role): issue_key(f"{tenant} {role}", role, master, now=1, tenant=tenant)
            for tenant in TENANTS
            for role in Role
        }
        people = [
            User(f"{tenant or 'root'}-ana", Role.ADMIN, HASHED, 1, tenant=tenant)
            for tenant in TENANTS
        ]
        changes = [
            *(put_tenant(new_tenant(name, 1)) for name in TENANTS if name),
            *(put_key(each.key) for each in self.keys.values()),
            *map(put_user, people),
        ]
        assert self.store.change_configuration(changes, after=0, at=1)
        self.auth = Authentication(settings, self.store)
        self.auth.refresh()
        server = Server(settings, Address("127.0.0.1", 1), cast("Any", self.store))
        routes = administration_routers(self.auth, server, SHOWN, "9.9")
        authenticator = self.auth.authenticator
        signing = sign_in_router(self.store, authenticator, self.auth.refresh)
        self.api = create_app(
            self.store,
            version="9.9",
            extra_routers=[*routes, signing, audit_router(self.store)],
        )
        app: ASGIApp = AuditTrail(self.api, self.store)
        self.app = AuthGuard(app, authenticator) if authenticator else app

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        tenant: str = "",
        role: Role | None = Role.ADMIN,
    ) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://raymap") as client:
                headers = {"x-api-key": self.keys[tenant, role].token} if role else {}
                content = None if body is None else json.dumps(body)
                return await client.request(method, path, headers=headers, content=content)

        return asyncio.run(send())

    def made(self, method: str, path: str, body: object = None, tenant: str = "") -> Any:
        answer = self.ask(method, path, body, tenant=tenant)
        assert answer.status_code in (200, 204), answer.text
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, body: object = None, tenant: str = "") -> Any:
        """Status, code and message."""
        answer = self.ask(method, path, body, tenant=tenant)
        error = answer.json()["error"]
        return answer.status_code, error["code"], error["message"]

    @property
    def recorded(self) -> list[tuple[str, str, str]]:
        events = self.store.read_audit(before=1 << 62, limit=100)
        return [(each.actor, each.target, each.outcome) for each in events]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


ROUTES = (
    ("GET", "/api/v1/keys"),
    ("POST", "/api/v1/keys"),
    ("POST", "/api/v1/keys/X/rotate"),
    ("DELETE", "/api/v1/keys/X"),
    ("GET", "/api/v1/members"),
    ("POST", "/api/v1/members"),
    ("PUT", "/api/v1/members/x"),
    ("POST", "/api/v1/members/x/password"),
    ("POST", "/api/v1/members/x/sign-out"),
    ("DELETE", "/api/v1/members/x"),
    ("GET", "/api/v1/tenants"),
    ("POST", "/api/v1/tenants"),
    ("PUT", "/api/v1/tenants/x"),
    ("DELETE", "/api/v1/tenants/x"),
    ("GET", "/api/v1/settings"),
    ("GET", "/api/v1/audit"),
)


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("role", [*Role, None])
def test_administrators_alone(
    office: Office, role: Role | None, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each route by each role; what is the server's is not there for other tenants' administrators."""
    monkeypatch.setattr(settings_routes, "stored_retention", lambda _: [])
    before = office.store.read_configuration().revision
    for method, path in ROUTES:
        status = office.ask(method, path, {}, tenant=tenant, role=role).status_code
        if role is not Role.ADMIN:
            assert status == (403 if role else 401), (method, path)
        elif tenant and ("tenants" in path or "settings" in path):
            assert status == 404, (method, path)
        else:
            assert status not in (401, 403), (method, path)
    configuration = office.store.read_configuration()
    if role is not Role.ADMIN:
        assert configuration.revision == before


def test_all_routes_are_in_the_table(office: Office) -> None:
    described = {
        (
            method.upper(),
            path.replace("{id}", "X").replace("{member}", "x").replace("{tenant}", "x"),
        )
        for path, methods in office.api.openapi()["paths"].items()
        for method, operation in methods.items()
        if "administrators" in operation.get("description", "").lower()
    }
    assert described == set(ROUTES) - {("GET", "/api/v1/audit")}


def test_a_key_is_made_used_rotated_and_revoked(office: Office) -> None:
    """Its secrets are in one answer; the audit log has what was done, and none of them."""
    body = {"name": "checkout", "role": "viewer", "expires_days": 90, "documents_per_second": 5}
    answer = office.ask("POST", "/api/v1/keys", body)
    assert answer.headers["cache-control"] == "no-store"
    issued = answer.json()
    assert set(issued) == {"id", "token", "access_key_id", "secret_access_key"}

    def status(token: str) -> int:
        async def send() -> int:
            transport = httpx.ASGITransport(office.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://r") as client:
                answer = await client.get("/api/pins", headers={"x-api-key": token})
                return answer.status_code

        return asyncio.run(send())

    assert status(issued["token"]) == 200
    listed = office.ask("GET", "/api/v1/keys")
    (line,) = [key for key in listed.json()["keys"] if key["id"] == issued["id"]]
    assert line["limits"] == {"documents_per_second": 5}
    assert line["expires"] - line["created"] == 90 * 86_400
    rotated = office.made("POST", f"/api/v1/keys/{issued['id']}/rotate", {"grace_hours": 1})
    assert (status(issued["token"]), status(rotated["token"])) == (200, 200)
    office.made("DELETE", f"/api/v1/keys/{issued['id']}")
    assert (status(issued["token"]), status(rotated["token"])) == (401, 200)
    _, code, _ = office.refused("POST", f"/api/v1/keys/{issued['id']}/rotate", {})
    assert code == "Ended"
    said = [f"key add {issued['id']} checkout viewer", f"key rotate {issued['id']}"]
    said += [f"key revoke {issued['id']}"]
    assert [target for _, target, outcome in office.recorded if outcome == "ok"] == said[::-1]
    everything = listed.text + repr(office.recorded)
    for secret in ("token", "secret_access_key"):
        assert issued[secret] not in everything


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "name is missing; expected a string"),
        ({"name": ""}, "name is missing; expected a string"),
        ({"name": "a\nb"}, "name must have 1 to 100 printable characters"),
        ({"name": " a"}, "none of them a space at its ends"),
        ({"name": "x" * 101}, "name must have 1 to 100"),
        ({"name": 7}, "name must be a string, got a number"),
        ({"name": "a", "role": "boss"}, "role must be one of ingest, viewer, editor, admin"),
        ({"name": "a", "expires_days": -1}, "expires_days must lie between 0 and 36,500, got -1"),
        ({"name": "a", "documents_per_second": -5}, "documents_per_second must lie between 0"),
        ({"name": "a", "bytes_per_day": 1.5}, "bytes_per_day must be a whole number"),
        ({"name": "a", "bytes_per_day": 1 << 62}, "bytes_per_day must lie between 0"),
        ({"name": "a", "admin": True}, "'admin' is unknown, expected bytes_per_day"),
        ([], "the body must be a JSON object"),
    ],
)
def test_keys_that_cannot_be(office: Office, body: object, said: str) -> None:
    before = office.store.read_configuration().revision
    status, code, message = office.refused("POST", "/api/v1/keys", body)
    assert (status, code) == (400, "InvalidRequest")
    assert said in message
    assert office.store.read_configuration().revision == before


def test_an_unknown_tenant(office: Office) -> None:
    for path, more in (("keys", {}), ("members", {"role": "viewer"})):
        body = {"name": "a", "tenant": "nowhere", **more}
        status, code, _ = office.refused("POST", f"/api/v1/{path}", body)
        assert (status, code) == (404, "NoSuchTenant")


def test_a_member_is_added_promoted_reset_and_removed(office: Office) -> None:
    """The password signs in; another one ends it; it is stored as a hash alone."""
    added = office.made("POST", "/api/v1/members", {"name": "eve"})
    people = read_people(office.store.read_configuration()).users
    assert people["eve"].role is Role.VIEWER
    assert check_password(people["eve"], added["password"])
    changed = office.made("PUT", "/api/v1/members/eve", {"role": "editor"})
    assert changed["role"] == "editor"
    reset = office.made("POST", "/api/v1/members/eve/password")
    assert reset["password"] != added["password"]
    eve = read_people(office.store.read_configuration()).users["eve"]
    assert check_password(eve, reset["password"])
    assert not check_password(eve, added["password"])
    assert eve.role is Role.EDITOR
    assert eve.sessions_after >= people["eve"].sessions_after
    office.made("POST", "/api/v1/members/eve/sign-out")
    later = read_people(office.store.read_configuration()).users["eve"].sessions_after
    assert later > eve.sessions_after
    office.made("DELETE", "/api/v1/members/eve")
    assert "eve" not in read_people(office.store.read_configuration()).users
    assert [target for _, target, _ in office.recorded][::-1] == [
        "user add eve viewer",
        "user role eve editor",
        "user password eve",
        "user sign-out eve",
        "user remove eve",
    ]
    assert added["password"] not in repr(office.recorded)
    names = [each["name"] for each in office.made("GET", "/api/v1/members")["members"]]
    assert names == ["acme-ana", "globex-ana", "root-ana"]


@pytest.mark.parametrize(
    ("body", "status", "code", "said"),
    [
        ({"role": "admin"}, 400, "InvalidRequest", "name is missing"),
        ({"name": "a", "role": "ingest"}, 400, "InvalidRequest", "role must be one of viewer"),
        ({"name": "a/b"}, 400, "InvalidRequest", "name must not contain /"),
        ({"name": ".."}, 400, "InvalidRequest", "nor consist of dots"),
        ({"name": "a", "password": "x" * 20}, 400, "InvalidRequest", "'password' is unknown"),
        ({"name": "acme-ana"}, 409, "MemberExists", "name 'acme-ana' is taken"),
    ],
)
def test_members_that_cannot_be(
    office: Office, body: object, status: int, code: str, said: str
) -> None:
    before = office.store.read_configuration().revision
    found = office.refused("POST", "/api/v1/members", body)
    assert found[:2] == (status, code)
    assert said in found[2]
    assert office.store.read_configuration().revision == before


@pytest.mark.parametrize("tenant", TENANTS)
def test_the_last_administrator_stays(office: Office, tenant: str) -> None:
    """Of each tenant: others' administrators do not count, and a second one sets the first free."""
    first = f"{tenant or 'root'}-ana"
    for method, body in (("DELETE", None), ("PUT", {"role": "viewer"})):
        status, code, message = office.refused(method, f"/api/v1/members/{first}", body, tenant)
        assert (status, code) == (409, "LastAdministrator")
        assert message.startswith(f"{first} is the last administrator")
    office.made("PUT", f"/api/v1/members/{first}", {"role": "admin"}, tenant)
    office.made("POST", "/api/v1/members", {"name": "second", "role": "admin"}, tenant)
    office.made("PUT", f"/api/v1/members/{first}", {"role": "viewer"}, tenant)
    status, code, _ = office.refused("DELETE", "/api/v1/members/second", None, tenant)
    assert (status, code) == (409, "LastAdministrator")
    office.made("DELETE", f"/api/v1/members/{first}", None, tenant)


def test_administrators_of_a_tenant_reach_no_other(office: Office) -> None:
    """Neither in lists nor by id; what they add is their own tenant's."""
    keys = office.made("GET", "/api/v1/keys", tenant="acme")["keys"]
    assert {key["tenant"] for key in keys} == {"acme"}
    members = office.made("GET", "/api/v1/members", tenant="acme")["members"]
    assert [each["name"] for each in members] == ["acme-ana"]
    before = office.store.read_configuration().values
    for other in ("", "globex"):
        key = office.keys[other, Role.VIEWER].key.id
        name = f"{other or 'root'}-ana"
        for method, path, body in (
            ("DELETE", f"/api/v1/keys/{key}", None),
            ("POST", f"/api/v1/keys/{key}/rotate", {}),
            ("PUT", f"/api/v1/members/{name}", {"role": "viewer"}),
            ("POST", f"/api/v1/members/{name}/password", None),
            ("POST", f"/api/v1/members/{name}/sign-out", None),
            ("DELETE", f"/api/v1/members/{name}", None),
        ):
            status, code, _ = office.refused(method, path, body, "acme")
            assert (status, code) in ((404, "NoSuchKey"), (404, "NoSuchMember")), path
    for path, body in (("keys", {"name": "k"}), ("members", {"name": "m"})):
        for named in ("globex", "nowhere"):
            more = {**body, "tenant": named}
            status, code, _ = office.refused("POST", f"/api/v1/{path}", more, "acme")
            assert (status, code) == (404, "NoSuchTenant")
    assert office.store.read_configuration().values == before
    issued = office.made("POST", "/api/v1/keys", {"name": "k", "role": "admin"}, "acme")
    office.made("POST", "/api/v1/members", {"name": "m", "tenant": "acme"}, "acme")
    configuration = office.store.read_configuration()
    assert read_keys(configuration)[issued["id"]].tenant == "acme"
    assert read_people(configuration).users["m"].tenant == "acme"


def test_administrators_of_the_default_tenant_administer_all(office: Office) -> None:
    keys = office.made("GET", "/api/v1/keys")["keys"]
    assert {key["tenant"] for key in keys} == set(TENANTS)
    issued = office.made("POST", "/api/v1/keys", {"name": "k", "tenant": "acme"})
    assert read_keys(office.store.read_configuration())[issued["id"]].tenant == "acme"
    office.made("POST", "/api/v1/members", {"name": "m", "tenant": "globex", "role": "admin"})
    office.made("DELETE", "/api/v1/members/globex-ana")
    assert office.recorded[0] == (" admin", "user remove globex-ana", "ok")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", "", {"name": "A b"}, 400, "name 'A b' is no tenant's name"),
        ("POST", "", {"name": "default"}, 400, "and not 'default'"),
        ("POST", "", {"name": "new", "retention_days": 0}, 400, "retention_days must lie between"),
        ("POST", "", {"name": "new", "role": "x"}, 400, "'role' is unknown"),
        ("PUT", "/acme", {"documents_per_second": -1}, 400, "must lie between 0 and 1,000,000,000"),
        ("PUT", "/acme", {"bytes_per_day": 1 << 63}, 400, "bytes_per_day must lie between 0 and"),
        ("PUT", "/nowhere", {}, 404, "there is no tenant nowhere"),
    ],
)
def test_tenants_that_cannot_be(
    office: Office, method: str, path: str, body: object, status: int, said: str
) -> None:
    found, _, message = office.refused(method, f"/api/v1/tenants{path}", body)
    assert found == status
    assert said in message


def test_names_of_tenants_cost_nothing(office: Office) -> None:
    """Not even a query: ClickHouse does not answer here."""
    found = office.made("GET", "/api/v1/tenants?usage=false")["tenants"]
    assert [(each["name"], each["default"]) for each in found] == [
        ("default", True),
        ("acme", False),
        ("globex", False),
    ]
    assert {each["traces"] for each in found} == {None}


def test_limits_of_a_tenant(office: Office) -> None:
    """One that is absent stays, 0 removes it."""
    for body, wanted in (
        ({"documents_per_second": 5, "bytes_per_day": 9}, (5, 9)),
        ({"bytes_per_day": 0}, (5, 0)),
        ({"documents_per_second": 0}, None),
    ):
        office.made("PUT", "/api/v1/tenants/acme", body)
        limits = read_tenants(office.store.read_configuration())["acme"].limits
        assert (limits and (limits.documents_per_second, limits.bytes_per_day)) == wanted
    assert office.recorded[0][1] == "tenant set acme"


def test_refusals_are_recorded(office: Office) -> None:
    office.refused("DELETE", "/api/v1/members/root-ana")
    assert office.recorded == [(" admin", "DELETE /api/v1/members/root-ana", "409")]


def test_settings(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """By group, sizes with their unit; of retention what the tables have, and nothing twice."""
    stored = [ShownSetting("traces and documents", "7 days", "database")]
    monkeypatch.setattr(settings_routes, "stored_retention", lambda _: stored)
    found = office.made("GET", "/api/v1/settings")
    assert found["version"] == "9.9"
    groups = {each["title"]: each["settings"] for each in found["groups"]}
    assert list(groups) == ["Retention", "Receivers and addresses", "Authentication", "Storage"]
    assert groups["Retention"][0]["value"] == "7 days"
    assert groups["Receivers and addresses"] == [
        {"name": "port", "value": "2000", "unset": "", "source": "file", "help": "UDP and HTTP"}
    ]
    assert groups["Authentication"][0]["value"] == "…"
    assert groups["Storage"][0]["value"] == "2.0 GiB"


def test_an_unavailable_clickhouse(office: Office) -> None:
    """503 that names it, where nothing listens."""
    for path in ("settings", "tenants"):
        status, code, message = office.refused("GET", f"/api/v1/{path}")
        assert (status, code) == (503, "ServiceUnavailable")
        assert message.startswith("ClickHouse does not answer")


def test_without_authentication(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs someone to sign in says so, and how; the settings are everyone's, as all the rest."""
    monkeypatch.setattr(settings_routes, "stored_retention", lambda _: [])
    office = Office(tmp_path, "off")
    for method, path in ROUTES:
        if path in ("/api/v1/settings", "/api/v1/audit"):
            assert office.ask(method, path, role=None).status_code == 200
            continue
        answer = office.ask(method, path, {}, role=None)
        assert answer.status_code == 409, (method, path)
        error = answer.json()["error"]
        assert error["code"] == "NoAuthentication"
        assert "Start it with --auth on" in error["message"]


def test_openapi_describes_them(office: Office) -> None:
    """With schemas that are there, and an example for each parameter and body."""
    document = office.api.openapi()
    known = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        if path.split("/")[3:4] not in (["keys"], ["members"], ["tenants"], ["settings"]):
            continue
        for operation in methods.values():
            assert operation["tags"] == ["v1"]
            assert all("example" in each for each in operation.get("parameters", ()))
            content = operation.get("requestBody", {}).get("content", {})
            assert all(media["example"] for media in content.values())
            if "204" not in operation["responses"]:
                schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
                assert schema["$ref"].split("/")[-1] in known


def test_examples_are_accepted(office: Office) -> None:
    """A request made of each example is carried out, or refused for what it names alone."""
    sent = 0
    for path, methods in office.api.openapi()["paths"].items():
        if path.split("/")[3:4] not in (["keys"], ["members"]):
            continue
        for method, operation in methods.items():
            names = {p["name"]: p["example"] for p in operation.get("parameters", ())}
            content = operation.get("requestBody", {}).get("content", {})
            body = content.get("application/json", {}).get("example")
            answer = office.ask(method.upper(), path.format(**names), body)
            assert answer.status_code in (200, 204, 404), (path, answer.text)
            if answer.status_code == 404:
                assert answer.json()["error"]["code"] in ("NoSuchKey", "NoSuchMember")
            sent += 1
    assert sent == 10
