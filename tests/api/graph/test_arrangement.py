"""Maps that change keep their picture, for every viewer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations

import networkx as nx
import pytest

from api.graph.arrangement import FORGET_SECONDS, Arranged, Arrangements
from api.graph.layout import Place, layout
from tests.api.graph.test_layout import overlaps, services


def changed(graph: nx.DiGraph, chance: random.Random) -> nx.DiGraph:
    """The graph as it is at another moment: a few services without traffic, a few new ones."""
    nodes = sorted(graph)
    copy = graph.copy()
    copy.remove_nodes_from(chance.sample(nodes[1:], max(1, len(nodes) // 20)))
    for number in range(2):
        copy.add_edge(chance.choice(sorted(copy)), f"new{chance.randrange(6)}-{number}")
    return copy


def ten_minutes(graph: nx.DiGraph) -> Iterator[tuple[float, nx.DiGraph]]:
    """Refreshes every ten seconds."""
    chance = random.Random(7)
    for at in range(60):
        yield at * 10.0, changed(graph, chance)


@pytest.mark.parametrize("size", [25, 120])
def test_places_are_equal_over_ten_minutes(size: int) -> None:
    """Of all pairs of answers, and of what two viewers see who come at any time: 99 % and more."""
    arrangements = Arrangements()
    seen: list[dict[str, Place]] = []
    for now, graph in ten_minutes(services(size)):
        seen.append(arrangements.arrange("all", graph, now).layout.places)
    equal = total = 0
    for one, other in combinations(seen, 2):
        for node in one.keys() & other.keys():
            total += 1
            equal += one[node] == other[node]
    assert total > 10_000
    assert equal / total >= 0.99


@pytest.mark.slow
def test_a_layout_of_each_moment_would_not_be_so() -> None:
    """The sequence above does move nodes when every map is laid out by itself."""
    seen = [layout(graph).places for _, graph in ten_minutes(services(120))]
    moved = [
        one[node] != other[node]
        for one, other in combinations(seen, 2)
        for node in one.keys() & other.keys()
    ]
    assert sum(moved) / len(moved) > 0.2


def test_newcomers_overlap_nothing() -> None:
    """Nor each other, however many come."""
    arrangements = Arrangements()
    graph = services(60)
    arrangements.arrange("all", graph, 0)
    for number in range(40):
        graph.add_edge(f"s{number % 7:04}", f"t{number:02}")
        found = arrangements.arrange("all", graph, number)
        assert overlaps(found.layout.places) == []
    assert found.newcomers == 40


def test_newcomers_stand_beside_their_neighbours() -> None:
    """A callee right of its caller; a stranger below everything."""
    arrangements = Arrangements()
    graph = nx.DiGraph([("a", "b"), ("b", "c")])
    before = arrangements.arrange("all", graph, 0).layout.places
    graph.add_edge("b", "d")
    graph.add_node("alone")
    places = arrangements.arrange("all", graph, 1).layout.places
    assert {node: places[node] for node in "abc"} == before
    assert places["d"].x > places["b"].x
    assert abs(places["d"].y - places["b"].y) <= 128
    assert places["alone"].y > max(places[node].y for node in "abcd")


def test_a_map_that_grows_out_of_its_layout_is_laid_out_anew() -> None:
    """Also on request, and when no viewer was there for long."""
    arrangements = Arrangements()
    small, large = services(10), services(40)
    arrangements.arrange("all", small, 0)
    assert arrangements.arrange("all", large, 1) == Arranged(layout(large), 0)

    grown = large.copy()
    grown.add_edge("s0001", "new")
    assert arrangements.arrange("all", grown, 2).newcomers == 1
    arrangements.reset("all", 0.0)
    assert arrangements.arrange("all", grown, 3) == Arranged(layout(grown), 0)

    grown.add_edge("s0002", "newer")
    late = 4 + FORGET_SECONDS
    assert arrangements.arrange("all", grown, late).newcomers == 0


def test_who_comes_back_finds_its_place() -> None:
    arrangements = Arrangements()
    graph = services(30)
    place = arrangements.arrange("all", graph, 0).layout.places["s0007"]
    less = graph.copy()
    less.remove_node("s0007")
    less.add_edge("s0001", "new")
    arrangements.arrange("all", less, 60)
    assert arrangements.arrange("all", graph, 120).layout.places["s0007"] == place


def test_maps_do_not_share_places_and_are_bounded() -> None:
    arrangements = Arrangements()
    one, other = nx.DiGraph([("a", "b")]), nx.DiGraph([("b", "a")])
    assert arrangements.arrange("one", one, 0).layout == layout(one)
    assert arrangements.arrange("other", other, 0).layout == layout(other)
    for number in range(70):
        arrangements.arrange(str(number), one, 0)
    assert arrangements.arrange("one", other, 1).layout.places == layout(other).places


def test_a_part_of_a_map_leaves_no_trace_in_it() -> None:
    """A filtered map has the places of the whole, and its own newcomers beside them."""
    arrangements = Arrangements()
    graph = services(30)
    whole = arrangements.arrange("all", graph, 0)
    part = nx.DiGraph(graph.subgraph(sorted(graph)[:8]))
    part.add_edge("a client", "s0003")
    found = arrangements.arrange("all", part, 1, partial=True)
    assert found.newcomers == 0
    assert {node: found.layout.places[node] for node in sorted(graph)[:8]}.items() <= (
        whole.layout.places.items()
    )
    assert overlaps(found.layout.places) == []
    assert arrangements.arrange("all", graph, 2) == whole
    strangers = nx.DiGraph([("x", "y")])
    assert arrangements.arrange("all", strangers, 3, partial=True).layout == layout(strangers)
