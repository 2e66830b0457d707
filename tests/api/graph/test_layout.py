"""The layout: every node has a place of its own, and the same one every time."""

from __future__ import annotations

import math
import random
from itertools import combinations
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.graph.coordinates import Extent, assign_y
from api.graph.crossings import crossings, insert_dummies, minimize_crossings
from api.graph.layout import Layout, Place, layout
from api.graph.ranks import assign_ranks, level_ranks, remove_cycles

WIDTH, HEIGHT = 150, 110


def services(size: int, seed: int = 1) -> nx.DiGraph:
    """A tree of services with some shared ones, as maps look."""
    chance = random.Random(seed)
    graph = nx.DiGraph()
    graph.add_nodes_from(f"s{at:04}" for at in range(size))
    for at in range(1, size):
        graph.add_edge(f"s{chance.randrange(at):04}", f"s{at:04}")
        if chance.random() < 0.35:
            graph.add_edge(f"s{chance.randrange(at):04}", f"s{at:04}")
    return graph


def overlaps(places: dict[Any, Place]) -> list[tuple[Place, Place]]:
    return [
        (a, b)
        for a, b in combinations(places.values(), 2)
        if abs(a.x - b.x) < WIDTH and abs(a.y - b.y) < HEIGHT
    ]


def crossed_labels(found: Layout[Any]) -> list[Any]:
    """Bends, and the level way between each two, that lie in a ring or label not of their edge."""
    return [
        (edge, node)
        for edge, bends in found.bends.items()
        for x, y in bends
        for node, place in found.places.items()
        if node not in edge and abs(x - place.x) < 60 and -38 < y - place.y < 84
    ]


def test_chain_goes_from_left_to_right() -> None:
    found = layout(nx.DiGraph([("a", "b"), ("b", "c")]))
    assert [found.places[node] for node in "abc"] == [(100, 42, 0), (300, 42, 1), (500, 42, 2)]
    assert not found.bends
    assert not found.back


def test_caller_stands_right_before_what_it_calls() -> None:
    """A client of a deep service does not draw an edge across the map."""
    found = layout(nx.DiGraph([("a", "b"), ("b", "c"), ("x", "c")]))
    assert found.places["x"].rank == 1


def test_long_edge_bends_around_what_it_passes() -> None:
    found = layout(nx.DiGraph([("a", "b"), ("b", "c"), ("a", "c")]))
    assert found.bends.keys() == {("a", "c")}
    (x1, y1), (x2, y2) = found.bends["a", "c"]
    assert x1 < found.places["b"].x < x2
    assert y1 == y2
    assert not crossed_labels(found)


def test_cycle_has_one_edge_against_the_flow() -> None:
    found = layout(nx.DiGraph([("a", "b"), ("b", "c"), ("c", "a"), ("in", "a")]))
    assert found.back == {("c", "a")}
    xs = [x for x, _ in found.bends["c", "a"]]
    assert xs == sorted(xs, reverse=True)


def test_call_back_is_not_drawn_upon_the_call() -> None:
    found = layout(nx.DiGraph([("a", "b"), ("b", "a")]))
    assert found.back == {("b", "a")}
    ((_, y),) = found.bends["b", "a"]
    assert y != found.places["a"].y


def test_call_to_itself_changes_nothing() -> None:
    edges = [("a", "b"), ("b", "c")]
    assert layout(nx.DiGraph([*edges, ("b", "b")])) == layout(nx.DiGraph(edges))


def test_parts_stand_apart() -> None:
    found = layout(nx.DiGraph([("a", "b"), ("c", "d"), ("e", "f")]))
    assert not overlaps(found.places)


def test_nothing_has_no_places() -> None:
    assert layout(nx.DiGraph()) == Layout({}, {}, set())


@pytest.mark.parametrize("size", [25, 100, 500])
@pytest.mark.parametrize("seed", [1, 2])
def test_boxes_never_overlap(size: int, seed: int) -> None:
    assert not overlaps(layout(services(size, seed)).places)


def test_lanes_keep_clear_of_labels() -> None:
    for seed in range(5):
        assert not crossed_labels(layout(services(25, seed)))


def test_many_calls_of_one_service_are_wrapped() -> None:
    """Two hundred tables are no column 25,000 pixels high."""
    found = layout(nx.DiGraph([("front", f"t{at:03}") for at in range(200)]))
    ys = [place.y for place in found.places.values()]
    xs = [place.x for place in found.places.values()]
    assert max(ys) - min(ys) < 20 * 128
    assert max(xs) - min(xs) > 5 * 200
    assert not overlaps(found.places)


def test_a_tall_rank_gives_nodes_to_those_beside_it() -> None:
    """Eight leaves beside a chain: a map of nine rows would be drawn smaller than one of seven."""
    leaves = [("in", f"leaf{at}") for at in range(8)]
    found = layout(nx.DiGraph([*leaves, ("in", "a"), ("a", "b"), ("b", "c")]))
    ranks = [place.rank for place in found.places.values()]
    assert max(map(ranks.count, ranks)) == 7
    ys = [place.y for place in found.places.values()]
    assert max(ys) - min(ys) < 8 * 128
    assert not overlaps(found.places)
    assert not crossed_labels(found)


def test_a_map_is_no_higher_than_its_tallest_column() -> None:
    """Chains from the end of one another drift downwards, unless there is a floor."""
    columns = [[2 * at, 2 * at + 1] for at in range(6)]
    right = [[v + 1, v + 2] if v % 2 else [] for v in range(1, 11)]
    right = [[], *right, []]
    left: list[list[int]] = [[] for _ in range(12)]
    for v, targets in enumerate(right):
        for w in targets:
            left[w].append(v)
    room = [Extent(50, 50)] * 12
    free, low = (assign_y(columns, left, right, room, height) for height in (1000, 0))
    assert max(free) - min(free) > 250
    assert max(low) - min(low) == 100
    assert all(low[b] - low[a] >= 100 for a, b in columns)


def test_input_order_changes_nothing() -> None:
    graph = services(60)
    chance = random.Random(7)
    nodes, edges = list(graph), list(graph.edges)
    for _ in range(5):
        chance.shuffle(nodes)
        chance.shuffle(edges)
        other = nx.DiGraph()
        other.add_nodes_from(nodes)
        other.add_edges_from(edges)
        assert layout(other) == layout(graph)


def test_sweeps_remove_needless_crossings() -> None:
    edges = [(0, 5), (1, 4), (2, 3)]
    given_layers = insert_dummies(assign_ranks(6, edges), edges)
    assert crossings([[0, 1, 2], [3, 4, 5]], given_layers.right) == 3
    assert crossings(minimize_crossings(given_layers), given_layers.right) == 0


GRAPHS = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=40)


@given(GRAPHS)
@settings(deadline=None)
def test_any_graph_has_finite_places_that_do_not_overlap(edges: list[tuple[int, int]]) -> None:
    graph = nx.DiGraph(edges)
    found = layout(graph)
    assert found.places.keys() == set(graph)
    assert all(math.isfinite(place.x + place.y) for place in found.places.values())
    assert not overlaps(found.places)
    assert found.back <= set(graph.edges)
    assert found.bends.keys() <= set(graph.edges)
    for source, target in graph.edges:
        if source != target:
            forward = found.places[source].rank < found.places[target].rank
            assert forward is ((source, target) not in found.back)


@given(GRAPHS, st.integers(1, 4))
def test_level_ranks_keep_calls_forward(edges: list[tuple[int, int]], rows: int) -> None:
    flow = remove_cycles(15, {(v, w) for v, w in edges if v != w})
    rank = assign_ranks(15, flow.edges)
    level = level_ranks(rank, flow.edges, rows)
    assert all(level[v] < level[w] for v, w in flow.edges)
    assert max(map(level.count, level)) <= max(map(rank.count, rank))
    assert max(level) == max(rank)
    assert level_ranks(level, flow.edges, rows) == level


@given(GRAPHS)
def test_flow_has_no_cycles(edges: list[tuple[int, int]]) -> None:
    turned = remove_cycles(15, {(v, w) for v, w in edges if v != w})
    assert nx.is_directed_acyclic_graph(nx.DiGraph(turned.edges))
