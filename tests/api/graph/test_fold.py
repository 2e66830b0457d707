"""A folded map: what is drawn with what, and that nothing else changes."""

from __future__ import annotations

from itertools import pairwise

import pytest

from api.graph.build import Graph, build_graph
from api.graph.fold import ABOVE, BESIDE, FUNCTION, SERVICE, fold
from api.graph.layout import Layout, layout
from store.graph import EdgeStats, ServiceGraph, ServiceStats, Statistics
from store.memory import MemoryStore
from store.model import NodeKey, TimeRange
from tests.api.shop import shop
from tests.builders import T0


def key(name: str, type: str = "") -> NodeKey:
    return NodeKey("", name, type)


WEB, API = key("web"), key("api")
LAMBDA, CODE = key("pay", SERVICE), key("pay", FUNCTION)
QUEUE = key("jobs", "AWS::SQS::Queue")
CLIENT = key("web", "client")


def graph(
    *edges: tuple[NodeKey, NodeKey], links: tuple[tuple[NodeKey, NodeKey], ...] = ()
) -> Graph:
    nodes = {node for edge in (*edges, *links) for node in edge}
    return build_graph(
        ServiceGraph(
            {node: ServiceStats(node, frozenset(), True, False, 0, 0) for node in nodes},
            {edge: _stats(edge) for edge in edges},
            {edge: _stats(edge, link=True) for edge in links},
        ),
        None,
    )


def _stats(edge: tuple[NodeKey, NodeKey], *, link: bool = False) -> EdgeStats:
    return EdgeStats(*edge, frozenset(), 0, 0, Statistics(histogram={}), link)


def drawn(found: Graph) -> Layout[NodeKey]:
    folded = fold(found)
    return folded.unfolded(layout(folded.contracted(found)), found)


def test_a_function_is_drawn_with_its_service_and_a_client_beside_its_entry() -> None:
    found = graph((CLIENT, WEB), (WEB, LAMBDA), (LAMBDA, CODE), (CODE, API))
    assert fold(found).into == {CODE: LAMBDA, CLIENT: WEB}
    assert set(fold(found).contracted(found).edges) == {(WEB, LAMBDA), (LAMBDA, API)}
    places = drawn(found).places
    assert places[CODE] == places[LAMBDA]
    assert (places[CLIENT].x, places[CLIENT].y) == (places[WEB].x + BESIDE[0], places[WEB].y)
    assert places[WEB].x < places[LAMBDA].x < places[API].x


@pytest.mark.parametrize(
    "edges",
    [
        pytest.param([(LAMBDA, CODE), (LAMBDA, API)], id="the service calls something else"),
        pytest.param([(LAMBDA, CODE), (WEB, CODE)], id="another node calls the function"),
        pytest.param([(key("other", SERVICE), CODE)], id="a service of another name"),
        pytest.param([(WEB, CODE)], id="no service"),
    ],
)
def test_what_is_no_pair_stays_two_nodes(edges: list[tuple[NodeKey, NodeKey]]) -> None:
    found = graph(*edges)
    assert fold(found).into == {}
    assert drawn(found) == layout(found)


def test_a_client_of_a_function_stands_beside_the_pair() -> None:
    client = key("pay", "client")
    found = graph((WEB, LAMBDA), (LAMBDA, CODE), (client, CODE), links=((QUEUE, CODE),))
    assert fold(found).into == {CODE: LAMBDA, client: LAMBDA}
    places = drawn(found).places
    assert places[client].x == places[LAMBDA].x + ABOVE[0]
    assert places[client].y == places[LAMBDA].y + ABOVE[1]


def test_a_client_of_two_nodes_is_a_node() -> None:
    found = graph((CLIENT, WEB), (CLIENT, API))
    assert fold(found).into == {}


def test_two_edges_between_the_same_nodes_do_not_cover_each_other() -> None:
    found = graph((QUEUE, LAMBDA), (LAMBDA, CODE), links=((QUEUE, CODE),))
    lines = drawn(found).bends
    assert lines.get((QUEUE, LAMBDA)) != lines.get((QUEUE, CODE))


def test_a_call_of_the_function_to_its_own_service_is_a_loop() -> None:
    found = graph((WEB, LAMBDA), (LAMBDA, CODE), (CODE, LAMBDA))
    where = drawn(found)
    assert where.places[CODE] == where.places[LAMBDA]
    assert (CODE, LAMBDA) not in where.bends


def test_every_node_of_a_real_map_has_a_place() -> None:
    store = MemoryStore()
    store.put(shop(), "shop")
    found = build_graph(store.service_graph(TimeRange(T0, T0 + 600_000_000)))
    into = fold(found).into
    assert {node.type for node in into} == {"client", FUNCTION}
    places = drawn(found).places
    assert set(places) == set(found)
    alone = sorted((places[node].x, places[node].y) for node in found if node not in into)
    assert all(one != other for one, other in pairwise(alone))
