"""A tenant's topic, end to end: a whole server with authentication, a broker with TLS and SASL, and whose map shows what."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from raymap.auth.keys import issue_key, put_key
from raymap.auth.permissions import Role
from raymap.auth.secret import server_secret
from raymap.auth.tenants import database_of
from store.clickhouse.embedded import address
from store.clickhouse.store import ClickHouseStore
from store.config.change import change
from tests.collector.kafka.broker import PASSWORD, USER, Broker
from tests.collector.kafka.reading import Stored, once
from tests.collector.kafka.traffic import SHOP, STORAGE, Traffic
from tests.conftest import Server, start_server, stop_server
from tests.raymap.processes import eventually, raymap

pytestmark = [pytest.mark.server, pytest.mark.slow]


def keys_of(server: Server, *tenants: str) -> dict[str, str]:
    """A viewer's token of each."""
    master = server_secret(server.data_dir)
    issued = {
        name: issue_key("the viewer", Role.VIEWER, master, now=1, tenant=name) for name in tenants
    }
    with closing(ClickHouseStore(address(server.data_dir), connections=1)) as store:
        changes = [put_key(each.key) for each in issued.values()]
        change(store, lambda *_: (None, changes), time.time)
    return {name: each.token for name, each in issued.items()}


def nodes(server: Server, token: str, since: float) -> dict[str, int]:
    """What the map of a key's tenant has."""
    request = urllib.request.Request(
        f"{server.http}/api/map?from={since - 1}&to={time.time() + 1}",
        headers={"Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found = json.load(answer)["nodes"]
    return {node["name"]: node["requests"] for node in found if node["kind"] != "client"}


@pytest.mark.skipif("RAYMAP_TEST_CLICKHOUSE" in os.environ, reason="tenants of the embedded engine")
def test_topics_of_two_tenants(broker: Broker, topic: str, tmp_path: Path) -> None:
    """Each is stored where its tenant's tables are, and only a key of that tenant shows it."""
    began, traffic = time.time(), {"": Traffic(), "acme": Traffic()}
    properties = tmp_path / "kafka.properties"
    properties.write_text(
        f"group.id={topic}\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"
        f"sasl.username={USER}\nsasl.password={PASSWORD}\nssl.ca.location={broker.authority}\n"
    )
    for number, (name, sent) in enumerate(traffic.items(), 1):
        broker.create(f"{topic}{name}", 1)
        broker.send(f"{topic}{name}", [sent.otlp() for _ in range(2 * number)])
    words = (
        "--auth", "on", "--kafka", broker.secure_address,
        "--topic", f"{topic},{topic}acme=otlp_proto@acme", "--kafka-config", str(properties),
    )  # fmt: skip
    server = start_server(tmp_path / "data", *words)
    try:
        own = Stored(address(tmp_path / "data"))
        eventually(lambda: own.figures()["documents"] == traffic[""].documents, "it is read")
        own.close()
        # Until there is such a tenant its records wait in Kafka, and no other's do.
        assert raymap("tenant", "add", "acme", *server.where).returncode == 0
        assert stop_server(server) == 0  # the embedded engine knows the tenant when it starts next
        server = start_server(tmp_path / "data", *words)
        main = address(tmp_path / "data")
        for name, sent in traffic.items():
            database = database_of(main.database, name) if name else main.database
            stored = Stored(replace(main, database=database))
            expected = once(sent.documents, len(sent.trace_ids))
            eventually(lambda: stored.figures() == expected, f"{name}: {expected}")  # noqa: B023
            stored.close()
        for name, token in keys_of(server, *traffic).items():
            requests = len(traffic[name].trace_ids)
            eventually(
                lambda: nodes(server, token, began) == {SHOP: requests, STORAGE: requests},  # noqa: B023
                f"the map of {name or 'the default tenant'}",
            )
    finally:
        assert stop_server(server) == 0
