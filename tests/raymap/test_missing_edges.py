"""Causes of missing edges through the receivers of a running server."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.graph.build import node_id
from tests.api.v1.test_missing import STOCK, forget_sent, sent
from tests.conftest import Server
from tests.waiting import eventually


@pytest.mark.slow
def test_each_is_named(raymap_server: Server) -> None:
    """Half a minute later: until then what is missing may still arrive."""
    apps = ("header_not_passed", "clock_skew", "parent_missing")
    forget_sent()
    for app in apps:
        for kind, body in sent(app, mended=False):
            if kind == "xray":
                answer = httpx.post(
                    f"{raymap_server.http}/TraceSegments",
                    json={"TraceSegmentDocuments": [body.decode()]},
                )
            else:
                answer = httpx.post(
                    f"{raymap_server.http}/v1/traces",
                    content=body,
                    headers={"Content-Type": "application/x-protobuf"},
                )
            assert answer.status_code == 200, answer.text

    def causes() -> set[str]:
        path = f"{raymap_server.http}/api/v1/nodes/{node_id(STOCK)}/missing"
        answer: dict[str, Any] = httpx.get(path, params={"from": "-15m"}).json()
        return {each["cause"] for each in answer.get("causes", ())}

    eventually(lambda: causes() >= set(apps), seconds=120)
