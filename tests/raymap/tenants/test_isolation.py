"""A whole server with two tenants, which send and configure the same under the same names: nothing crosses.

What each sends contains its mark, and only that distinguishes them. So every role of the one requests
from every route what the other has as well, and the answer must not have the other's mark.
"""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import grpc
import pytest

from raymap.auth.keys import issue_key, put_key
from raymap.auth.permissions import Role
from raymap.auth.secret import server_secret
from raymap.auth.tenants import FOLDER, database_of
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded import address as embedded_address
from store.clickhouse.store import ClickHouseStore
from store.config.change import change
from tests.conftest import Server, start_server, stop_server
from tests.raymap.auth.test_role_matrix import Row, rows
from tests.raymap.processes import eventually, raymap
from tests.raymap.tenants.senders import RECORDS, TRACES, Sender, wait_a_moment

pytestmark = [pytest.mark.server, pytest.mark.timeout(400)]

ROLES = ("ingest", "viewer", "editor", "admin")
MARKS = {"acme": "acme7secret", "globex-eu": "globex9secret", "": "operator5secret"}
"""By tenant; the one without a name is the default tenant."""
TENANTS = [name for name in MARKS if name]
ARN = "arn:aws:xray:local:000000000000:group/Default"


class Answer(NamedTuple):
    status: int
    text: str


class Shared:
    """The server, and the keys of every role in every tenant."""

    def __init__(self, server: Server, otlp: str, udp: Mapping[str, int]) -> None:
        self.server, self.otlp = server, otlp
        self.database: Address = server.database or embedded_address(server.data_dir)
        self.words = where(server)
        self.keys = self.issue()
        self.now = wait_a_moment()
        self.senders = {
            name: Sender(
                server,
                otlp,
                self.keys[name, "ingest"],
                mark,
                f"127.0.0.1:{udp[name]}" if name else server.udp,
                self.now,
            )
            for name, mark in MARKS.items()
        }

    def issue(self) -> dict[tuple[str, str], dict[str, str]]:
        """Keys as `raymap key add` makes and prints them, all at once."""
        master = server_secret(self.server.data_dir)
        issued = {
            (name, role): issue_key(f"the {role}", Role(role), master, now=1, tenant=name)
            for name in MARKS
            for role in ROLES
        }
        with closing(ClickHouseStore(self.database, connections=1)) as store:
            changes = [put_key(each.key) for each in issued.values()]
            change(store, lambda *_: (None, changes), time.time)
        return {
            whose: {
                "token": each.token,
                "access_key_id": each.key.access_key_id,
                "secret_access_key": each.secret_access_key,
            }
            for whose, each in issued.items()
        }

    def command(self, *words: str) -> str:
        ended = raymap(*words, *self.words)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def ask(
        self, tenant: str, role: str, method: str, path: str, body: bytes | None = None
    ) -> Answer:
        token = self.keys[tenant, role]["token"]
        return self.ask_with(token, method, path, body)

    def ask_with(self, token: str, method: str, path: str, body: bytes | None = None) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.server.http + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, answer.read().decode("utf-8", "replace"))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode("utf-8", "replace"))

    def edit(self, tenant: str, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        answer = self.ask(tenant, "editor", method, path, json.dumps(body).encode())
        assert answer.status < 300, (path, answer)
        return answer

    def store(self, tenant: str) -> Address:
        """Where a tenant's tables are."""
        if not tenant:
            return self.database
        return replace(self.database, database=database_of(self.database.database, tenant))

    @property
    def window(self) -> dict[str, float]:
        return {"from": self.now // 60 * 60 - 60, "to": self.now // 60 * 60 + 180}


def where(server: Server) -> list[str]:
    """What a command needs to find the server's data."""
    return [
        *("--data-dir", str(server.data_dir)),
        *(("--clickhouse", server.database.url) if server.database else ()),
    ]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    otlp, udp = free_port(), {name: free_port() for name in TENANTS}
    ports = ",".join(f"{port}={name}" for name, port in udp.items())
    data_dir = tmp_path_factory.mktemp("tenants") / "data"
    words = ("--auth", "on", "--otlp-port", str(otlp), "--workers", "2", "--udp-tenant", ports)
    server = start_server(data_dir, *words)
    for name in TENANTS:
        added = raymap("tenant", "add", name, *where(server))
        assert added.returncode == 0, added.stderr
    if server.database is None:  # the embedded engine knows their users when it starts next
        assert stop_server(server) == 0
        server = start_server(data_dir, *words)
    made = Shared(server, f"http://127.0.0.1:{otlp}", udp)
    eventually(
        lambda: (
            made.ask(TENANTS[-1], "admin", "GET", "/api/status").status == 200
            and made.ask("", "admin", "GET", "/api/status").status == 200
        ),
        20,
        "keys are known",
    )
    yield made
    for name in TENANTS:
        raymap("tenant", "delete", name, "--yes", *made.words)
    assert stop_server(server) == 0


@pytest.fixture(scope="module")
def filled(shared: Shared) -> Shared:
    """The server once every tenant has sent to every receiver, and configured what can be."""
    for name, sender in shared.senders.items():
        for send in (*TRACES.values(), *RECORDS.values()):
            eventually(partial(accepted, send, sender), 20, "it is accepted")
        configure(shared, name)
    names = set(TRACES)
    for name in MARKS:
        eventually(partial(has_services, shared, name, names), 40, f"{name} has its traces")
        eventually(partial(has_lines, shared, name), 20, f"{name} has its lines")
    return shared


def accepted(send: Callable[[Sender], None], sender: Sender) -> bool:
    """Whether a receiver takes what is sent; a process may not know a key for two seconds."""
    try:
        send(sender)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.UNAUTHENTICATED:
            raise
        return False
    return True


def has_services(shared: Shared, tenant: str, names: set[str]) -> bool:
    return names <= services(shared, tenant)


def has_lines(shared: Shared, tenant: str) -> bool:
    return f"line {MARKS[tenant]}" in text_of(shared.store(tenant))


def services(shared: Shared, tenant: str) -> set[str]:
    query = urllib.parse.urlencode({**shared.window, "limit": 100})
    answer = shared.ask(tenant, "viewer", "GET", f"/api/v1/services?{query}")
    return {each["name"] for each in json.loads(answer.text)["services"]}


def configure(shared: Shared, tenant: str) -> None:
    """Under one name in every tenant: a group, a rule, an alarm and so on."""
    mark = MARKS[tenant]

    def edit(method: str, path: str, **body: Any) -> Answer:
        return shared.edit(tenant, method, path, body)

    edit("POST", "/CreateGroup", GroupName="shared", FilterExpression=f'annotation.mark = "{mark}"')
    rule = dict.fromkeys(("ResourceARN", "ServiceType", "Host", "HTTPMethod", "URLPath"), "*")
    fixed = {"Priority": 5, "FixedRate": 0.1, "ReservoirSize": 1, "Version": 1}
    edit(
        "POST",
        "/CreateSamplingRule",
        SamplingRule={**rule, **fixed, "RuleName": "shared", "ServiceName": mark},
    )
    edit("POST", "/TagResource", ResourceARN=ARN, Tags=[{"Key": "mark", "Value": mark}])
    policy = json.dumps(
        {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "xray:*", "Sid": mark}}
    )
    edit("POST", "/PutResourcePolicy", PolicyName="shared", PolicyDocument=policy)
    edit(
        "PUT",
        "/api/v1/alarms/shared",
        selector='service("xray")',
        metric="fault_share",
        threshold=0.5,
        note=mark,
    )
    edit("POST", "/api/v1/deployments", service="xray", version="1", id="shared", note=mark)
    trace = shared.senders[tenant].trace("xray")
    eventually(
        lambda: shared.ask(tenant, "editor", "PUT", f"/api/traces/{trace}/pin").status < 300,
        20,
        "the trace is pinned",
    )
    edit("POST", "/api/v1/shares", trace=trace)
    report = {"RuleName": "shared", "ClientID": "c" * 24, "Timestamp": shared.now}
    counts = {"RequestCount": 9, "SampledCount": 1, "BorrowCount": 1}
    edit("POST", "/SamplingTargets", SamplingStatisticsDocuments=[{**report, **counts}])


def text_of(address: Address) -> str:
    """Everything in the tables of a database."""
    client = connect(address)
    try:
        tables = client.execute(
            "SELECT name FROM system.tables WHERE database = currentDatabase() "
            "AND engine LIKE '%MergeTree' ORDER BY name"
        )
        return "\n".join(f"{t}: {client.execute(f'SELECT * FROM `{t}`')}" for (t,) in tables)
    finally:
        client.disconnect()


def test_nothing_is_in_the_tables_of_another(filled: Shared) -> None:
    found = {name: text_of(filled.store(name)) for name in MARKS}
    for name, text in found.items():
        present = {mark for mark in MARKS.values() if mark in text}
        assert present == {MARKS[name]}, name
        for receiver in TRACES:
            assert f"'{receiver}'" in text, (name, receiver)


PATHS = {
    "{service:path}": "xray",
    "{name:path}": "shared",
    "{name}": "shared",
    "{key:path}": "mark",
    "{stack:path}": "shared",
    "{path:path}": "nothing-here",
}


def requests(shared: Shared, row: Row) -> Iterator[tuple[str, bytes | None]]:
    """What to ask of a route: by what all tenants have under one name, and by what only one has."""
    window = shared.window
    query = {**window, "limit": 100}
    start, end = window["from"], window["to"]
    own: dict[str, dict[str, Any]] = {
        "/api/services": {"q": "x"},
        "/api/map/focus": {"node": node_of(shared, "xray"), "hops": 3},
        "/api/filter/check": {"filter": "fault"},
        "/api/filter/completions": {"field": "annotation.mark", "prefix": ""},
        "/api/v1/logs": {"function": "checkout"},
        "/api/v1/operations": {"service": "otlp"},
        "/api/v1/verdict": {"service": "xray", "candidate": "1"},
        "/jaeger/api/traces": {"service": "xray", "start": int(start * 1e6), "end": int(end * 1e6)},
        "/jaeger/api/operations": {"service": "xray"},
        "/jaeger/api/dependencies": {"endTs": int(end * 1e3), "lookback": 600_000},
        "/api/v1/audit": {},
    }
    bodies: dict[str, Any] = {
        "/TraceSummaries": {"StartTime": start, "EndTime": end},
        "/ServiceGraph": {"StartTime": start, "EndTime": end},
        "/TimeSeriesServiceStatistics": {"StartTime": start, "EndTime": end},
        "/GetGroup": {"GroupName": "shared"},
        "/ListTagsForResource": {"ResourceARN": ARN},
        "/InsightSummaries": {"StartTime": start, "EndTime": end, "GroupName": "shared"},
        "/api/v1/verdict": {},
        "/api/map/arrange": {"nodes": [], "edges": []},
    }
    path = row.path
    for place, value in PATHS.items():
        path = path.replace(place, value)
    if "nodes/{id}" in path:
        path = path.replace("{id}", node_of(shared, "xray"))
    if "/edges/{source}" in path:
        path = path.replace("{source}", node_of(shared, "xray")).replace("{target}", "n")
    ids = [shared.senders[""].trace(name) for name in ("xray", "otlp", "zipkin")]
    paths = [path.replace("{id}", id) for id in ids] if "{id}" in path else [path]
    if row.method == "POST":
        body = bodies.get(row.path, {})
        for chosen in ids if row.path in ("/Traces", "/TraceGraph") else [""]:
            yield row.path, json.dumps({**body, "TraceIds": [chosen]} if chosen else body).encode()
        return
    for each in paths:
        wanted = own.get(row.path, {})
        yield f"{each}?{urllib.parse.urlencode(query | wanted)}", None
        yield f"{each}?{urllib.parse.urlencode(window | wanted)}", None
        yield f"{each}?{urllib.parse.urlencode(wanted)}", None


NODES: dict[str, str] = {}


def node_of(shared: Shared, name: str) -> str:
    """The id of a node, which depends on its name alone and is the same in every tenant."""
    if not NODES:
        query = urllib.parse.urlencode(shared.window)
        answer = shared.ask("acme", "viewer", "GET", f"/api/map?{query}")
        NODES.update({node["name"]: node["id"] for node in json.loads(answer.text)["nodes"]})
    return NODES[name]


READING = [row for row in rows() if row.method == "GET" and "assets" not in row.path]
READING += [
    row
    for row in rows()
    if row.method == "POST"
    and (
        "viewer" in row.roles
        and row.path not in ("/api/v1/shares", "/SamplingTargets", "/CancelTraceRetrieval")
    )
]


def test_every_reading_route(filled: Shared) -> None:
    """By every role of every tenant; further questions to a route by the role that may most. That they
    are good ones shows in the answers: many have one's own mark."""
    crossed, marked, answered = [], set(), 0
    for row in READING:
        for number, (path, body) in enumerate(requests(filled, row)):
            for tenant, own in MARKS.items():
                others = [mark for mark in MARKS.values() if mark != own]
                for role in ROLES if number == 0 else ("admin",):
                    answer = filled.ask(tenant, role, row.method, path, body)
                    answered += answer.status == 200
                    if any(mark in answer.text for mark in others):
                        crossed.append((tenant, role, row.method, path, answer.text[:200]))
                    if own in answer.text:
                        marked.add((tenant, f"{row.method} {row.path}"))
    assert crossed == []
    assert answered > 500
    for tenant in MARKS:
        seen = {route for name, route in marked if name == tenant}
        assert seen >= SHOW_THE_MARK, (tenant, SHOW_THE_MARK - seen)


SHOW_THE_MARK = {
    "GET /api/traces",
    "GET /api/traces/{id}",
    "GET /api/traces/{id}/raw",
    "GET /api/traces/{id}/otlp",
    "GET /api/v1/traces",
    "GET /api/v1/traces/{id}",
    "GET /api/v1/alarms",
    "GET /api/v1/alarms/{name}",
    "GET /api/v1/annotations/{key:path}",
    "GET /api/v1/deployments",
    "GET /api/v1/logs",
    "GET /jaeger/api/traces",
    "GET /jaeger/api/traces/{id}",
    "POST /Traces",
    "POST /TraceSummaries",
    "POST /GetGroup",
    "POST /Groups",
    "POST /GetSamplingRules",
    "POST /ListTagsForResource",
    "POST /ListResourcePolicies",
}
"""Routes whose answers have what a tenant sent or configured."""


def test_each_tenant_has_a_login_of_its_own(filled: Shared) -> None:
    """With which all of the above was done: no process had to use the common one."""
    log = filled.server.data_dir.parent / f"{filled.server.data_dir.name}.log"
    assert "tenant_has_no_login" not in log.read_text()
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

    eventually(lambda: deletions(first) == 1, 20, "the change is written down")  # after the answer
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


def test_a_deleted_tenant_leaves_nothing(filled: Shared) -> None:
    """Neither tables, nor journals, nor credentials; one of the same name begins empty."""
    filled.command("tenant", "add", "short-lived")
    words = ("key", "add", "k", "--role", "admin", "--tenant", "short-lived", "--json")
    old = json.loads(filled.command(*words))
    sender = replace(filled.senders[""], key=old, mark="short3secret")
    eventually(partial(accepted, TRACES["xray"], sender), 20, "it is accepted")
    eventually(partial(accepted, TRACES["put"], sender), 20, "the collectors know it, too")
    share = json.dumps({"trace": sender.trace("put")}).encode()
    link = json.loads(filled.ask_with(old["token"], "POST", "/api/v1/shares", share).text)
    folders = list((filled.server.data_dir / FOLDER).glob("short-lived.*"))
    assert len(folders) == 1
    refused = raymap("tenant", "delete", "short-lived", *filled.words)
    assert refused.returncode == 1
    assert "--yes" in refused.stderr
    filled.command("tenant", "delete", "short-lived", "--yes")

    def status(path: str, token: str) -> int:
        return filled.ask_with(token, "GET", path).status

    eventually(lambda: status("/api/status", old["token"]) == 401, 20, "its key is refused")
    put = {"TraceSegmentDocuments": [sender.segment("xray").decode()]}
    answer = filled.ask_with(old["token"], "POST", "/TraceSegments", json.dumps(put).encode())
    assert answer.status == 401
    eventually(lambda: not folders[0].exists(), 20, "its journals are removed")
    client = connect(filled.database)
    names = {name for (name,) in client.execute("SELECT name FROM system.databases")}
    client.disconnect()
    assert filled.store("short-lived").database not in names
    assert "short-lived" not in filled.command("key", "list")
    assert "short-lived" not in filled.command("tenant", "list")

    filled.command("tenant", "add", "short-lived")
    new = json.loads(filled.command(*words))
    eventually(lambda: status("/api/status", new["token"]) == 200, 20, "the new key is known")
    assert status("/api/status", old["token"]) == 401
    assert status(f"/api/traces/{sender.trace('put')}", link["token"]) == 401
    assert status(f"/api/traces/{sender.trace('put')}", new["token"]) == 404
    filled.command("tenant", "delete", "short-lived", "--yes")
