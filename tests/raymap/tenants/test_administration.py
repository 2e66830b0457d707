"""Tenants and settings over HTTP, on a whole server: what the command line does, and what it leaves."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import pytest

from raymap.auth.secret import server_secret
from raymap.auth.tenants import FOLDER
from store.clickhouse.connection.pool import connect
from tests.raymap.processes import eventually
from tests.raymap.tenants.shared import TENANTS, Shared

pytestmark = [pytest.mark.server, pytest.mark.timeout(400)]
ALL = "/api/v1/tenants"
NAME = "over-http"


def ask(shared: Shared, method: str, path: str, body: object = None, tenant: str = "") -> Any:
    """Status and body of an administrator's request."""
    content = json.dumps(body).encode() if body is not None else None
    answer = shared.ask(tenant, "admin", method, path, content)
    return answer.status, json.loads(answer.text) if answer.text else None


def listed(shared: Shared) -> dict[str, Any]:
    status, found = ask(shared, "GET", ALL)
    assert status == 200
    return {each["name"]: each for each in found["tenants"]}


def test_a_tenant_is_added_used_and_deleted(shared: Shared) -> None:
    wanted = {"name": NAME, "retention_days": 3, "bytes_per_day": 10**9}
    assert ask(shared, "POST", ALL, wanted) == (200, {"name": NAME, "new": True, "note": ""})
    assert ask(shared, "POST", ALL, {"name": NAME})[1]["new"] is False
    found = listed(shared)
    assert next(iter(found)) == "default"
    assert found["default"]["default"]
    assert {*TENANTS, NAME} <= found.keys()
    assert found[NAME]["limits"] == {"bytes_per_day": 10**9}
    assert (found[NAME]["traces"], found[NAME]["documents"]) == (0, 0)
    assert "3 days" in shared.server.command("retention", "--tenant", NAME)
    assert NAME in shared.server.command("tenant", "list")

    status, key = ask(
        shared, "POST", "/api/v1/keys", {"name": "k", "role": "viewer", "tenant": NAME}
    )
    assert status == 200

    def of_key() -> int:
        return shared.ask_with(key["token"], "GET", "/api/status").status

    eventually(lambda: of_key() == 200, "every process knows the key")
    folders = list((shared.server.data_dir / FOLDER).glob(f"{NAME}.*"))
    assert len(folders) == 1

    status, refused = ask(shared, "DELETE", f"{ALL}/{NAME}")
    assert (status, refused["error"]["code"]) == (409, "NotConfirmed")
    assert f"the database {shared.store(NAME).database} (0 traces" in refused["error"]["message"]
    assert NAME in listed(shared)
    assert ask(shared, "DELETE", f"{ALL}/{NAME}?yes=true") == (204, None)
    assert of_key() == 401
    assert NAME not in listed(shared)
    assert not folders[0].exists()
    client = connect(shared.database)
    names = {name for (name,) in client.execute("SELECT name FROM system.databases")}
    client.disconnect()
    assert shared.store(NAME).database not in names
    assert ask(shared, "DELETE", f"{ALL}/{NAME}?yes=true")[0] == 404

    query = urllib.parse.urlencode({"limit": 20})
    events = ask(shared, "GET", f"/api/v1/audit?{query}")[1]["events"]
    said = [each["target"] for each in events if NAME in each["target"]]
    assert said[-1] == f"tenant add {NAME}"
    assert f"tenant delete {NAME}" in said


def test_what_is_the_servers_is_not_there_for_tenants(shared: Shared) -> None:
    for path in (ALL, "/api/v1/settings"):
        status, refused = ask(shared, "GET", path, tenant=TENANTS[0])
        assert (status, refused["error"]["code"]) == (404, "DefaultTenantOnly")


def test_settings_of_all_processes(shared: Shared) -> None:
    """The API process knows those of the collectors, too, and where each comes from."""
    status, found = ask(shared, "GET", "/api/v1/settings")
    assert status == 200
    settings = {each["name"]: each for group in found["groups"] for each in group["settings"]}
    assert (settings["auth"]["value"], settings["auth"]["source"]) == ("on", "option")
    assert settings["workers"]["value"] == "2"
    assert settings["port"]["value"] == str(shared.server.http.rpartition(":")[2])
    assert settings["otlp-port"]["value"] == shared.otlp.rpartition(":")[2]
    assert settings["max-groups"]["source"] == "default"
    assert settings["traces and documents"]["value"].endswith(" days")
    said = json.dumps(found)
    assert server_secret(shared.server.data_dir).decode() not in said
    assert shared.database.password not in said
