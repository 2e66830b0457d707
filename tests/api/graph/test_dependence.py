"""What would stop if a node did."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.graph.build import Graph, build_graph
from api.graph.dependence import (
    callees_below,
    callers_above,
    circle_of,
    circles,
    only_through,
    receivers_below,
    senders_above,
)
from store.graph import EdgeStats, ServiceGraph, ServiceStats, Statistics, Work
from store.model import NodeKey

CALLS, LINK = "->", "~>"


def node(name: str) -> NodeKey:
    return NodeKey("", name, "client" if name.startswith("client") else "")


def graph(*edges: str, roots: str = "") -> Graph:
    """Edges such as ``"a -> b"``, or ``"a ~> b"`` for a link; ``roots``: names of nodes with roots."""
    services: dict[NodeKey, ServiceStats] = {}
    calls: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}
    links: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}
    for edge in edges:
        source, kind, target = edge.split()
        for name in (source, target):
            services[node(name)] = ServiceStats(
                node(name), frozenset({name}), True, name in roots.split(), 0, 1, requests=Work()
            )
        ends = node(source), node(target)
        stats = EdgeStats(*ends, frozenset(), 0, 1, Statistics(), link=kind == LINK)
        (links if stats.link else calls)[ends] = stats
    return build_graph(ServiceGraph(services, calls, links))


def names(nodes: object) -> list[str]:
    return [each.name for each in nodes]  # type: ignore[attr-defined]


SHOP = graph("client -> web", "web -> shop", "shop -> stock", "web -> stock", "stock -> table")
QUEUED = graph("client -> web", "web -> queue", "queue ~> worker", "worker -> table")


def test_who_calls_directly_or_not() -> None:
    assert callers_above(SHOP, node("stock")) == {
        node("web"): 1,
        node("shop"): 1,
        node("client"): 2,
    }
    assert callers_above(SHOP, node("client")) == {}


def test_what_is_called_directly_or_not() -> None:
    assert callees_below(SHOP, node("web")) == {
        node("shop"): 1,
        node("stock"): 1,
        node("table"): 2,
    }
    assert callees_below(SHOP, node("table")) == {}
    assert callees_below(QUEUED, node("web")) == {node("queue"): 1}
    assert receivers_below(QUEUED, node("web")) == {
        node("queue"): 1,
        node("worker"): 2,
        node("table"): 3,
    }


def test_links_lead_where_calls_do_not() -> None:
    assert callers_above(QUEUED, node("worker")) == {}
    assert names(senders_above(QUEUED, node("worker"))) == ["queue", "web", "client"]


def test_what_only_a_node_leads_to() -> None:
    found = only_through(SHOP)
    assert found[node("web")] == {node("shop"), node("stock"), node("table")}
    assert found[node("stock")] == {node("table")}
    assert node("shop") not in found, "web calls the stock, too"
    assert only_through(QUEUED)[node("queue")] == {node("worker"), node("table")}


def test_a_second_client_is_a_second_way() -> None:
    found = only_through(graph("client -> web", "web -> stock", "client2 -> stock"))
    assert found == {node("client"): {node("web")}}


@pytest.mark.parametrize(
    ("roots", "found"), [("", {"job", "table"}), ("job", set()), ("table", {"job"})]
)
def test_work_that_begins_by_itself_needs_no_caller(roots: str, found: set[str]) -> None:
    lost = only_through(graph("web -> job", "job -> table", roots=roots))
    expected = {node(name) for name in found}
    assert lost.get(node("web"), frozenset()) == expected


def test_a_client_is_the_only_way_to_the_roots_it_stands_for() -> None:
    assert only_through(graph("client -> web", roots="web")) == {node("client"): {node("web")}}


def test_circles() -> None:
    found = graph("client -> a", "a -> b", "b -> a", "b -> c", "c -> c", "x -> y", "y -> x")
    assert [names(circle) for circle in circles(found)] == [["a", "b"], ["x", "y"]]
    assert names(circle_of(found, node("b"))) == ["a", "b"]
    assert circle_of(found, node("c")) == []


def test_any_of_a_circle_that_nothing_leads_to_may_be_the_first() -> None:
    assert only_through(graph("x -> y", "y -> x", "y -> z")) == {node("y"): {node("z")}}


NAMES = st.sampled_from("abcdef")
EDGES = st.lists(
    st.builds(" ".join, st.tuples(st.one_of(NAMES, st.just("client")), st.just(CALLS), NAMES)),
    min_size=1,
    max_size=14,
)


@given(EDGES, st.sets(NAMES))
def test_without_a_node_nothing_reaches_what_only_it_leads_to(
    edges: list[str], roots: set[str]
) -> None:
    """Against reaching everything from the entries, with the node and without."""
    made = graph(*edges, roots=" ".join(roots))
    found = only_through(made)
    entries = {
        n
        for n in made
        if not set(made.predecessors(n)) - {n}
        or (n.name in roots and node("client") not in made.predecessors(n))
    }
    for part in nx.strongly_connected_components(made):
        outside = {p for n in part for p in made.predecessors(n)} - part
        if not outside and not part & entries:
            entries |= part
    for gone in made:
        left = nx.restricted_view(made, [gone], [])
        reached = {n for entry in entries - {gone} for n in {entry} | nx.descendants(left, entry)}
        assert found.get(gone, frozenset()) == set(made) - reached - {gone}
