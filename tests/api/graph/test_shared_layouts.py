"""Two API processes draw one picture."""

from __future__ import annotations

import random

import networkx as nx
import pytest

from api.graph.arrangement import FORGET_SECONDS, Arrangement, Arrangements
from api.graph.layout import Place
from api.graph.shared_layouts import READ_SECONDS, SharedLayout, decode, encode
from store.memory import MemoryStore
from store.model import NodeKey


def node(number: int) -> NodeKey:
    return NodeKey("", f"s{number:02}", "")


def services(count: int, seed: int = 3) -> nx.DiGraph:
    """A tree of services."""
    chance, graph = random.Random(seed), nx.DiGraph()
    graph.add_node(node(0))
    for number in range(1, count):
        graph.add_edge(node(chance.randrange(number)), node(number))
    return graph


def process(store: MemoryStore) -> Arrangements:
    """The arrangements of an API process that has just started."""
    return Arrangements({"all": SharedLayout(store, "all")})


def places(arrangements: Arrangements, graph: nx.DiGraph, now: float) -> dict[NodeKey, Place]:
    return arrangements.arrange("all", graph, now).layout.places


def test_an_arrangement_comes_back_as_it_was() -> None:
    graph = services(30)
    graph.add_edge(node(20), node(0))
    arrangements = Arrangements()
    arrangements.arrange("all", graph, 5.0)
    graph.add_edge(node(3), node(31))
    arrangements.arrange("all", graph, 6.0)
    known = arrangements._known["all"]
    assert known.newcomers
    assert known.back
    assert decode(encode(known), Arrangement) == known


def test_without_sharing_two_processes_would_differ() -> None:
    """What they saw first differs, and so does what they place newcomers beside."""
    small, whole = services(15), services(25)
    early, late = Arrangements(), Arrangements()
    places(early, small, 0)
    assert places(early, whole, 10) != places(late, whole, 10)


def test_two_processes_draw_one_picture() -> None:
    """Whichever sees newcomers first, over ten minutes in which services come and go."""
    store, chance = MemoryStore(), random.Random(5)
    one, other = process(store), process(store)
    whole = services(40)
    for step in range(60):
        now = step * 10.0
        shown = whole.copy()
        shown.remove_nodes_from(chance.sample(sorted(whole)[1:], 6))
        first, second = (one, other) if chance.random() < 0.5 else (other, one)
        assert places(first, shown, now) == places(second, shown, now + READ_SECONDS)


def test_a_process_that_starts_draws_what_is_there() -> None:
    store = MemoryStore()
    before = process(store)
    places(before, services(15), 0)
    expected = places(before, services(25), 10)
    assert places(process(store), services(25), 20) == expected


def test_arranging_again_is_for_all() -> None:
    store = MemoryStore()
    one, other = process(store), process(store)
    places(one, services(15), 0)
    grown = places(one, services(25), 10)
    assert places(other, services(25), 11) == grown
    other.reset("all", 12)
    fresh = places(one, services(25), 14)
    assert fresh != grown
    assert places(other, services(25), 16) == fresh


def test_of_two_that_arrange_at_once_the_second_follows() -> None:
    """Neither has read what the other is about to store."""
    store = MemoryStore()
    one, other = process(store), process(store)
    places(one, services(20), 0)
    places(other, services(20), 0)
    left, right = services(20), services(20)
    left.add_edge(node(0), node(50))
    right.add_edge(node(0), node(51))
    at = READ_SECONDS / 2
    places(one, left, at)
    places(other, right, at)
    both = nx.compose(left, right)
    assert places(one, both, 10) == places(other, both, 10)


def test_a_viewer_of_one_process_keeps_the_picture_of_the_other() -> None:
    """Which draws it again after longer than a picture without viewers is remembered."""
    store = MemoryStore()
    one, other = process(store), process(store)
    places(other, services(15), 0)
    grown = places(other, services(25), 10)
    for now in range(20, round(FORGET_SECONDS) + 200, 20):
        assert places(one, services(25), now) == grown
    assert places(other, services(25), FORGET_SECONDS + 200) == grown


def test_little_is_written() -> None:
    """A picture in which nothing moves is stored every few minutes, by whichever process it is viewed."""
    store = MemoryStore()
    one, other = process(store), process(store)
    for now in range(0, 3600, 5):
        places(one, services(25), now)
        places(other, services(25), now + 1)
    stored = store.read_layout("all")
    assert stored is not None
    assert stored.revision <= 2 * 3600 / 240


@pytest.mark.parametrize(
    "value", [b"nonsense", b"x\x9c\x03\x00\x00\x00\x00\x01", encode(Arrangement())[:-3]]
)
def test_a_layout_that_cannot_be_read_is_replaced(value: bytes) -> None:
    store = MemoryStore()
    store.write_layout("all", value, after=0)
    drawn = places(process(store), services(5), 0)
    assert places(process(store), services(5), 0) == drawn
