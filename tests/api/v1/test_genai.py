"""What models, agents and tools were called for, over HTTP, from OpenTelemetry's spans in both stores."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.schemas.v1 import GenAIUsage
from api.v1 import genai
from store.clickhouse.store import ClickHouseStore
from store.memory import MemoryStore
from store.model import Document
from store.protocol import Store
from store.times import SECOND
from tests.api.console.test_map import get
from tests.builders import T0
from tests.otlp_json import decode_otlp_json

NOW = T0 // SECOND + 60
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5"}  # fmt: skip
TOOL = {"mcp.method.name": "tools/call", "gen_ai.tool.name": "search", "server.address": "tools"}
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"}


def tokens(given: int, made: int) -> dict[str, Any]:
    """What a call took."""
    return {"gen_ai.usage.input_tokens": given, "gen_ai.usage.output_tokens": made}


def put(store: Store, number: int, *calls: tuple[int, dict[str, Any]], sampled: str = "") -> None:
    """A request of shop with spans of calls, each below the request (0) or the call of that number."""
    spans = [_span(number, 1, 0, 2, {"http.request.method": "GET"}, sampled)]
    spans += [
        _span(number, place, parent + 1, 3, given, sampled)
        for place, (parent, given) in enumerate(calls, start=2)
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
    decoded = decode_otlp_json(json.dumps(body).encode(), T0)
    store.put([each for each in decoded if isinstance(each, Document)], str(number))


def _span(
    trace: int, id: int, parent: int, kind: int, attributes: dict[str, Any], state: str
) -> dict[str, Any]:
    return {
        "traceId": f"{T0 // SECOND:08x}{trace:024x}",
        "spanId": f"{id:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "kind": kind,
        "name": "x",
        "startTimeUnixNano": str((T0 + id * 1000) * 1000),
        "endTimeUnixNano": str((T0 + SECOND - id * 1000) * 1000),
        "traceState": state,
        "attributes": [{"key": key, "value": _value(value)} for key, value in attributes.items()],
    }


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}


def client_of(store: Store) -> TestClient:
    return TestClient(create_app(store, version="1", clock=lambda: float(NOW)))


def usage(store: Store, more: str = "") -> GenAIUsage:
    """The usage of the last minutes."""
    found: GenAIUsage = get(client_of(store), f"/api/v1/genai?from=-5m{more}", GenAIUsage)
    return found


def rows(reply: GenAIUsage) -> list[tuple[Any, ...]]:
    return [
        (
            each["target_name"], each["type"], each["operation"], each["model"] or each["tool"],
            each["calls"], each["calls_with_tokens"], each["input_tokens"], each["output_tokens"], each["cost_usd"],
        )
        for each in reply["operations"]
    ]  # fmt: skip


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryStore()
    found: ClickHouseStore = request.getfixturevalue("clickhouse_store")
    return found


def test_tokens_by_edge_and_operation(store: Store) -> None:
    put(store, 1, (0, {**CHAT, **tokens(100, 20)}), (0, {**CHAT, **tokens(50, 5)}), (0, TOOL))
    put(store, 2, (0, {**CHAT, **tokens(7, 1), "gen_ai.usage.cost": 0.25}), (0, AGENT))
    put(
        store,
        3,
        (0, CHAT),
        (0, {"server.address": "plain", **tokens(9, 9)}),
    )
    reply = usage(store)
    assert rows(reply) == [
        ("openai", "GenAI::Model", "chat", "gpt-5", 4, 3, 157, 26, 0.25),
        ("planner", "GenAI::Agent", "invoke_agent", "", 1, 0, 0, 0, None),
        ("tools", "GenAI::MCP", "tools/call", "search", 1, 0, 0, 0, None),
    ]
    assert (reply["traces"], reply["complete"]) == (3, True)
    assert {each["source_name"] for each in reply["operations"]} == {"shop"}
    model, planner, _ = reply["operations"]
    assert rows(usage(store, f"&node={planner['target']}")) == rows(reply)[1:2]
    assert rows(usage(store, f"&node={model['source']}")) == rows(reply)
    edge = f"&edge={model['source']}:{model['target']}"
    assert rows(usage(store, edge)) == rows(reply)[:1]
    narrowed = usage(store, f"{edge}&filter=annotation[gen_ai.usage.cost]")
    assert rows(narrowed) == [("openai", "GenAI::Model", "chat", "gpt-5", 1, 1, 7, 1, 0.25)]


def test_what_several_spans_report_counts_once(store: Store) -> None:
    """A framework's span around an SDK's, and one around HTTP; what a wrapper by hand does not say, that inside does."""
    put(store, 1, (0, {**CHAT, **tokens(100, 20)}), (1, {**CHAT, **tokens(100, 20)}))
    http = {"http.request.method": "POST", "server.address": "api.openai.com"}
    put(store, 2, (0, {**CHAT, **tokens(1, 2)}), (1, http))
    put(store, 3, (0, {**CHAT}), (1, {**http, **tokens(4, 8)}))
    assert rows(usage(store)) == [("openai", "GenAI::Model", "chat", "gpt-5", 3, 3, 105, 30, None)]


def test_a_condition_selects_the_traces_of_a_row(store: Store) -> None:
    """Those calls and no others, whichever attributes say it; of what a span around says, at least those."""
    put(store, 1, (0, CHAT), (0, TOOL))
    put(store, 2, (0, {**CHAT, "gen_ai.request.model": "gpt-6"}), (0, {**CHAT, "gen_ai.operation.name": "embeddings"}))  # fmt: skip
    put(store, 3, (0, {"gen_ai.system": "openai", "gen_ai.response.model": "gpt-5"}))
    put(
        store,
        4,
        (
            0,
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.response.model": 'a "b"\\',
            },
        ),
    )
    bare = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-7"}
    put(store, 5, (0, {**bare, "gen_ai.operation.name": "chat"}), (1, bare))
    client = client_of(store)
    found = {}
    for row in usage(store)["operations"]:
        edge = f'edge("{row["source_name"]}", "{row["target_name"]}") {{ {row["condition"]} }}'
        page = client.get("/api/v1/traces", params={"from": "-5m", "filter": edge})
        words = row["operation"], row["model"] or row["tool"]
        found[words] = sorted(int(each["id"][-2:]) for each in page.json()["traces"])
    assert found == {
        ("chat", "gpt-5"): [1],
        ("tools/call", "search"): [1],
        ("chat", "gpt-6"): [2],
        ("embeddings", "gpt-5"): [2],
        ("", "gpt-5"): [3],
        ("chat", 'a "b"\\'): [4],
        ("chat", "gpt-7"): [5],
    }


def test_names_of_earlier_conventions(store: Store) -> None:
    """Text of digits counts, as Zipkin's senders write numbers."""
    given = {"gen_ai.system": "openai", "gen_ai.response.model": "gpt-4"}
    put(store, 1, (0, {**given, "gen_ai.usage.prompt_tokens": "3", "gen_ai.usage.completion_tokens": 4}))  # fmt: skip
    assert rows(usage(store)) == [("openai", "GenAI::Model", "", "gpt-4", 1, 1, 3, 4, None)]


def test_a_sampled_call_counts_as_often_as_it_stands_for(store: Store) -> None:
    """On the map, and here; a filtered map counts each once, and so does this."""
    put(store, 1, (0, {**CHAT, **tokens(10, 2)}), sampled="ot=th:8;rv:ffffffffffffff")
    assert rows(usage(store)) == [("openai", "GenAI::Model", "chat", "gpt-5", 2, 2, 20, 4, None)]
    assert [row[4:8] for row in rows(usage(store, "&filter=ok"))] == [(1, 1, 10, 2)]


def test_only_the_newest_traces_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genai, "MOST_TRACES", 2)
    for number in (1, 2, 3):
        put(store, number, (0, {**CHAT, **tokens(10, 2)}))
    reply = usage(store)
    assert (reply["traces"], reply["complete"], reply["operations"][0]["calls"]) == (2, False, 2)


def test_without_models_nothing_is_read() -> None:
    store = MemoryStore()
    put(store, 1, (0, {"server.address": "plain"}))
    reply = usage(store)
    assert (reply["operations"], reply["traces"], reply["complete"]) == ([], 0, True)
    for place in ("node=n0", "edge=n0:n1", "edge=n0"):
        answer = client_of(store).get(f"/api/v1/genai?from=-5m&{place}")
        assert answer.status_code == 404
