"""The SDK asks the daemon's TCP port how much to record; the server's answer is: everything."""

from __future__ import annotations

import json
import re
import secrets
import time
from typing import Any

import requests

from examples.flask_shop.processes import flask_shop
from tests.xray_client import xray_client

PATIENCE = 60.0
UNRECORDED = "1-00000000-000000000000000000000000"


def test_the_sdk_records_everything_by_the_servers_rule(raymap_server: Any) -> None:
    """Its own rule is one request a second and 5 %; twenty at once prove that ours is used."""
    client = xray_client(raymap_server.http)
    tcp = raymap_server.http.removeprefix("http://").rstrip("/")
    daemon = f"tcp:{tcp} udp:{raymap_server.udp}"
    with flask_shop(daemon, shop=f"sampled-{secrets.token_hex(3)}") as url:
        _wait_until_the_rule_is_used(client, url)
        trace_ids = [_visit(url) for _ in range(20)]
        assert UNRECORDED not in trace_ids
        assert [_rule(client, trace_id) for trace_id in trace_ids] == ["Default"] * 20


def _wait_until_the_rule_is_used(client: Any, url: str) -> None:
    """The SDK fetched the rules in the background, once it has had a request."""
    deadline = time.time() + PATIENCE
    while time.time() < deadline:
        trace_id = _visit(url)
        if trace_id != UNRECORDED and _rule(client, trace_id):
            return
        time.sleep(0.5)


def _visit(url: str) -> str:
    """The trace id that the service chose, from its answer."""
    header = requests.get(url + "/ok", timeout=60).headers["X-Amzn-Trace-Id"]
    found = re.search(r"Root=([^;]+)", header)
    assert found, header
    return found[1]


def _rule(client: Any, trace_id: str) -> str:
    """The sampling rule that the stored segment names; the segment is waited for."""
    deadline = time.time() + PATIENCE
    while time.time() < deadline:
        traces = client.batch_get_traces(TraceIds=[trace_id])["Traces"]
        if traces and traces[0]["Segments"]:
            document = json.loads(traces[0]["Segments"][0]["Document"])
            return str(document["aws"]["xray"].get("sampling_rule_name", ""))
        time.sleep(0.2)
    return "not stored"
