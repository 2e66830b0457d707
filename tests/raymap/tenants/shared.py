"""A whole server with two tenants, which send and configure the same under the same names.

What each sends contains its mark, and only that distinguishes them.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any, NamedTuple

import grpc

from raymap.auth.keys import issue_key, put_key
from raymap.auth.permissions import Role
from raymap.auth.secret import server_secret
from raymap.auth.tenants import database_of
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded import address as embedded_address
from store.clickhouse.store import ClickHouseStore
from store.config.change import change
from tests.conftest import Server
from tests.raymap.processes import eventually
from tests.raymap.tenants.senders import Sender, wait_a_moment

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

    def ask(
        self, tenant: str, role: str, method: str, path: str, body: bytes | None = None
    ) -> Answer:
        token = self.keys[tenant, role]["token"]
        return self.ask_with(token, method, path, body)

    def ask_with(self, token: str, method: str, path: str, body: bytes | None = None) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.server.http + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
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
