"""Why an edge is missing: eight causes planted in apps with real SDKs, each named; none once it is mended."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from functools import cache

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.graph.build import node_id
from api.v1.mending import MENDING, SDKS, key_of
from api.v1.missing import MissingEdge, MissingReply
from collector.decode.document import decode_document
from collector.decode.otlp.request import decode_otlp
from store.memory import MemoryStore
from store.missing_edges.model import Cause
from store.model import Document, NodeKey, State
from store.protocol import Store
from store.times import SECOND
from tests.api.console.test_map import get
from tests.api.v1.broken_apps import APPS
from tests.builders import T0, call, segment, trace_id
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

SHOP, STOCK = NodeKey("", "shop", ""), NodeKey("", "stock", "")
FUNCTION = NodeKey("111122223333", "stock", "AWS::Lambda::Function", "us-east-1")
NAMED = {
    "no_exit_span": ("no_exit_span", "time", "xray-python", 16, (SHOP, STOCK)),
    "header_not_passed": ("header_not_passed", "time", "xray-python", 8, (SHOP, STOCK)),
    "parent_missing": ("parent_missing", "ids", "", 8, (STOCK,)),
    "lost_segments": ("parent_missing", "ids", "", 8, (STOCK,)),
    "not_sampled": ("not_sampled", "name", "otel-python", None, (SHOP, STOCK)),
    "clock_skew": ("clock_skew", "ids", "otel-python", 8, (SHOP, STOCK)),
    "other_account": ("other_account", "ids", "xray-python", 8, (SHOP,)),
    "platform_record_missing": (
        "platform_record_missing", "ids", "otel-python", 8, (FUNCTION,),
    ),
    "still_running": ("still_running", "ids", "xray-python", 8, (STOCK,)),
}  # fmt: skip
"""Of each app the cause, its basis, the SDK to mend, how many units show it, and the nodes whose panels say so."""


Sent = list[tuple[str, bytes]]


@cache
def sent(app: str, *, mended: bool) -> Sent:
    """What the SDKs of an app send."""
    return [
        (kind, base64.b64decode(body)) for is_mended, kind, body in _run(app) if is_mended is mended
    ]


@cache
def _run(app: str) -> list[tuple[bool, str, str]]:
    command = [sys.executable, "-P", "-m", "tests.api.v1.broken_apps", app]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=environment)
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def forget_sent() -> None:
    """Have the SDKs send anew: what they sent may be older than a window by now."""
    sent.cache_clear()
    _run.cache_clear()


def _put(store: Store, sent: Sent) -> None:
    """Through the decoders of the receivers."""
    version = time.time_ns() // 1000
    for number, (kind, body) in enumerate(sent):
        if kind == "xray":
            store.put([decode_document(body, version)], f"{kind} {number}")
            continue
        documents = list(decode_otlp(body, version))
        assert all(isinstance(each, Document) for each in documents)
        store.put([each for each in documents if isinstance(each, Document)], f"{kind} {number}")


def causes(store: Store, node: NodeKey, more: str = "") -> list[MissingEdge]:
    """What the API says of a node, a minute later."""
    client = TestClient(create_app(store, version="1", clock=lambda: time.time() + 60))
    path = f"/api/v1/nodes/{node_id(node)}/missing?from=-30m{more}"
    reply: MissingReply = get(client, path, MissingReply)
    return reply["causes"]


@pytest.mark.parametrize("app", APPS)
def test_a_planted_cause_is_named(app: str) -> None:
    cause, basis, sdk, units, nodes = NAMED[app]
    store = MemoryStore()
    _put(store, sent(app, mended=False))
    for node in nodes:
        (found,) = causes(store, node)
        assert (found["cause"], found["basis"], found["sdk"]) == (cause, basis, sdk)
        assert found["units"] == units or units is None
        assert 0 < found["units"] <= found["of"]
        if sdk:
            assert found["mending"][0]["sdk"] in (sdk, "any")
        trace = TestClient(create_app(store, version="1")).get(f"/api/traces/{found['trace_id']}")
        assert trace.status_code == 200


@pytest.mark.parametrize("app", APPS)
def test_what_is_mended_has_no_cause(app: str) -> None:
    """By the lines that the answer gives: of the SDK that the app has."""
    store = MemoryStore()
    _put(store, sent(app, mended=True))
    client = TestClient(create_app(store, version="1", clock=lambda: time.time() + 60))
    nodes = client.get("/api/v1/map?from=-30m").json()["services"]
    assert len(nodes) > 1
    for each in nodes:
        assert client.get(f"/api/v1/nodes/{each['id']}/missing?from=-30m").json()["causes"] == []


def test_only_causes_between_two() -> None:
    store = MemoryStore()
    _put(store, sent("header_not_passed", mended=False))
    assert len(causes(store, SHOP, f"&other={node_id(STOCK)}")) == 1
    assert causes(store, SHOP, f"&other={node_id(NodeKey('', 'shop', 'client'))}") == []


def test_an_inferred_node_says_which_service_it_may_be() -> None:
    store = MemoryStore()
    _put(store, sent("header_not_passed", mended=False))
    (found,) = causes(store, NodeKey("", "api.house.test", "remote"))
    assert found["callee"] is not None
    assert found["callee"]["name"] == "stock"
    assert found["other_trace_id"] != found["trace_id"]


@pytest.mark.clickhouse
def test_clickhouse_says_the_same(clickhouse_store: Store) -> None:
    for app in ("header_not_passed", "not_sampled", "still_running"):
        _put(clickhouse_store, sent(app, mended=False))
    memory = MemoryStore()
    for app in ("header_not_passed", "not_sampled", "still_running"):
        _put(memory, sent(app, mended=False))
    for node in (SHOP, STOCK):
        expected = causes(memory, node)
        found = causes(clickhouse_store, node)
        assert [(each["cause"], each["text"]) for each in found] == [
            (each["cause"], each["text"]) for each in expected
        ]
        assert found


def _calls(count: int, callee: str = "stock", **change: object) -> list[Document]:
    return [
        segment(
            16 * number + 1,
            name="shop",
            trace_id=trace_id(number),
            start=T0 + number * SECOND,
            end=T0 + number * SECOND + 100_000,
            calls=(
                call(
                    16 * number + 2,
                    node=NodeKey("", callee, "remote"),
                    host=callee,
                    start=T0 + number * SECOND + 10_000,
                    end=T0 + number * SECOND + 90_000,
                    **change,
                ),
            ),
        )
        for number in range(count)
    ]


def _found(*documents: Document, node: NodeKey = SHOP) -> list[tuple[str, int, int]]:
    store = MemoryStore()
    store.put(documents, "all")
    client = TestClient(create_app(store, version="1", clock=lambda: T0 / SECOND + 600))
    path = f"/api/v1/nodes/{node_id(node)}/missing?from={T0 // SECOND}&to={T0 // SECOND + 300}"
    return [(x["cause"], x["units"], x["of"]) for x in get(client, path, MissingReply)["causes"]]


def _entries(count: int, offset: int, **change: object) -> list[Document]:
    return [
        segment(
            16 * number + 5,
            name="stock",
            trace_id=trace_id(1000 + number),
            start=T0 + number * SECOND + offset,
            end=T0 + number * SECOND + offset + 20_000,
            **change,
        )
        for number in range(count)
    ]


def test_a_name_alone_is_no_proof_of_a_lost_header() -> None:
    """The stock is called by others, at other times; it did not record these."""
    assert _found(*_calls(6), *_entries(6, 500_000)) == [("not_sampled", 6, 6)]
    assert _found(*_calls(6), *_entries(6, 20_000)) == [("header_not_passed", 6, 6)]


def test_a_service_so_busy_that_anything_fits_proves_nothing() -> None:
    busy = [
        segment(
            16 * number + 5,
            name="stock",
            trace_id=trace_id(1000 + number),
            start=T0 + number * 25_000,
            end=T0 + number * 25_000 + 5_000,
        )
        for number in range(250)
    ]
    assert _found(*_calls(6), *busy) == [("not_sampled", 6, 6)]


def test_calls_of_what_reports_nothing_here_end_there_rightly() -> None:
    """A host of others is no missing edge, whatever a service is called that is like it."""
    assert _found(*_calls(6, "stock.example.com"), *_entries(6, 20_000)) == []
    assert _found(*_calls(6, "stock.shop.svc.cluster.local"), *_entries(6, 500_000)) == [
        ("not_sampled", 6, 6)
    ]


def test_a_call_that_failed_on_the_way_has_no_answer() -> None:

    assert _found(*_calls(6, state=State.FAULT), *_entries(6, 500_000)) == []
    assert _found(*_calls(6, state=State.FAULT, status=503), *_entries(6, 500_000)) == []


def test_what_may_still_arrive_is_not_missing() -> None:
    late = segment(0x77, name="stock", parent_id=0x99)
    store = MemoryStore()
    store.put([late], "late")
    path = f"/api/v1/nodes/{node_id(STOCK)}/missing?from={T0 // SECOND}&to={T0 // SECOND + 5}"
    clock = T0 / SECOND + 10
    client = TestClient(create_app(store, version="1", clock=lambda: clock))
    assert get(client, path, MissingReply)["causes"] == []
    clock += 50
    (found,) = get(client, path, MissingReply)["causes"]
    assert found["cause"] == "parent_missing"


def test_every_cause_has_lines_and_every_line_a_source() -> None:
    assert set(MENDING) == set(Cause)
    for lines in MENDING.values():
        assert set(lines) <= set(SDKS)
        assert set(lines) == {"any"} or set(lines) == set(SDKS) - {"any"}
        assert all(each.text and each.source for each in lines.values())


def test_sdks_by_the_names_they_give_themselves() -> None:
    names = ("X-Ray for Python", "X-Ray for Node.js", "X-Ray for Java", "X-Ray for Go")
    assert [key_of(name) for name in names] == [
        "xray-python", "xray-node", "xray-java", "xray-go",
    ]  # fmt: skip
    assert key_of("opentelemetry for python") == "otel-python"
    assert key_of("opentelemetry for nodejs") == "otel-node"
    assert key_of("opentelemetry for cobol") == ""
    assert key_of("") == ""
