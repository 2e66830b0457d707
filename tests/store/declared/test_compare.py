"""Declared against observed: only what can be known is a difference."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from store.declared.compare import Comparison, Status, compare
from store.declared.identity import BUCKET, BUS, FUNCTION, HTTP_API, QUEUE, STREAM, TABLE, TOPIC
from store.declared.model import Call, Declaration, Evidence, Resource, Tracing
from store.graph import EdgeStats, ServiceGraph, ServiceStats, Statistics
from store.model import NodeKey

ACCOUNT, REGION = "123456789012", "eu-west-1"
CLIENT = NodeKey("", "fn", "client")
FN = NodeKey(ACCOUNT, "fn", "AWS::Lambda::Function", REGION)
SERVICE = NodeKey(ACCOUNT, "fn", "AWS::Lambda", REGION)
OTHER_FN = NodeKey(ACCOUNT, "other", "AWS::Lambda::Function", REGION)
ORDERS = NodeKey(ACCOUNT, "orders", "AWS::DynamoDB::Table", REGION)
WEB = NodeKey("", "api.example.com", "remote")

Fn = Resource("Fn", FUNCTION, "fn")
Other = Resource("Other", FUNCTION, "other")
Orders = Resource("Orders", TABLE, "orders")
POLICY = (Evidence.POLICY,)
EVENT = (Evidence.EVENT,)


def graph(
    *edges: tuple[NodeKey, NodeKey],
    links: Iterable[tuple[NodeKey, NodeKey]] = (),
    nodes: Iterable[NodeKey] = (),
) -> ServiceGraph:
    keys = {*nodes, *(end for ends in (*edges, *links) for end in ends)}
    services = {key: ServiceStats(key, frozenset((key.name,)), True, False, 7, 9) for key in keys}

    def stats(ends: tuple[NodeKey, NodeKey]) -> EdgeStats:
        return EdgeStats(*ends, frozenset(), 7, 9, Statistics())

    return ServiceGraph(
        services, {ends: stats(ends) for ends in edges}, {ends: stats(ends) for ends in links}
    )


def stack(
    *resources: Resource, calls: Iterable[Call] = (), name: str = "shop", account: str = ACCOUNT
) -> Declaration:
    return Declaration(name, account, REGION, resources=resources, calls=tuple(calls))


def nodes(found: Comparison) -> dict[str, Status]:
    return {each.id or each.nodes[0].name: each.status for each in found.nodes}


def edges(found: Comparison) -> dict[tuple[str, str], Status]:
    return {(each.ends[0].name, each.ends[1].name): each.status for each in found.edges}


def why(found: Comparison, id: str) -> str:
    return next(each.why for each in found.nodes if each.id == id)


CALL = Call("Fn", "Orders", POLICY)


def test_what_was_seen() -> None:
    found = compare(
        [stack(Fn, Orders, calls=[CALL])],
        graph((CLIENT, SERVICE), (SERVICE, FN), (FN, ORDERS), (FN, WEB)),
    )
    assert nodes(found) == {"Fn": Status.SEEN, "Orders": Status.SEEN}
    assert edges(found) == {("fn", "orders"): Status.SEEN}
    assert found.nodes[0].nodes == (FN, SERVICE)
    assert found.edges[0].ends == (FN, ORDERS)
    assert found.traffic_since == 7


def test_a_deleted_table_was_never_seen() -> None:
    found = compare([stack(Fn, Orders, calls=[CALL])], graph((CLIENT, SERVICE), (SERVICE, FN)))
    assert nodes(found) == {"Fn": Status.SEEN, "Orders": Status.NEVER_SEEN}
    assert edges(found) == {("fn", "orders"): Status.NEVER_SEEN}
    assert found.count(Status.NEVER_SEEN) == 2
    assert not found.nodes[1].is_on_map


def test_names_that_cloudformation_makes() -> None:
    made = FN._replace(name="shop-Fn-1A2B3C4D5E6F")
    found = compare([stack(Resource("Fn", FUNCTION))], graph(nodes=[made]))
    assert found.nodes[0].nodes == (made,)
    again = compare([stack(Resource("Fn", FUNCTION))], graph(nodes=[FN]))
    assert again.nodes[0].status is Status.NEVER_SEEN
    assert again.nodes[0].nodes[0].name == "shop-Fn-*"


def test_accounts_and_regions_are_distinguished() -> None:
    """What a node or a stack does not say may be any."""
    there = ORDERS._replace(account="999999999999")
    assert nodes(compare([stack(Orders)], graph(nodes=[there]))) == {"Orders": Status.NEVER_SEEN}
    unnamed = ORDERS._replace(account="", region="")
    assert nodes(compare([stack(Orders)], graph(nodes=[unnamed]))) == {"Orders": Status.SEEN}
    assert nodes(compare([stack(Orders, account="")], graph(nodes=[there]))) == {
        "Orders": Status.SEEN
    }


def test_a_call_that_no_template_allows_is_undeclared() -> None:
    found = compare([stack(Fn, Orders)], graph((FN, ORDERS), (FN, WEB)))
    assert edges(found) == {("fn", "orders"): Status.UNDECLARED}


def test_a_resource_of_no_stack_that_a_declared_one_calls_is_undeclared() -> None:
    customers = ORDERS._replace(name="customers")
    found = compare([stack(Fn)], graph((FN, customers), (OTHER_FN, ORDERS)))
    assert nodes(found) == {"Fn": Status.SEEN, "customers": Status.UNDECLARED}
    assert edges(found) == {("fn", "customers"): Status.UNDECLARED}


@pytest.mark.parametrize("services", [("*",), ("dynamodb",), ("dynamodb", "sqs")])
def test_a_broad_policy_allows_its_calls(services: tuple[str, ...]) -> None:
    broad = Resource("Fn", FUNCTION, "fn", unrestricted=services)
    found = compare([stack(broad, Orders)], graph((FN, ORDERS)))
    assert found.count(Status.UNDECLARED) == 0
    narrow = Resource("Fn", FUNCTION, "fn", unrestricted=("s3",))
    assert compare([stack(narrow, Orders)], graph((FN, ORDERS))).count(Status.UNDECLARED) == 1


def test_the_rest_of_the_world_is_not_judged() -> None:
    """Callers and callees of other stacks, hosts, and services without a resource."""
    secrets = NodeKey(ACCOUNT, "SecretsManager", "AWS::SecretsManager", REGION)
    found = compare([stack(Fn)], graph((OTHER_FN, SERVICE), (FN, WEB), (FN, secrets)))
    assert nodes(found) == {"Fn": Status.SEEN}
    assert found.edges == []


def test_a_node_with_the_name_of_a_declared_stack_is_undeclared() -> None:
    """It may have been removed from the template, not from the account."""
    old = FN._replace(name="shop-Legacy-1A2B3C4D5E6F")
    similar = [
        FN._replace(name="shop-legacy-prod"),
        FN._replace(name="shop-web-Fn-1A2B3C4D5E6F"),
        FN._replace(name="shop-Legacy-abcdefghijkl"),
        FN._replace(name="shop-Legacy-1A2B3C4D5E6F", account="999999999999"),
    ]
    found = compare([stack(Fn)], graph(nodes=[FN, old, *similar]))
    assert [(n.nodes[0], n.status) for n in found.nodes if n.status is not Status.SEEN] == [
        (old, Status.UNDECLARED)
    ]


def test_resources_of_another_stack_are_one_with_its_own() -> None:
    """A call to a table that another stack has is declared, and observed by that stack's name of it."""
    outside = Resource("x", TABLE, "orders", external=True)
    first = stack(Fn, outside, calls=[Call("Fn", "x", POLICY)])
    second = stack(Orders, name="data")
    found = compare([first, second], graph((FN, ORDERS)))
    assert nodes(found) == {"Fn": Status.SEEN, "Orders": Status.SEEN}
    assert edges(found) == {("fn", "orders"): Status.SEEN}


Placed = Resource("Placed", TOPIC, "placed")
CHAIN = [Call("Fn", "Placed", POLICY), Call("Placed", "Other", EVENT)]


def test_a_topic_that_reports_nothing_is_seen_by_what_it_sets_off() -> None:
    """The subscriber continues the publisher's trace, so the map has an edge between the two."""
    service = SERVICE._replace(name="other")
    found = compare([stack(Fn, Other, Placed, calls=CHAIN)], graph((FN, service)))
    assert set(nodes(found).values()) == {Status.SEEN}
    assert edges(found) == {("fn", "placed"): Status.SEEN, ("placed", "other"): Status.SEEN}
    assert "fn → other" in why(found, "Placed")


def test_a_call_that_is_declared_itself_says_nothing_of_the_way_through() -> None:
    calls = [*CHAIN, Call("Fn", "Other", POLICY)]
    found = compare([stack(Fn, Other, Placed, calls=calls)], graph((FN, OTHER_FN)))
    assert nodes(found)["Placed"] is Status.NEVER_SEEN


def test_links_are_deliveries_of_queues() -> None:
    queue = NodeKey(ACCOUNT, "work", "AWS::SQS::Queue", REGION)
    declared = stack(Resource("Work", QUEUE, "work"), Fn, calls=[Call("Work", "Fn", EVENT)])
    found = compare([declared], graph(links=[(queue, SERVICE)]))
    assert edges(found) == {("work", "fn"): Status.SEEN}


def test_events_whose_ends_were_seen_apart_are_unknown() -> None:
    bucket = NodeKey("", "media", "AWS::S3::Bucket")
    declared = stack(Resource("Media", BUCKET, "media"), Fn, calls=[Call("Media", "Fn", EVENT)])
    assert edges(compare([declared], graph(nodes=[bucket, FN])))["media", "fn"] is Status.UNKNOWN
    assert edges(compare([declared], graph(nodes=[bucket])))["media", "fn"] is Status.NEVER_SEEN


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (Resource("X", HTTP_API, "api"), "sends no traces"),
        (Resource("X", TABLE, "*"), "its name is known only when it is deployed"),
        (Resource("X", TABLE, "*-*"), "its name is known only when it is deployed"),
        (Resource("X", QUEUE, "lost", dead_letter=True), "only failures"),
    ],
)
def test_what_traces_cannot_show_is_unknown(resource: Resource, reason: str) -> None:
    found = compare([stack(Fn, resource, calls=[Call("Fn", "X", POLICY)])], graph(nodes=[FN]))
    assert nodes(found)["X"] is Status.UNKNOWN
    assert reason in why(found, "X")
    assert [each.status for each in found.edges] == [Status.UNKNOWN]


@pytest.mark.parametrize("evidence", [Evidence.ENVIRONMENT, Evidence.DELIVERY])
def test_weak_evidence_is_no_difference(evidence: Evidence) -> None:
    calls = [Call("Fn", "Orders", (evidence,))]
    found = compare([stack(Fn, Orders, calls=calls)], graph(nodes=[FN, ORDERS]))
    assert edges(found) == {("fn", "orders"): Status.UNKNOWN}


def test_calls_that_name_no_resource_leave_it_open() -> None:
    """X-Ray's SDK for Python records no stream, bus or state machine."""
    service = NodeKey("", "Kinesis", "AWS::Kinesis")
    clicks = Resource("Clicks", STREAM, "clicks")
    found = compare([stack(Fn, clicks, calls=[Call("Fn", "Clicks", POLICY)])], graph((FN, service)))
    assert nodes(found)["Clicks"] is Status.UNKNOWN
    assert found.count(Status.UNDECLARED) == found.count(Status.NEVER_SEEN) == 0


def test_an_event_bus_is_seen_by_its_name_and_left_open_without() -> None:
    declared = [stack(Fn, Resource("Bus", BUS, "shop"), calls=[Call("Fn", "Bus", POLICY)])]
    shop = NodeKey("", "shop", "AWS::Events::EventBus")
    found = compare(declared, graph((FN, shop)))
    assert nodes(found)["Bus"] is Status.SEEN
    assert edges(found) == {("fn", "shop"): Status.SEEN}
    found = compare(declared, graph((FN, NodeKey("", "Events", "AWS::Events"))))
    assert nodes(found)["Bus"] is Status.UNKNOWN
    assert found.count(Status.UNDECLARED) == 0


def test_a_bus_outside_the_template_is_left_open_without_a_name() -> None:
    """The default bus, and what its rules send events to."""
    bus = Resource("default", BUS, "default", external=True)
    calls = [Call("Fn", "default", POLICY), Call("default", "Other", EVENT)]
    declared = [stack(Fn, Other, bus, calls=calls)]
    found = compare(declared, graph((FN, NodeKey("", "Events", "AWS::Events")), nodes=[OTHER_FN]))
    assert set(edges(found).values()) == {Status.UNKNOWN}
    found = compare(declared, graph(nodes=[FN, OTHER_FN]))
    assert edges(found)["default", "other"] is Status.NEVER_SEEN


def test_why_something_was_not_seen() -> None:
    untraced = Resource("Fn", FUNCTION, "fn", tracing=Tracing.OFF)
    found = compare([stack(untraced, Orders, Other)], graph(nodes=[WEB]))
    assert "does not turn tracing on" in why(found, "Fn")
    assert "nothing declared may call it" in why(found, "Orders")
    assert why(found, "Other") == "dead, or not traced"


def test_nothing_declared_and_nothing_observed() -> None:
    assert compare([], graph((FN, ORDERS))) == Comparison([], [], 7)
    found = compare([stack(Orders)], graph())
    assert found.traffic_since is None
    assert nodes(found) == {"Orders": Status.NEVER_SEEN}


def test_order_of_stacks_changes_nothing_but_the_order() -> None:
    first, second = stack(Fn, Orders, calls=[CALL]), stack(Other, name="more")
    observed = graph((FN, ORDERS), (OTHER_FN, ORDERS))
    one, two = compare([first, second], observed), compare([second, first], observed)
    assert nodes(one) == nodes(two)
    assert edges(one) == edges(two)
