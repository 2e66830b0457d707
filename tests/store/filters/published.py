"""Every expression that AWS documents or a known client sends, and the traces of `corpus` that satisfy it,
decided by hand (docs/xray-format.md §7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from collector.decode.document import decode_document
from store.model import Document
from store.times import SECOND
from store.trace_id import format_trace_id
from tests.builders import T0, trace_id

NAMES = (
    "game", "fine", "throttled", "hidden", "partial", "denied", "deep", "table", "weather", "lambda",
    "accounts", "canary", "shop", "domains", "groups",
)  # fmt: skip
IDS = {name: trace_id(number, epoch=T0 // SECOND + number) for number, name in enumerate(NAMES, 1)}
ALL = frozenset(NAMES)


def corpus() -> list[Document]:
    """Fifteen traces, decoded as a collector does."""
    return [
        decode_document(json.dumps(content).encode(), T0 + 900 * SECOND + number)
        for number, content in enumerate(_contents())
    ]


def _unit(id: int, name: str, begin: float, end: float | None, **more: Any) -> dict[str, Any]:
    """A segment or subsegment; times in seconds from the trace's start."""
    ended: dict[str, Any] = {"end_time": end} if end is not None else {"in_progress": True}
    return {"id": f"{id:016x}", "name": name, "start_time": begin, **ended, **more}


def _trace(name: str, *segments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    at = T0 // SECOND + NAMES.index(name) + 1
    for segment in segments:
        yield {**_moved(segment, at), "trace_id": format_trace_id(IDS[name])}


def _moved(unit: dict[str, Any], at: float) -> dict[str, Any]:
    times: dict[str, Any] = {k: unit[k] + at for k in ("start_time", "end_time") if k in unit}
    inner = [_moved(each, at) for each in unit.get("subsegments", ())]
    return {**unit, **times, "subsegments": inner}


def _child(
    id: int, parent: int, name: str, begin: float, end: float, **more: Any
) -> dict[str, Any]:
    return _unit(id, name, begin, end, parent_id=f"{parent:016x}", **more)


def _http(url: str = "", status: int = 0, **request: str) -> dict[str, Any]:
    block: dict[str, Any] = {"request": {**({"url": url} if url else {}), **request}}
    return block | ({"response": {"status": status}} if status else {})


def _contents() -> Iterator[dict[str, Any]]:
    remote: dict[str, Any] = {"namespace": "remote"}
    failed = {"fault": True}
    yield from _trace(
        "game",
        _unit(
            1, "api.example.com", 0, 6, origin="AWS::EC2::Instance", user="alice", **failed,
            http=_http(
                "http://api.example.com/api/game/v2/example/game/7.json", 500,
                method="POST", user_agent="curl/8.1", client_ip="203.0.113.9",
            ),
            annotations={
                "gameid": "817DL6VO", "age": 30, "account": "12345", "foo": "bar",
                "test_type": "simple_xray",
            },
            subsegments=[_unit(2, "backend.example.com", 0.1, 5.9, **remote, **failed)],
        ),
        _child(3, 2, "backend.example.com", 0.2, 5.8, origin="AWS::ECS::Container", **failed),
    )  # fmt: skip
    yield from _trace(
        "fine",
        _unit(
            1, "frontend", 0, 0.1, user="carol", aws={"account_id": "123456789012"},
            http=_http("http://api.example.com/v2/list", 200, method="GET"),
            annotations={
                "age": 20, "score": 0.75, "first_order": True, "key.with.dots": "abc",
                "account": 12345,
            },
        ),
    )  # fmt: skip
    yield from _trace(
        "throttled",
        _unit(
            1, "orders", 0, 3, user="bob", error=True, throttle=True,
            http=_http("http://orders/7", 429, method="GET"), annotations={"first_order": False},
        ),
    )  # fmt: skip
    yield from _trace(
        "hidden",
        _unit(
            1, "a", 0, 2, http=_http("http://a/", 200),
            subsegments=[
                _unit(2, "b", 0.1, 0.2, **remote, **failed),
                _unit(4, "partner.example.com", 0.3, 1.8, **remote),
            ],
        ),
        _child(3, 2, "b", 0.1, 0.2, **failed),
    )  # fmt: skip
    yield from _trace("partial", _unit(1, "worker", 0, None))
    yield from _trace(
        "denied",
        _unit(
            1, "data-plane", 0, 1, **failed,
            subsegments=[_unit(2, "Auth", 0.7, 0.9, **remote, **failed)],
        ),
        _child(
            3, 2, "Auth", 0.7, 0.9, **failed,
            subsegments=[_unit(4, "deserialize", 0.7, 0.8, **failed)],
        ),
    )  # fmt: skip
    yield from _trace("deep", *_chain(7))
    yield from _trace(
        "table",
        _unit(
            1, "web", 0, 1, **failed, subsegments=[_unit(2, "traces", 0, 0.9, **remote, **failed)]
        ),
        _child(3, 2, "traces", 0, 0.85, origin="AWS::DynamoDB", inferred=True, **failed),
    )
    yield from _trace(
        "weather",
        _unit(
            1, "GetWeatherData", 0, 2.2,
            subsegments=[_unit(2, "get_temperature", 0.1, 2.1, **remote)],
        ),
        _child(3, 2, "GetTemperature", 0.2, 2),
    )  # fmt: skip
    yield from _trace(
        "lambda",
        _unit(1, "function-name", 0, 1, origin="AWS::Lambda"),
        _child(2, 1, "function-name", 0, 0.4, origin="AWS::Lambda::Function", error=True),
        _child(3, 1, "random-name", 0.5, 0.6, origin="AWS::Lambda::Function", error=True),
    )
    yield from _trace(
        "accounts",
        _unit(
            1, "ledger", 0, 1, aws={"account_id": "account-id"},
            annotations={"aws.local.environment": "k8s:default"},
            subsegments=[_unit(2, "x", 0, 0.2, **remote)],
        ),
        _child(3, 2, "x", 0, 0.2, aws={"account_id": "X"}),
    )  # fmt: skip
    yield from _trace(
        "canary",
        _unit(
            1, "www", 0, 1, origin="AWS::ElasticBeanstalk::Environment",
            http=_http("http://www/", 200, user_agent="CloudWatchSynthetics/arn"),
        ),
    )  # fmt: skip
    table = {"operation": "PutItem", "table_name": "carts"}
    yield from _trace(
        "shop",
        _unit(
            1, "shop-frontend", 0, 1, resource_arn="arn:aws:lambda:us-west-2:1:function:f",
            aws={"ec2": {"instance_id": "i-075ad396f12bc325a", "availability_zone": "us-west-2c"}},
            subsegments=[_unit(2, "DynamoDB", 0, 0.1, namespace="aws", aws=table, **failed)],
        ),
    )  # fmt: skip
    yield from _trace(
        "domains",
        _unit(
            1, "example.com", 0, 12, error=True, http=_http(status=404),
            annotations={"AgentName": "planner"},
            subsegments=[
                _unit(2, "mydomain.com", 0, 1, **remote, **failed),
                _unit(4, "api", 1, 2, **remote, **failed),
            ],
        ),
        _child(3, 2, "mydomain.com", 0, 1, **failed),
        _child(5, 4, "api", 1, 2, **failed, annotations={"aws.local.operation": "POST /visits"}),
    )  # fmt: skip
    yield from _trace(
        "groups",
        _unit(1, "from group", 0, 1, subsegments=[_unit(2, "something", 0, 0.1, **remote)]),
        _child(3, 2, "something", 0, 0.1),
    )


def _chain(length: int) -> Iterator[dict[str, Any]]:
    """Services that call each other, all of which fail."""
    for number in range(length):
        end = 1 - number / 100
        calls = [
            _unit(2 * number + 2, f"s{number + 1}", 0, end, namespace="remote", fault=True)
        ] * (number < length - 1)
        segment = _unit(2 * number + 1, f"s{number}", 0, end, fault=True, subsegments=calls)
        yield {**segment, **({"parent_id": f"{2 * number:016x}"} if number else {})}


FAULTY = {"game", "denied", "deep", "table"}
"""The entry failed with a fault."""
ERRONEOUS = {"throttled", "domains"}
NOT_OK = FAULTY | ERRONEOUS | {"partial"}
OK = ALL - NOT_OK
GROUPS = {"high_response_time": "responsetime > 2"}

PUBLISHED: dict[str, set[str] | frozenset[str]] = {
    "responsetime > 5": {"game", "domains"},
    "duration >= 5 AND duration <= 8": {"game"},
    "ok": OK,
    "!ok": NOT_OK,
    "ok = false": NOT_OK,
    'rootcause.fault.entity { last and name = "deserialize" }': {"denied"},
    'rootcause.responsetime.entity { remote and coverage > 0.7 and name = "traces" }': {"table"},
    'rootcause.fault.service { inferred and name = traces and type = "AWS::DynamoDB" }': {"table"},
    'service("data-plane") {root = true and fault = true}': {"denied"},
    "http.status != 200": {"game", "throttled", "domains"},
    "ok !partial duration <3": OK,
    "rootcause.fault.service { index > 5 }": {"deep"},
    "rootcause.responsetime.entity { last and coverage > 0.8 }": (ALL - {"partial", "hidden"}),
    'http.url CONTAINS "/api/game/"': {"game"},
    'user CONTAINS ""': {"game", "fine", "throttled"},
    'rootcause.fault.service { name = "Auth" }': {"denied"},
    'rootcause.responsetime.service { last and type = "AWS::DynamoDB" }': {"table"},
    'service("api.example.com") { fault }': {"game"},
    "service() { fault }": FAULTY | {"hidden", "shop", "domains"},
    'edge("api.example.com", "backend.example.com") { error }': set(),
    (
        'http.url BEGINSWITH "http://api.example.com/" AND http.url CONTAINS "/v2/" '
        'AND !service("api.example.com")'
    ): {"fine"},
    "http.url AND responseTime > 2": {"game", "throttled"},
    'annotation.gameid = "817DL6VO"': {"game"},
    "annotation.age": {"game", "fine"},
    "!annotation.age": ALL - {"game", "fine"},
    "annotation.age > 29": {"game"},
    'group.name = "high_response_time" AND user = "alice"': {"game"},
    (
        'rootcause.json = #[{ "Services": [ { "Name": "GetWeatherData", "EntityPath": [{ "Name": '
        '"GetWeatherData" }, { "Name": "get_temperature" } ] }, { "Name": "GetTemperature", '
        '"EntityPath": [ { "Name": "GetTemperature" } ] } ] }]'
    ): {"weather"},
    'service("function-name") { error }': {"lambda"},
    'service(id(name: "random-name", type: "AWS::Lambda::Function")) { error }': {"lambda"},
    'service(id(type: "AWS::Lambda::Function")) { error }': {"lambda"},
    'service(id(account.id: "account-id"))': {"accounts"},
    'fault = true AND http.url CONTAINS "example/game" AND responsetime >= 5': {"game"},
    'service("api.example.com") { fault = true OR responsetime >= 5 }': {"game"},
    'service("example.com") {fault OR error}': {"domains"},
    'service("mydomain.com") {fault OR error}': {"domains"},
    "responsetime > 2": {"game", "throttled", "weather", "domains"},
    'service("api.example.com")': {"game"},
    'annotation.account = "12345"': {"game"},
    (
        'service("api.example.com") { fault = true OR responsetime > 2.5 } '
        'AND annotation.account = "12345"'
    ): {"game"},
    'edge("api.example.com","backend.example.com") { fault = true }': {"game"},
    'service("frontend") { account.id = "123456789012" }': {"fine"},
    'service("api"){fault = true} AND annotation[aws.local.operation]="POST /visits"': {"domains"},
    ('(service(id(name: "x"  ))) AND (Annotation[aws.local.environment] = "k8s:default")'): {
        "accounts"
    },
    'annotation.test_type = "simple_xray" AND http.status = 500': {"game"},
    'service("frontend") AND service(id(account.id: "123456789012"))': {"fine"},
    'service("from group") AND service("something")': {"groups"},
    "duration > 5 AND duration < 8": {"game"},
    'service("api.example.com") AND annotation.account = "12345"': {"game"},
    'edge("api.example.com", "backend.example.com")': {"game"},
    'service(id(name: "api.example.com", type: "AWS::EC2::Instance"))': {"game"},
    'annotation.AgentName = "planner" AND duration > 10.0': {"domains"},
    "error AND !throttle": {"domains"},
    "throttle": {"throttled"},
    'service("orders") { throttle }': {"throttled"},
    "fault OR error": FAULTY | ERRONEOUS,
    "ok AND service() { fault }": {"hidden", "shop"},
    '(fault OR error) AND http.method = "POST"': {"game"},
    'http.useragent CONTAINS "curl" AND http.clientip BEGINSWITH "203.0.113."': {"game"},
    'http.url ENDSWITH ".json"': {"game"},
    "annotation.first_order = true": {"fine"},
    "annotation.first_order": {"fine"},
    "annotation.score >= 0.5 AND annotation.score < 1": {"fine"},
    'annotation[key.with.dots] BEGINSWITH "a"': {"fine"},
    'availabilityzone = "us-west-2c"': {"shop"},
    'instance.id = "i-075ad396f12bc325a"': {"shop"},
    'resource.arn CONTAINS ":function:"': {"shop"},
    "partial": {"partial"},
    "!partial": ALL - {"partial"},
    "inferred": {"hidden", "table", "shop"},
    'service(id(type: "client"))': ALL - {"canary"},
    'service(id(type: "remote")) { responsetime > 1 }': {"hidden"},
    'edge("shop-frontend", id(type: "AWS::DynamoDB::Table")) { fault }': {"shop"},
    'service("a") { ok } service("b") { fault }': {"hidden"},
    'user = "alice" OR user = "bob" AND fault': {"game"},
    "!(fault OR error)": ALL - FAULTY - ERRONEOUS,
    "http.status >= 400 AND http.status < 500": {"throttled", "domains"},
    (
        'service("api.amazon.com") { fault = true OR responsetime > 2.5 } AND annotation.foo = "bar"'
    ): set(),
    'service(id(account.id:"X")) OR service(id(account.id:"Y"))': {"accounts"},
    (
        'edge(id(name: "www", type: "client::Synthetics"), '
        'id(name: "www", type: "AWS::ElasticBeanstalk::Environment"))'
    ): {"canary"},
    'service("example.com") {fault}': set(),
}
REFUSED = {
    (
        'rootcause.fault.exception { last and message = "Access Denied for account_id: 1234567890"'
    ): 89,
    (
        'edge(id(name: "service-one", type:"service::type"), '
        'id(name: "service-two", type:"service::type")) { filter }'
    ): 101,
    'service(id(name: "service-name", type:"service::type")) { filter }': 58,
    'name = "x': 7,
    "responsetime >": 14,
    "foo = 1": 0,
}
"""Positions, from 0."""
