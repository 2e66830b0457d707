"""What belongs to a tenant beside its traces: its login, links, changes and metrics; and that it ends with
its tenant."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pytest

from raymap.auth.tenants import FOLDER
from store.clickhouse.connection.pool import connect
from tests.raymap.processes import eventually, raymap
from tests.raymap.tenants.senders import RECORDS, TRACES
from tests.raymap.tenants.shared import MARKS, TENANTS, Shared, accepted

pytestmark = [pytest.mark.server, pytest.mark.timeout(400)]


def test_each_tenant_has_a_login_of_its_own(filled: Shared) -> None:
    """With which all of the above was done: no process had to use the common one."""
    log = filled.server.data_dir.parent / f"{filled.server.data_dir.name}.log"
    lines = [line for line in log.read_text().splitlines() if "tenant_has_no_login" in line]
    assert not [line for line in lines if any(f"tenant={name}" in line for name in TENANTS)]
    client = connect(filled.database)
    users = {user for (user,) in client.execute("SELECT name FROM system.users")}
    client.disconnect()
    assert {filled.store(name).database for name in TENANTS} <= users


def test_share_links_are_of_their_tenant(filled: Shared) -> None:
    """One opens its own tenant's trace of an id that all have; lists and revocations end there, too."""
    links = {}
    for tenant in MARKS:
        trace = filled.senders[tenant].trace("put")
        body = json.dumps({"trace": trace}).encode()
        links[tenant] = json.loads(
            filled.ask(tenant, "viewer", "POST", "/api/v1/shares", body).text
        )
    for tenant, link in links.items():
        trace = filled.senders[tenant].trace("put")
        answer = filled.ask_with(link["token"], "GET", f"/api/traces/{trace}/raw")
        assert MARKS[tenant] in answer.text
        assert not any(m in answer.text for name, m in MARKS.items() if name != tenant)
        listed = json.loads(filled.ask(tenant, "admin", "GET", "/api/v1/shares").text)["shares"]
        ids = {each["id"] for each in listed}
        assert link["id"] in ids
        for other in MARKS:
            if other != tenant:
                assert links[other]["id"] not in ids
                path = f"/api/v1/shares/{links[other]['id']}"
                assert filled.ask(tenant, "admin", "DELETE", path).status == 404


def test_changes_reach_their_own_tenant_alone(filled: Shared) -> None:
    """Deletions of what has the same name elsewhere; the log of changes is the tenant's own."""
    first, second = TENANTS
    filled.edit(first, "POST", "/CreateGroup", {"GroupName": "gone", "FilterExpression": "ok"})
    filled.edit(second, "POST", "/CreateGroup", {"GroupName": "gone", "FilterExpression": "ok"})
    filled.edit(first, "POST", "/DeleteGroup", {"GroupName": "gone"})
    assert '"gone"' not in filled.ask(first, "viewer", "POST", "/Groups", b"{}").text
    assert '"gone"' in filled.ask(second, "viewer", "POST", "/Groups", b"{}").text

    def deletions(tenant: str) -> int:
        audit = filled.ask(tenant, "admin", "GET", "/api/v1/audit?limit=1000").text
        return audit.count("POST /DeleteGroup")

    eventually(lambda: deletions(first) == 1, "the change is written down")  # after the answer
    assert (deletions(second), deletions("")) == (0, 0)


def test_metrics_and_status_are_ones_own(filled: Shared) -> None:
    """A tenant sees neither others nor how much they send; the operator does."""
    for tenant in TENANTS:
        metrics = filled.ask(tenant, "viewer", "GET", "/metrics").text
        assert f'raymap_tenant_documents_stored_total{{tenant="{tenant}"}}' in metrics
        assert not any(f'"{other}"' in metrics for other in TENANTS if other != tenant)
        assert "raymap_documents_received_total" not in metrics
        status = json.loads(filled.ask(tenant, "viewer", "GET", "/api/status").text)
        assert 0 < status["ingest"]["received"] <= len(TRACES) + len(RECORDS)
    everything = filled.ask("", "viewer", "GET", "/metrics").text
    assert all(f'tenant="{tenant}"' in everything for tenant in TENANTS)


@pytest.mark.slow
def test_a_deleted_tenant_leaves_nothing(filled: Shared) -> None:
    """Neither tables, nor journals, nor credentials; one of the same name begins empty."""
    filled.server.command("tenant", "add", "short-lived")
    words = ("key", "add", "k", "--role", "admin", "--tenant", "short-lived", "--json")
    old = json.loads(filled.server.command(*words))
    sender = replace(filled.senders[""], key=old, mark="short3secret")
    eventually(partial(accepted, TRACES["xray"], sender), "it is accepted")
    eventually(partial(accepted, TRACES["put"], sender), "the collectors know it, too")
    share = json.dumps({"trace": sender.trace("put")}).encode()
    link = json.loads(filled.ask_with(old["token"], "POST", "/api/v1/shares", share).text)
    folders = list((filled.server.data_dir / FOLDER).glob("short-lived.*"))
    assert len(folders) == 1
    refused = raymap("tenant", "delete", "short-lived", *filled.server.where)
    assert refused.returncode == 1
    assert "--yes" in refused.stderr
    filled.server.command("tenant", "delete", "short-lived", "--yes")

    def status(path: str, token: str) -> int:
        return filled.ask_with(token, "GET", path).status

    eventually(lambda: status("/api/status", old["token"]) == 401, "its key is refused")
    put = {"TraceSegmentDocuments": [sender.segment("xray").decode()]}
    answer = filled.ask_with(old["token"], "POST", "/TraceSegments", json.dumps(put).encode())
    assert answer.status == 401
    eventually(lambda: not folders[0].exists(), "its journals are removed")
    client = connect(filled.database)
    names = {name for (name,) in client.execute("SELECT name FROM system.databases")}
    client.disconnect()
    assert filled.store("short-lived").database not in names
    assert "short-lived" not in filled.server.command("key", "list")
    assert "short-lived" not in filled.server.command("tenant", "list")

    filled.server.command("tenant", "add", "short-lived")
    new = json.loads(filled.server.command(*words))
    eventually(lambda: status("/api/status", new["token"]) == 200, "the new key is known")
    assert status("/api/status", old["token"]) == 401
    assert status(f"/api/traces/{sender.trace('put')}", link["token"]) == 401
    assert status(f"/api/traces/{sender.trace('put')}", new["token"]) == 404
    if filled.server.database:  # else its database goes with the folder
        filled.server.command("tenant", "delete", "short-lived", "--yes")
