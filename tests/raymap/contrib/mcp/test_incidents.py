"""Five things that go wrong in the demo, each found by tool calls alone: what one answers is all that the next one knows.

``pytest -s`` prints the calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from api.app import create_app
from raymap.contrib.mcp.client import Client
from raymap.contrib.mcp.server import RaymapServer, build_server
from tests.http_server import serve
from tests.raymap.test_demo import NOON, _traces, stored

WINDOW = {"start": str(NOON - 3600), "end": str(NOON + 600)}
MOST_CALLS = 4


@dataclass
class Session:
    """Calls tools and counts them; `rows` of the structured answer."""

    server: RaymapServer
    calls: list[str] = field(default_factory=list)
    tokens: int = 0

    def __call__(self, tool: str, **arguments: Any) -> list[dict[str, Any]]:
        if tool not in ("trace_outline", "trace_critical_path", "trace_documents"):
            arguments = {**WINDOW, **arguments}
        shown = ", ".join(f"{k}={v}" for k, v in arguments.items() if k not in WINDOW)
        self.calls.append(f"{tool}({shown})")
        result: Any = anyio.run(lambda: self.server.call_tool(tool, arguments))
        assert not result.is_error
        self.tokens += len(result.content[0].text)
        rows: list[dict[str, Any]] = result.structured_content["rows"]
        return rows


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    store = stored(list(_traces(3000)))
    with serve(create_app(store, version="1", clock=lambda: NOON + 1)) as address:
        yield address


def texts(rows: list[dict[str, Any]]) -> list[str]:
    return [row["text"] for row in rows]


def checkout_fails(call: Session) -> str:
    """Customers see 502 at the checkout."""
    worst, *_ = call("stats", by="cause,exception", filter='fault AND http.url CONTAINS "checkout"')
    trace, *_ = call("find_traces", filter=worst["filter"], limit=1)
    thrown = [
        line for line in texts(call("trace_outline", trace_id=trace["id"])) if "Error" in line
    ]
    row = thrown[-1].split()[0]
    document = texts(call("trace_documents", trace_id=trace["id"], row_ids=[row]))[0]
    assert worst["values"][1] in document
    return f"{worst['values'][0]}: {worst['values'][1]}"


def payments_are_slow(call: Session) -> str:
    """Some payments take seconds."""
    slowest, *_ = call("find_traces", node="payments.example.com", slowest=True, limit=1)
    path = call("trace_critical_path", trace_id=slowest["id"])
    by_service: dict[str, float] = {}
    for piece in path:
        by_service[piece["service"]] = by_service.get(piece["service"], 0) + piece["share"]
    cause = max(by_service, key=lambda name: by_service[name])
    failures = texts(call("describe_node", node=cause))
    kind = next(line for line in failures if " × fault:" in line)
    return f"{cause}: {kind.split(':', 1)[1]}"


def customers_are_throttled(call: Session) -> str:
    """Some people get 429."""
    common = call("compare", status="throttle")
    assert any('aws:api_stage = "prod"' in each["filter"] for each in common)
    trace, *_ = call("find_traces", status="throttle", limit=1)
    outline = texts(call("trace_outline", trace_id=trace["id"]))
    deepest = [line for line in outline if "throttle 429" in line][-1]
    return deepest.split()[1]


def orders_are_retried(call: Session) -> str:
    """Calls of the orders table are repeated."""
    nodes = texts(call("service_map", find="orders", show="nodes"))
    id = next(line for line in nodes if " throttle" in line).split(" [")[0].split()[-1]
    failures = texts(call("describe_node", node=id))
    kind = next(line for line in failures if "throttle:" in line).split("throttle:")[1]
    (hit, *_) = call("stats", by="operation", node=id, status="throttle", metrics="count")
    return f"{hit['values'][0]}: {kind}"


def the_assistant_fails(call: Session) -> str:
    """The assistant answers with an error."""
    failures = texts(call("describe_node", node="assistant"))
    error = next(line for line in failures if "fault:" in line).split(" × ")[1]
    trace, *_ = call("find_traces", node="assistant", error=error, limit=1)
    outline = texts(call("trace_outline", trace_id=trace["id"]))
    deepest = next(line for line in outline if "throttle" in line)
    return f"{deepest.split()[1]}: {error.split(':')[1]}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("solve", "expected"),
    [
        (checkout_fails, "place-order: TypeError"),
        (payments_are_slow, "payments.example.com: HTTP 503"),
        (customers_are_throttled, "shop-api/prod"),
        (orders_are_retried, "PutItem: ProvisionedThroughputExceededException"),
        (the_assistant_fails, "openai: RateLimitError"),
    ],
)
def test_an_incident_is_solved_by_calls_alone(
    url: str, solve: Callable[[Session], str], expected: str
) -> None:
    server = build_server(Client(url), "1")
    assert isinstance(server, RaymapServer)
    call = Session(server)
    found = solve(call)
    print(f"\n{solve.__doc__} → {found} ({len(call.calls)} calls, {call.tokens} characters)")
    print("\n".join(f"  {each}" for each in call.calls))
    assert found == expected
    assert len(call.calls) <= MOST_CALLS
