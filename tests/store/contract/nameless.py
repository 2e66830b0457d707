"""Calls that do not say where they lead: their answers do, and without one they are not drawn."""

from __future__ import annotations

from typing import Any

import pytest

from store.filters.conditions import calls_along
from store.filters.parse import parse
from store.graph import EdgeStats
from store.model import NO_NODE, Document, Independent, Kind, Link, NodeKey, State
from store.protocol import Store
from store.query import TraceQuery, UnitQuery
from tests.builders import T0, call, segment, trace_id
from tests.store.contract.nodes import HOUR

SHOP = NodeKey("", "shop", "")
PAY = NodeKey("", "pay", "")
QUEUE = NodeKey("", "orders", "Messaging::Kafka")


def shop(**change: Any) -> Document:
    """The request in which something was called."""
    return segment(0xA1, node=SHOP, service="shop", **{"kind": Kind.SERVER, **change})


def unnamed(id: int = 0x51, root: bool = False, **change: Any) -> Document:
    """A CLIENT span that failed after 30 ms; a ``root`` is a segment around it."""
    figures = {"start": T0 + 10_000, "end": T0 + 40_000, "state": State.FAULT}
    made = call(id, node=NO_NODE, service="", host="", status=503, **figures)
    given: dict[str, Any] = {"node": SHOP, "service": "shop", "kind": Kind.CLIENT, "calls": (made,)}
    if not root:
        given |= {"parent_id": 0xA1, "independent": Independent.OF_SENDER}
    return segment(0x5555 if root else id, **{**given, **figures, **change})


def answer(id: int = 0xC1, **change: Any) -> Document:
    """A SERVER span of 20 ms below it."""
    figures = {"start": T0 + 15_000, "end": T0 + 35_000}
    given = {"parent_id": 0x51, "node": PAY, "service": "pay", "kind": Kind.SERVER}
    return segment(id, **{**given, **figures, **change})


def edge_of(store: Store) -> EdgeStats:
    """The edge from the shop."""
    return store.service_graph(HOUR).edges[SHOP, PAY]


def count(store: Store, **given: Any) -> int:
    """The units in the list of that edge."""
    query = UnitQuery(HOUR, edges=frozenset([(SHOP, PAY)]), **given)
    return sum(each.units for each in store.find_units(query, limit=9).found)


class NamelessContract:
    """Every store passes every test."""

    @pytest.mark.parametrize("root", [False, True])
    @pytest.mark.parametrize("reverse", [False, True])
    def test_an_answer_says_where_a_call_leads(
        self, store: Store, root: bool, reverse: bool
    ) -> None:
        """The edge has the call's own figures, as any; nothing has a node without a name."""
        documents = [unnamed(root=root), answer(), *([] if root else [shop()])]
        for number, document in enumerate(documents[::-1] if reverse else documents):
            store.put([document], str(number))
        found = edge_of(store).statistics
        assert (found.fault, found.total, found.total_time) == (1, 1, 30_000)
        assert count(store) == count(store, states=frozenset([State.FAULT])) == 1
        assert count(store, states=frozenset([State.OK])) == 0
        assert {node.name for node in store.service_graph(HOUR).services} == {"shop", "pay"}
        for text, expected in (
            ('edge("shop", "pay") { fault }', 1),
            ('edge("shop", "pay") { ok }', 0),
            ('edge("shop", "pay") { responsetime > 0.025 }', 1),
        ):
            query = TraceQuery(HOUR, filter=parse(text))
            assert len(store.find_traces(query, limit=9).found) == expected, text

    def test_without_an_answer_nothing_is_drawn(self, store: Store) -> None:
        """Nor is there an inferred segment, or a fault beside that of the caller's own work."""
        store.put([unnamed(), shop()], "a")
        store.put([unnamed(root=True, trace_id=trace_id(2))], "b")
        graph = store.service_graph(HOUR)
        assert graph.services.keys() - {NodeKey("", "shop", "client")} == {SHOP}
        assert {source.type for source, _ in graph.edges} == {"client"}
        for text, expected in (("inferred", 0), ('service("") { fault }', 1)):
            query = TraceQuery(HOUR, filter=parse(text))
            assert len(store.find_traces(query, limit=9).found) == expected, text

    def test_several_answers_are_several_calls(self, store: Store) -> None:
        """What names nothing may be made by hand around them: each has its own figures."""
        store.put([unnamed(), shop(), answer(), answer(0xC2, state=State.ERROR)], "a")
        store.put([unnamed(root=True, trace_id=trace_id(2))], "b")
        store.put([answer(trace_id=trace_id(2)), answer(0xC2, trace_id=trace_id(2))], "c")
        found = edge_of(store).statistics
        assert (found.ok, found.error, found.total_time) == (3, 1, 80_000)
        assert count(store) == 4
        assert count(store, states=frozenset([State.ERROR])) == 1
        along = TraceQuery(HOUR, filter=calls_along(SHOP, PAY))
        assert len(store.find_traces(along, limit=9).found) == 2
        failed = TraceQuery(HOUR, filter=parse('edge("shop", "pay") { fault }'))
        assert store.find_traces(failed, limit=9).found == []

    @pytest.mark.parametrize("root", [False, True])
    def test_a_consumer_does_not_answer(self, store: Store, root: bool) -> None:
        """Its message comes from the caller, through the queue that it names, and says when it was sent if a link does."""
        got: dict[str, Any] = {"kind": Kind.CONSUMER, "before": QUEUE}
        store.put([unnamed(root=root), *([] if root else [shop()]), answer(**got)], "a")
        graph = store.service_graph(HOUR)
        assert graph.links.keys() == {(SHOP, QUEUE), (QUEUE, PAY)}
        assert (SHOP, PAY) not in graph.edges
        link = (Link(trace_id(9), 0x77),)
        store.put([answer(**got, links=link)], "b")
        assert store.service_graph(HOUR).links.keys() == {(QUEUE, PAY)}

    @pytest.mark.parametrize("root", [False, True])
    def test_a_link_to_it_is_to_its_work(self, store: Store, root: bool) -> None:
        """Of its caller, until something answers."""
        store.put([unnamed(root=root), *([] if root else [shop()])], "a")
        links = (Link(unnamed().trace_id, 0x51),)
        got = answer(0xD1, parent_id=0, trace_id=trace_id(2), kind=Kind.CONSUMER, links=links)
        store.put([got], "b")
        assert store.service_graph(HOUR).links.keys() == {(SHOP, PAY)}
        store.put([answer(node=NodeKey("", "api", ""))], "c")
        assert store.service_graph(HOUR).links.keys() == {(NodeKey("", "api", ""), PAY)}

    def test_it_is_no_layer(self, store: Store) -> None:
        """What is within it, and what it is within, are one without it."""
        figures: dict[str, Any] = {"start": T0 + 1_000, "end": T0 + 50_000}
        host = NodeKey("", "api.example.com", "remote")
        outer = unnamed(
            0x41, calls=(call(0x41, node=PAY._replace(type="remote"), **figures),), **figures
        )
        inner = unnamed(
            0x61, parent_id=0x51, calls=(call(0x61, node=host, start=T0 + 12_000, end=T0 + 30_000),)
        )
        store.put([outer, unnamed(parent_id=0x41), inner, shop()], "a")
        graph = store.service_graph(HOUR)
        assert [target.name for source, target in graph.edges if source == SHOP] == ["pay"]
