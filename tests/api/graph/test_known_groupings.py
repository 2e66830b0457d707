"""Groupings that are known: equal to those chosen anew, and chosen anew only for other nodes or edges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.graph import known_groupings
from api.graph.groups import By, Grouping, choose
from api.graph.known_groupings import KnownGroupings
from store.graph import EdgeStats, ServiceGraph, ServiceStats, Statistics, Work
from store.model import NodeKey

ONE, TWO = NodeKey("1", "a-1", ""), NodeKey("2", "b-1", "")
TABLE, HOST, CLIENT = NodeKey("", "n/a-2", ""), NodeKey("", "b-2", ""), NodeKey("", "a-1", "client")
NODES = (ONE, TWO, TABLE, HOST, CLIENT)
CALLS = ((ONE, TABLE), (TWO, HOST), (TWO, TABLE), (CLIENT, TABLE), (CLIENT, HOST))
few = st.sampled_from([(), (0,), (1,), (2,), (0, 1)])
"""Indices of what differs from graph to graph: most are alike, so that they are mistaken for one another if anything is
left out of the comparison."""


@st.composite
def graphs(draw: st.DrawFn) -> ServiceGraph:
    """Of the same nodes, with other figures, another order, and few differences."""
    order = draw(st.permutations(NODES))
    inferred = {TABLE, HOST, CLIENT} - {NODES[2 + each] for each in draw(few) if each < 2}
    names = frozenset(("n", "a-2")[: 1 + draw(st.integers(0, 1))])
    services = {
        key: ServiceStats(key, names, key not in inferred, False, 0, 0, Work(counted(draw)))
        for key in order
    }
    without = {CALLS[each] for each in draw(few)}
    links = {ends for ends in CALLS[:2] if ends in without}
    calls = [ends for ends in draw(st.permutations(CALLS)) if ends not in without]
    return ServiceGraph(services, edges_of(calls, draw), edges_of(links, draw))


def counted(draw: st.DrawFn) -> Statistics:
    ok = draw(st.integers(0, 9))
    return Statistics(ok=ok, observed=ok)


def edges_of(
    pairs: Iterable[tuple[NodeKey, NodeKey]], draw: st.DrawFn
) -> dict[tuple[NodeKey, NodeKey], EdgeStats]:
    return {ends: EdgeStats(*ends, frozenset(), 0, 0, counted(draw)) for ends in pairs}


@given(
    st.lists(
        st.tuples(
            graphs(),
            st.sampled_from([{}, {}, {ONE: "s"}, {ONE: "s", TWO: "t"}]),
            st.sampled_from([By.ACCOUNT, By.NAMESPACE, By.STACK, By.PREFIX, None]),
        ),
        min_size=2,
        max_size=12,
    )
)
def test_a_known_grouping_equals_the_one_chosen_anew(
    shown: list[tuple[ServiceGraph, dict[NodeKey, str], By | None]],
) -> None:
    known = KnownGroupings()
    for graph, own, by in shown:
        assert known.choose(graph, own, by) == choose(graph, own, by)


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[By | None]:
    """What was grouped by."""
    found: list[By | None] = []

    def noted(
        graph: ServiceGraph, stacks: Mapping[NodeKey, str], wanted: By | None
    ) -> Grouping | None:
        found.append(wanted)
        return choose(graph, stacks, wanted)

    monkeypatch.setattr(known_groupings, "choose", noted)
    return found


def test_other_figures_of_the_same_nodes_are_not_grouped_again(chosen: list[By | None]) -> None:
    def graph(ok: int, name: str = "b-1") -> ServiceGraph:
        services = {
            key: ServiceStats(key, frozenset(), True, False, 0, 0, Work(Statistics(ok=ok)))
            for key in (NodeKey("", "a-1", ""), NodeKey("1", name, ""))
        }
        return ServiceGraph(services, {}, {})

    known = KnownGroupings()
    for count in range(3):
        known.choose(graph(count), {}, By.ACCOUNT)
    known.choose(graph(9), {}, None)
    assert chosen == [By.ACCOUNT, None]
    known.choose(graph(9, "b-2"), {}, None)
    known.choose(graph(9, "b-2"), {NodeKey("", "a-1", ""): "s"}, None)
    assert chosen[2:] == [None, None]


def test_all_that_a_grouping_depends_on_is_compared(chosen: list[By | None]) -> None:
    def graph(
        names: str = "x", *, active: bool = False, edges: bool = False, links: bool = False
    ) -> ServiceGraph:
        services = {
            key: ServiceStats(key, frozenset((names,)), active, False, 0, 0) for key in (ONE, TWO)
        }
        edge = {(ONE, TWO): EdgeStats(ONE, TWO, frozenset(), 0, 0, Statistics())}
        return ServiceGraph(services, edge if edges else {}, edge if links else {})

    known = KnownGroupings()
    shown = [graph("y"), graph(), graph(active=True), graph(), graph(edges=True), graph()]
    shown.append(graph(links=True))
    for each in shown:
        known.choose(each, {}, None)
    assert len(chosen) == len(shown)
