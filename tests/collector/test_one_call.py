"""A call that several instrumentations of one service report, each in a span of its own, is one call on the map; and
what looks like that and is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from store.graph import ServiceGraph, Statistics
from store.layers import OneCall, _around
from store.memory import MemoryStore
from store.model import Document, NodeKey, TimeRange
from tests.otlp_json import decode_otlp_json

ALL = TimeRange(0, 1 << 60)
START = 1_795_560_000
TRACE = f"{START:08x}{1:024x}"
KINDS = {"I": 1, "S": 2, "C": 3, "P": 4, "Q": 5}
GET = {"http.request.method": "GET", "url.path": "/", "http.response.status_code": 200}
SQL = {"db.system.name": "postgresql", "db.namespace": "o", "server.address": "pg"}
TABLE = {
    "rpc.system": "aws-api", "rpc.service": "DynamoDB", "aws.dynamodb.table_names": ["tab"], "http.status_code": 200,
}  # fmt: skip
AWS_HOST = "dynamodb.us-east-1.amazonaws.com"
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "mod"}
TOPIC = {"messaging.system": "kafka", "messaging.destination.name": "top"}


def http(host: str, status: int = 200, **more: Any) -> dict[str, Any]:
    """The attributes of an HTTP client's span."""
    got = {"http.response.status_code": status} if status else {}
    return {"http.request.method": "GET", "server.address": host, **got, **more}


class Spans:
    """The spans of one trace, the first one a request of shop that lasts 0.9 s; ids are their places."""

    def __init__(self) -> None:
        self.groups: list[Any] = []
        self.request = self.span("shop", "S", 0, 0.0, 0.9, GET)

    def span(
        self,
        service: str,
        kind: str,
        parent: int,
        start: float,
        time: float,
        attributes: dict[str, Any] | None = None,
        status: int = 0,
    ) -> int:
        """Add a span; its id. A status of 2 is an error."""
        id, at = len(self.groups) + 1, START + start
        span = {
            "traceId": TRACE,
            "spanId": f"{id:016x}",
            "parentSpanId": f"{parent:016x}" if parent else "",
            "kind": KINDS[kind],
            "name": "x",
            "startTimeUnixNano": str(round(at * 1e6) * 1000),
            "endTimeUnixNano": str(round((at + time) * 1e6) * 1000),
            "attributes": [{"key": k, "value": _value(v)} for k, v in (attributes or {}).items()],
            "status": {"code": status},
        }
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
        self.groups.append({"resource": resource, "scopeSpans": [{"spans": [span]}]})
        return id

    def call(self, parent: int, start: float, time: float, attributes: Any, status: int = 0) -> int:
        """Add a call of shop; its id."""
        return self.span("shop", "C", parent, start, time, attributes, status)

    def answer(self, service: str, call: int, status: int = 200) -> None:
        """Add a request of another service that a call made."""
        failed = {**GET, "http.response.status_code": status}
        at = int(self.groups[call - 1]["scopeSpans"][0]["spans"][0]["startTimeUnixNano"]) / 1e9
        self.span(service, "S", call, at - START + 0.01, 0.02, failed, 2 if status > 499 else 0)


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return {"arrayValue": {"values": list(map(_value, value))}}
    return {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}


Make = Callable[[Spans], None]
CASES: dict[str, tuple[Make, str, str]] = {}


def case(nodes: str, edges: str) -> Callable[[Make], Make]:
    """A case: what its spans have to draw besides shop, which got one request from its client."""

    def decorate(make: Make) -> Make:
        CASES[make.__name__] = make, nodes, edges
        return make

    return decorate


@case("checkout[remote] ok1 ; pay[] ok1 ; stock[] ok1", "checkout ok1 ; pay ok1 ; stock ok1")
def made_by_hand_around_two_services(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.7, {"peer.service": "checkout"})
    for number, name in enumerate(("pay", "stock")):
        s.answer(name, s.call(outer, 0.15 + number * 0.2, 0.1, http(name + "host")))


@case("pay[] ok1", "pay ok1")
def made_by_hand_around_one_request(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.7, {"peer.service": "pay"})
    s.answer("pay", s.call(outer, 0.15, 0.1, http("payhost")))


@case("pay[] ok1 ; stockhost[remote] ok1", "pay ok1 ; stockhost ok1")
def made_by_hand_around_a_request_of_that_service_and_another(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.7, {"peer.service": "pay"})
    s.answer("pay", s.call(outer, 0.15, 0.1, http("payhost")))
    s.call(outer, 0.3, 0.1, http("stockhost"))


@case("pay[] ok1 flt2", "pay ok1 flt2")
def three_resends_that_are_answered_are_three(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.7, {"peer.service": "pay"})
    for number, status in enumerate((503, 503, 200)):
        failed = 2 if status > 200 else 0
        call = s.call(outer, 0.15 + number * 0.2, 0.1, http("payhost", status), failed)
        s.answer("pay", call, status)


@case("stripe[remote] ok1", "stripe ok1")
def three_resends_to_an_untraced_service_are_one(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.7, {"peer.service": "stripe"})
    for number, status in enumerate((503, 503, 200)):
        s.call(outer, 0.15 + number * 0.2, 0.1, http("api.stripe.com", status))


@case("tab[AWS::DynamoDB::Table] ok1", "tab ok1")
def an_sdk_over_two_attempts(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.5, TABLE)
    for number, status in enumerate((500, 200)):
        s.call(outer, 0.15 + number * 0.2, 0.1, http(AWS_HOST, status), 2 if status > 200 else 0)


@case(
    "169.254.169.254[remote] ok1 ; sts.amazonaws.com[remote] ok1 ; tab[AWS::DynamoDB::Table] ok1",
    "169.254.169.254 ok1 ; sts.amazonaws.com ok1 ; tab ok1",
)
def credentials_fetched_within_a_call_stand(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.5, TABLE)
    for number, host in enumerate(("169.254.169.254", "sts.amazonaws.com", AWS_HOST)):
        s.call(outer, 0.15 + number * 0.1, 0.05, http(host))


@case("h[remote] ok2", "h ok2")
def a_leaked_context(s: Spans) -> None:
    s.call(s.call(s.request, 0.1, 0.1, http("h")), 0.3, 0.1, http("h"))


@case("o@pg[Database::SQL] ok5", "o@pg ok5")
def a_repository_around_five_queries(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.7, SQL)
    for number in range(5):
        s.call(outer, 0.11 + number * 0.1, 0.05, SQL)


@case("db[Database::Redis] ok1", "db ok1 ; shop ok1")
def a_service_that_calls_itself(s: Spans) -> None:
    call = s.call(s.request, 0.1, 0.7, http("shop"))
    server = s.span("shop", "S", call, 0.11, 0.6, GET)
    s.call(server, 0.2, 0.1, {"db.system.name": "redis", "server.address": "db"})


@case("auth[remote] ok1 ; o@pg[Database::SQL] ok1", "auth ok1 ; o@pg ok1")
def a_token_fetched_within_a_query_stands(s: Spans) -> None:
    s.call(s.call(s.request, 0.1, 0.5, SQL), 0.15, 0.1, http("auth"))


@case("auth[remote] ok1 ; h[remote] ok1", "auth ok1 ; h ok1")
def a_token_fetched_within_a_request_stands(s: Spans) -> None:
    s.call(s.call(s.request, 0.1, 0.5, http("h")), 0.15, 0.1, http("auth"))


@case("mod[GenAI::Model] thr1", "mod thr1")
def a_failure_that_only_the_request_explains(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.5, CHAT, 2)
    s.call(outer, 0.15, 0.1, http("api.example.com", 500), 2)
    s.call(outer, 0.35, 0.1, http("api.example.com", 429), 2)


@case("mod[GenAI::Model] flt1", "mod flt1")
def a_failure_after_a_request_that_was_answered(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.5, CHAT, 2)
    s.call(outer, 0.15, 0.1, http("api.example.com", 429), 2)
    s.call(outer, 0.35, 0.1, http("api.example.com"))


@case("b[] ok1", "b thr1")
def grpc_over_http(s: Spans) -> None:
    grpc = {"rpc.system": "grpc", "rpc.service": "c.S", "rpc.grpc.status_code": 8}
    outer = s.call(s.request, 0.1, 0.5, {**grpc, "server.address": "bh"}, 2)
    s.answer("b", s.call(outer, 0.15, 0.1, http("bh")))


@case("mod[GenAI::Model] ok1", "mod ok1")
def three_layers_with_local_work_between(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.6, {**CHAT, "server.address": "api.example.com"})
    local = s.span("shop", "I", outer, 0.11, 0.5)
    request = s.call(local, 0.12, 0.4, http("api.example.com"))
    s.call(request, 0.13, 0.3, http("api.example.com"))


@case("b[] ok1 ; db[remote] ok1", "b ok1 ; b->db ok1")
def within_another_service(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.6, http("db"))
    s.span("b", "C", outer, 0.12, 0.4, http("db"))


@case("top[Messaging::Kafka] ok1 ; worker[] ok1", "top ok1 ; top=>worker ok1")
def a_template_over_the_client_of_a_broker(s: Spans) -> None:
    outer = s.span("shop", "P", s.request, 0.1, 0.1, TOPIC)
    sent = s.span("shop", "P", outer, 0.11, 0.05, TOPIC)
    s.span("worker", "Q", sent, 0.5, 0.1, TOPIC)


@case("stripe[remote] ok1", "stripe ok1")
def made_by_hand_around_a_request_to_an_untraced_service(s: Spans) -> None:
    s.call(s.call(s.request, 0.1, 0.5, {"peer.service": "stripe"}), 0.12, 0.4, http("stripe.com"))


@case("o@pg[Database::SQL] ok1 ; repo[remote] ok1", "o@pg ok1 ; repo ok1")
def made_by_hand_around_a_query(s: Spans) -> None:
    s.call(s.call(s.request, 0.1, 0.5, {"peer.service": "repo"}), 0.12, 0.4, SQL)


@case("o@pg[Database::SQL] ok1", "o@pg ok1")
def an_orm_over_its_driver(s: Spans) -> None:
    s.call(s.call(s.request, 0.1, 0.5, SQL), 0.12, 0.4, SQL)


@case("shop.db[Database::SQL] ok1", "shop.db ok1")
def an_orm_that_says_more_than_its_driver(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.5, {"db.system": "sqlite", "db.name": "shop.db"})
    for number in range(2):
        s.call(outer, 0.12 + number * 0.1, 0.1, {"db.system": "sqlite"})


@case("o@pg[Database::SQL] ok1", "o@pg ok1")
def an_orm_that_says_less_than_its_driver(s: Spans) -> None:
    s.call(s.call(s.request, 0.1, 0.5, {"db.system.name": "postgresql"}), 0.12, 0.4, SQL)


@case("o@pg[Database::SQL] ok2", "o@pg ok2")
def a_pool_between_an_orm_and_its_driver(s: Spans) -> None:
    pool = s.call(s.call(s.request, 0.1, 0.5, SQL), 0.12, 0.4, {"db.system.name": "postgresql"})
    s.call(pool, 0.15, 0.1, SQL)
    s.call(pool, 0.3, 0.1, SQL)


@case("tab[AWS::DynamoDB::Table] ok1", "tab ok1")
def an_sdk_over_http(s: Spans) -> None:
    s.call(s.call(s.request, 0.1, 0.5, TABLE), 0.12, 0.4, http("localhost:4566"))


@case("openai[GenAI::Model] ok1", "openai ok1")
def a_model_over_http(s: Spans) -> None:
    outer = {"gen_ai.operation.name": "chat", "gen_ai.system": "openai"}
    s.call(s.call(s.request, 0.1, 0.5, outer), 0.12, 0.4, http("api.openai.com"))


@case("es1[Database::Elasticsearch] ok1", "es1 ok1")
def a_database_over_http(s: Spans) -> None:
    outer = {"db.system": "elasticsearch", "server.address": "es1"}
    s.call(s.call(s.request, 0.1, 0.5, outer), 0.12, 0.4, http("es1"))


@case("localhost[Database::Elasticsearch] ok1", "localhost ok1")
def a_database_of_this_machine_over_http(s: Spans) -> None:
    outer = {"db.system": "elasticsearch", "server.address": "localhost"}
    s.call(
        s.call(s.request, 0.1, 0.5, outer), 0.12, 0.4, http("127.0.0.1", **{"server.port": 9200})
    )


@case("api.tools.com[remote] ok1 ; guide[GenAI::Agent] ok1", "api.tools.com ok1 ; guide ok1")
def the_tools_of_an_agent_stand(s: Spans) -> None:
    outer = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "guide"}
    s.call(s.call(s.request, 0.1, 0.5, outer), 0.12, 0.4, http("api.tools.com"))


@case(
    "api.tools.com[remote] ok1 ; guide[GenAI::Agent] ok1 ; mod[GenAI::Model] ok1 ; search[GenAI::Tool] ok1",
    "api.tools.com ok1 ; guide ok1 ; mod ok1 ; search ok1",
)
def an_agent_in_the_process_and_its_tool(s: Spans) -> None:
    """INTERNAL spans, as the conventions say; what these call is the service's."""
    worked = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "guide"}
    agent = s.span("shop", "I", s.request, 0.1, 0.6, worked)
    s.call(agent, 0.12, 0.1, CHAT)
    ran = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    tool = s.span("shop", "I", agent, 0.3, 0.3, ran)
    s.call(tool, 0.32, 0.2, http("api.tools.com"))
    s.span("shop", "I", agent, 0.65, 0.01, {"gen_ai.operation.name": "execute_tool"})


@case(
    "az.search.azure.com[remote] ok1 ; search[GenAI::Tool] ok1",
    "az.search.azure.com ok1 ; search ok1",
)
def a_tool_that_calls_a_cloud(s: Spans) -> None:
    ran = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    tool = s.span("shop", "I", s.request, 0.3, 0.3, ran)
    s.call(tool, 0.32, 0.2, http("az.search.azure.com"))


@case("reviews[] ok1", "reviews ok1")
def sidecars_on_both_sides(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.5, http("reviews"))
    proxied = s.call(outer, 0.11, 0.48, http("reviews", component="proxy"))
    server = s.span("reviews", "S", proxied, 0.12, 0.46, GET)
    s.span("reviews", "S", server, 0.13, 0.4, GET)


@case("h[remote] ok1", "h ok1")
def what_no_node_is_named_by_is_local_work(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.5, http("h"))
    s.call(outer, 0.11, 0.4, {"dns.question.name": "h"})


@case("pay[] ok1", "pay ok1")
def made_by_hand_around_a_request_that_names_nothing(s: Spans) -> None:
    """What answers that says where it leads."""
    outer = s.call(s.request, 0.1, 0.5, {"peer.service": "pay"})
    s.answer("pay", s.call(outer, 0.11, 0.4, {}))


@case("pay[] ok1 flt1", "pay ok1 flt1")
def two_resends_that_name_nothing_are_two(s: Spans) -> None:
    outer = s.call(s.request, 0.1, 0.7, {"peer.service": "pay"})
    for number, status in enumerate((503, 200)):
        call = s.call(outer, 0.15 + number * 0.2, 0.1, {}, 2 if status > 200 else 0)
        s.answer("pay", call, status)


@case("h[remote] ok1 ; pay[] ok1", "h ok1 ; pay ok1")
def a_request_that_names_nothing_within_one_to_a_host_stands(s: Spans) -> None:
    """What answers it may be another service: of a token, say."""
    outer = s.call(s.request, 0.1, 0.5, http("h"))
    s.answer("pay", s.call(outer, 0.11, 0.4, {}))


@case("pay[] ok2 ; stripe[remote] ok1", "pay ok2 ; stripe ok1")
def work_that_names_nothing_and_makes_requests_within_a_call(s: Spans) -> None:
    """Two services answer it: it is no call."""
    outer = s.call(s.request, 0.1, 0.5, {"peer.service": "stripe"})
    inner = s.call(outer, 0.11, 0.4, {})
    s.answer("pay", inner)
    s.answer("pay", inner)


@case("o@pg[Database::SQL] ok1", "o@pg ok1")
def a_pool_that_names_nothing_between_an_orm_and_its_driver(s: Spans) -> None:
    pool = s.call(s.call(s.request, 0.1, 0.5, SQL), 0.12, 0.4, {})
    s.call(pool, 0.15, 0.1, SQL)


@case("mod[GenAI::Model] ok1", "mod ok1")
def clocks_that_are_read_one_after_the_other(s: Spans) -> None:
    s.call(s.call(s.request, 0.1, 0.1, CHAT), 0.0991, 0.1018, http("api.example.com"))


def draws(graph: ServiceGraph) -> tuple[str, str]:
    """Nodes and edges, but shop's and its client's; edges of shop by their callee."""
    shop, client = NodeKey("", "shop", ""), NodeKey("", "shop", "client")
    assert graph.edges[client, shop].statistics.total == 1
    nodes = [
        f"{key.name}[{key.type}] {_counts(stats.statistics)}"
        for key, stats in graph.services.items()
        if key not in (shop, client)
    ]
    edges = [
        f"{'' if a == shop else a.name + sign}{b.name} {_counts(stats.statistics)}"
        for found, sign in ((graph.edges, "->"), (graph.links, "=>"))
        for (a, b), stats in found.items()
        if a != client
    ]
    return " ; ".join(sorted(nodes)), " ; ".join(sorted(edges))


def _counts(each: Statistics) -> str:
    found = {"ok": each.ok, "err": each.error, "thr": each.throttle, "flt": each.fault}
    return " ".join(f"{state}{count}" for state, count in found.items() if count)


def orders(spans: Spans, seed: int) -> Iterator[list[list[Any]]]:
    """At once, the last first, and in other orders."""
    yield [spans.groups]
    yield [[each] for each in reversed(spans.groups)]
    random = Random(seed)
    for _ in range(3):
        yield [[each] for each in random.sample(spans.groups, len(spans.groups))]


def maps(name: str) -> set[tuple[str, str]]:
    """What a case draws, in each order."""
    spans = Spans()
    CASES[name][0](spans)
    return {drawn(batches) for batches in orders(spans, len(name))}


def drawn(batches: list[list[Any]]) -> tuple[str, str]:
    """What spans draw that arrive in some batches."""
    store = MemoryStore()
    for version, groups in enumerate(batches, 1):
        body = json.dumps({"resourceSpans": groups}).encode()
        documents = [d for d in decode_otlp_json(body, version) if isinstance(d, Document)]
        store.put(documents, f"{version}")
    return draws(store.service_graph(ALL))


@pytest.mark.parametrize("name", CASES)
def test_one_call_is_drawn_once(name: str) -> None:
    """In whatever order its spans arrive."""
    assert maps(name) == {CASES[name][1:]}


@pytest.mark.parametrize(
    ("rule", "wrong", "noticed"),
    [
        ("layers.is_within", lambda inner, outer: True, "a_leaked_context"),
        ("layers.TOLERANCE", 0, "clocks_that_are_read_one_after_the_other"),
        ("layers.same_place", lambda outer, inner, named: False, "an_sdk_over_http"),
        ("layers.same_place", lambda outer, inner, named: True, "made_by_hand_around_a_query"),
        ("layers.is_named", lambda document: True, "a_token_fetched_within_a_request_stands"),
        ("layers.is_named", lambda document: False, "made_by_hand_around_one_request"),
        ("layers.prefers_inner", lambda outer, inner: False, "a_repository_around_five_queries"),
        ("layers.prefers_inner", lambda outer, inner: True, "an_sdk_over_two_attempts"),
        ("layers.state_of", lambda own, status, last: own, "a_failure_that_only_the_request_explains"),
        ("layers.state_of", lambda own, status, last: last, "grpc_over_http"),
        ("layers.LEAVING", (), "an_sdk_over_http"),
        ("layers.MAX_STEPS", 1, "three_layers_with_local_work_between"),
        ("places.CREDENTIALS", (), "credentials_fetched_within_a_call_stand"),
        ("places._is_vague", lambda node: False, "an_orm_that_says_more_than_its_driver"),
        ("places._is_reached_at", lambda outer, host: True, "a_token_fetched_within_a_query_stands"),
        ("places._is_host", lambda name: True, "three_resends_to_an_untraced_service_are_one"),
        ("places._machine", lambda host: host, "a_database_of_this_machine_over_http"),
        ("parents.calls_once", lambda trace, answers: OneCall(trace.calls, {}), "sidecars_on_both_sides"),
        ("layers._around", lambda owned, trace: _around(owned, trace) if owned.call.node.name else None,
         "made_by_hand_around_a_request_that_names_nothing"),
        ("layers.OneCall", lambda calls, counted: OneCall(calls, {}), "made_by_hand_around_one_request"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_noticed(
    monkeypatch: pytest.MonkeyPatch, rule: str, wrong: object, noticed: str
) -> None:
    """Every part of the rule is needed by some case."""
    monkeypatch.setattr(f"store.{rule}", wrong)
    assert maps(noticed) != {CASES[noticed][1:]}
