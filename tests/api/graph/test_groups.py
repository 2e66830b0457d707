"""Groups of services: who belongs to which, and that what is counted of them adds up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from api.graph.group_names import prefix
from api.graph.groups import (
    MOST_BOXES,
    MOST_LINES,
    OTHERS,
    Arrivals,
    Box,
    Boxes,
    By,
    choose,
    failed,
    group,
    sum_up,
    within,
)
from store.graph import (
    EdgeStats,
    ServiceGraph,
    ServiceStats,
    Statistics,
    Work,
    add_counts,
    add_statistics,
)
from store.model import NodeKey
from store.rules.classify import UNKNOWN

A, B = "111111111111", "222222222222"


def counted(ok: int, fault: int = 0) -> Statistics:
    """Units of 1 ms each, of which some failed."""
    total = ok + fault
    return Statistics(
        ok=ok, fault=fault, total_time=1000 * total, histogram={10: total}, observed=total
    )


def service(name: str, account: str = "", type: str = "") -> NodeKey:
    return NodeKey(account, name, type)


class Town:
    """A graph that is built call by call."""

    def __init__(self) -> None:
        self.graph = ServiceGraph({}, {}, {})

    def node(
        self,
        key: NodeKey,
        ok: int = 0,
        fault: int = 0,
        *,
        active: bool = True,
        names: frozenset[str] = frozenset(),
    ) -> NodeKey:
        work = Work(counted(ok, fault))
        self.graph.services[key] = ServiceStats(key, names, active, False, 0, 0, work)
        return key

    def call(self, source: NodeKey, target: NodeKey, ok: int, fault: int = 0) -> None:
        edge = EdgeStats(source, target, frozenset(), 0, 0, counted(ok, fault))
        self.graph.edges[source, target] = edge

    def event(self, source: NodeKey, target: NodeKey, ok: int) -> None:
        edge = EdgeStats(source, target, frozenset(), 0, 0, counted(ok), link=True)
        self.graph.links[source, target] = edge


def town() -> Town:
    """Clients → web → cart → stock, of one account; cart → pay → bank of another, of which bank fails often."""
    made = Town()
    client = made.node(service("web", type="client"), active=False)
    web, cart, stock = (made.node(service(name, A), 10) for name in ("web", "cart", "stock"))
    pay, bank = made.node(service("pay", B), 10), made.node(service("bank", B), 6, 4)
    made.call(client, web, 10)
    made.call(web, cart, 10)
    made.call(cart, stock, 10)
    made.call(cart, pay, 10)
    made.call(pay, bank, 6, 4)
    return made


def boxes(graph: ServiceGraph, by: By = By.ACCOUNT) -> Boxes:
    return sum_up(graph, group(graph, by, {}), lambda each: each.fault >= 2)


def units(box: Box) -> int:
    return box.arrivals.count.total


def test_what_arrives_at_a_group_counts_once_however_many_members_it_passes() -> None:
    found = boxes(town().graph)
    assert units(found.boxes[A]) == 10  # of clients; its members called one another 20 times
    assert found.boxes[A].work.total == 30
    assert units(found.boxes[B]) == 10


def test_faults_that_callers_never_saw_are_not_the_groups_but_their_member_is_named() -> None:
    box = boxes(town().graph).boxes[B]
    assert failed(box.arrivals.count) == 0
    assert [(each.shown, failed(each.statistics)) for each in box.unhealthy] == [("bank", 4)]


def test_edges_between_groups_are_sums_of_their_members_and_inner_ones_are_none() -> None:
    made = town()
    made.call(service("web", A), service("bank", B), 3, 2)
    found = boxes(made.graph)
    assert found.edges.keys() == {(A, B)}
    between = found.edges[A, B].count
    assert (between.total, between.ok, between.fault) == (15, 13, 2)
    assert found.edges[A, B].calls.histogram == {10: 15}
    assert found.edges[A, B].calls.total_time == 15_000


def test_sums_of_members_equal_the_groups_and_nothing_is_lost_between_them() -> None:
    """All calls are either inside of a group, or arrive at one."""
    made = town()
    found = boxes(made.graph)
    services = made.graph.services
    whole = sum(each.statistics.total for key, each in services.items() if not key.is_client)
    assert sum(box.work.total for box in found.boxes.values()) == whole
    value = found.grouping.value
    inner = sum(
        edge.statistics.total
        for (source, target), edge in made.graph.edges.items()
        if value[source] == value[target] and not source.is_client
    )
    assert sum(map(units, found.boxes.values())) + inner == whole
    assert sum(len(box.members) for box in found.boxes.values()) == 5


def test_events_arrive_too_but_their_ages_are_no_response_times() -> None:
    made = town()
    made.event(service("pay", B), service("stock", A), 7)
    found = boxes(made.graph)
    assert units(found.boxes[A]) == 17
    assert found.boxes[A].arrivals.calls.total_time == 10_000
    assert found.edges[B, A].events.ok == 7
    assert found.edges[B, A].calls.total == 0


def test_a_client_and_what_only_one_group_calls_belong_to_that() -> None:
    made = town()
    host = made.node(service("api.stripe.com", type="remote"), active=False)
    both = made.node(service("log.example", type="remote"), active=False)
    made.call(service("pay", B), host, 5)
    made.call(service("pay", B), both, 5)
    made.call(service("web", A), both, 5)
    value = group(made.graph, By.ACCOUNT, {}).value
    assert value[host] == B
    assert value[both] == ""
    assert value[service("web", type="client")] == A


def test_a_service_that_reports_itself_without_an_account_is_taken_into_none() -> None:
    made = town()
    lone = made.node(service("lone"), 1)
    made.call(service("pay", B), lone, 1)
    assert group(made.graph, By.ACCOUNT, {}).value[lone] == ""


def test_namespaces_and_stacks_are_groups() -> None:
    made = Town()
    shop = made.node(service("shop/cart"), 1, names=frozenset({"cart"}))
    bank = made.node(service("bank/cart"), 1, names=frozenset({"cart"}))
    path = made.node(service("a/b"), 1)
    assert group(made.graph, By.NAMESPACE, {}).value == {shop: "shop", bank: "bank", path: ""}
    assert group(made.graph, By.STACK, {shop: "front"}).value == {shop: "front", bank: "", path: ""}


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("payments-api", 1, "payments"),
        ("acme.payments.api", 2, "acme.payments"),
        ("payments", 2, "payments"),
        ("--", 1, "--"),
        ("/orders/list", 1, "orders"),
    ],
)
def test_a_prefix_is_of_whole_words(name: str, words: int, expected: str) -> None:
    assert prefix(name, words) == expected


def test_a_prefix_that_all_names_have_is_passed_over() -> None:
    made = Town()
    for team in ("cart", "pay", "ship"):
        for part in ("api", "worker"):
            made.node(service(f"acme-{team}-{part}"), 1)
    table = made.node(service("acme-pay-orders", type="AWS::DynamoDB::Table"), active=False)
    value = group(made.graph, By.PREFIX, {}).value
    assert set(value.values()) == {"acme-cart", "acme-pay", "acme-ship"}
    assert value[table] == "acme-pay"


def many(groups: int, members: int = 3) -> ServiceGraph:
    made = Town()
    for team in range(groups):
        for part in range(members + (team == 0)):
            made.node(service(f"team{team}-{part}"), 1)
    return made.graph


def test_of_too_many_groups_the_smallest_are_one_box() -> None:
    grouping = group(many(MOST_BOXES + 5), By.PREFIX, {})
    sizes = {value: len(grouping.members(value)) for value in set(grouping.value.values())}
    assert len(sizes) == MOST_BOXES
    assert sizes["team0"] == 4
    assert sizes[OTHERS] == 3 * 6
    assert grouping.merged == 6
    assert not group(many(MOST_BOXES), By.PREFIX, {}).merged


def test_the_first_that_makes_groups_is_chosen_unless_one_is_wanted() -> None:
    made = town()
    chosen = choose(made.graph, {})
    assert chosen is not None
    assert chosen.by is By.ACCOUNT
    wanted = choose(made.graph, {service("web", A): "front"}, By.STACK)
    assert wanted is not None
    assert wanted.by is By.STACK
    assert choose(made.graph, {}, By.NAMESPACE) is None
    by_name = choose(many(5), {})
    assert by_name is not None
    assert by_name.by is By.PREFIX


def test_an_account_that_has_almost_everything_is_passed_over() -> None:
    made = Town()
    made.graph = many(6)
    made.graph.services = {
        key._replace(account=A): each for key, each in made.graph.services.items()
    }
    made.node(service("team0-other", B), 1)
    chosen = choose(made.graph, {})
    assert chosen is not None
    assert chosen.by is By.PREFIX


def test_names_that_have_nothing_in_common_make_no_groups() -> None:
    made = Town()
    for number in range(200):
        made.node(service(f"service{number}"), 1)
    assert choose(made.graph, {}) is None


def test_inside_of_a_group_are_its_nodes_and_the_calls_among_them() -> None:
    made = town()
    inner = within(made.graph, group(made.graph, By.ACCOUNT, {}).members(B))
    assert {key.name for key in inner.services} == {"pay", "bank"}
    assert [(a.name, b.name) for a, b in inner.edges] == [("pay", "bank")]
    assert len(made.graph.services) == 6


def test_of_too_many_edges_those_with_failures_and_traffic_are_drawn() -> None:
    made = Town()
    made.graph = many(25)
    for source in range(25):
        for target in range(25):
            if source != target:
                ends = service(f"team{source}-0"), service(f"team{target}-1")
                made.call(*ends, 1 + source)
    made.call(service("team0-0"), service("team1-1"), 0, 1)
    found = boxes(made.graph, By.PREFIX)
    drawn = found.drawn_edges()
    assert len(found.edges) == 600
    assert len(drawn) == MOST_LINES
    assert next(iter(drawn)) == ("team0", "team1")
    traffic = [between.calls.observed for between in drawn.values()][1:]
    assert all(one >= other for one, other in pairwise(traffic))


def one_by_one(graph: ServiceGraph, value: Mapping[NodeKey, str]) -> tuple[Any, ...]:
    """What arrives at each group, and leads from one to another, edge by edge as it is defined."""
    drawn = {value[key] for key in graph.services if not key.is_client}
    at: dict[str, list[EdgeStats]] = {each: [] for each in drawn}
    between: dict[tuple[str, str], list[EdgeStats]] = {}
    for edge in (*graph.edges.values(), *graph.links.values()):
        source, target = value[edge.source], value[edge.target]
        if target in drawn and (source != target or edge.source.is_client):
            at[target].append(edge)
        if source != target and {source, target} <= drawn:
            between.setdefault((source, target), []).append(edge)
    return tuple({key: totals(edges) for key, edges in each.items()} for each in (at, between))


def totals(edges: Iterable[EdgeStats]) -> Any:
    """Sums of calls, with times, and of events, without; and of what is not known of both."""
    calls, events = Statistics(histogram={}), Statistics(histogram={})
    unknown = 0
    for edge in edges:
        if edge.link:
            add_counts(events, edge.statistics)
        else:
            add_statistics(calls, edge.statistics)
        unknown += edge.unknown
    return calls, events, unknown


def test_sums_of_a_random_graph_are_those_edge_by_edge() -> None:
    random = Random(5)
    for _ in range(20):
        made = Town()
        nodes = [
            made.node(
                NodeKey(random.choice(("", A, B)), f"{number}", random.choice(("", "client"))),
                random.randrange(9),
            )
            for number in range(30)
        ]
        for _ in range(80):
            source, target = random.choices(nodes, k=2)
            if not target.is_client:
                made.call(source, target, random.randrange(9), random.randrange(3))
            if not source.is_client and not target.is_client:
                made.event(source, target, random.randrange(9))
        for edge in made.graph.edges.values():
            edge.statistics.histogram = {random.randrange(3): 1 + random.randrange(5)}
            edge.failures = {UNKNOWN: random.randrange(3)}
        grouping = group(made.graph, By.ACCOUNT, {})
        found = sum_up(made.graph, grouping, lambda _: False)
        at, between = one_by_one(made.graph, grouping.value)
        assert {key: parts(box.arrivals) for key, box in found.boxes.items()} == at
        assert {ends: parts(each) for ends, each in found.edges.items()} == between


def parts(arrivals: Arrivals) -> Any:
    return arrivals.calls, arrivals.events, arrivals.unknown
