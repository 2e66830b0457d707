"""The units of one trace; the contract (contract/) tests the same rules through every store."""

from __future__ import annotations

from store.model import Link, NodeKey, State, client_of
from store.units import EdgeUnit, NodeUnit, all_units, calls_of, links_of, trace_units
from tests.builders import FRONTEND, T0, call, http, segment, trace_id, trace_of


def test_a_lone_segment_is_a_root_with_a_client() -> None:
    node, edge = trace_units(trace_of(segment(0xA1, state=State.FAULT, http=http(503), weight=4)))
    assert isinstance(node, NodeUnit)
    assert (node.node, node.root, node.active, node.label) == (FRONTEND, True, True, "HTTP 503")
    assert isinstance(edge, EdgeUnit)
    assert (edge.source, edge.target) == (client_of(FRONTEND), FRONTEND)
    assert (node.weight, edge.weight, edge.state) == (4, 4, State.FAULT)


def test_an_unanswered_call_is_a_unit_of_its_node_and_of_the_edge() -> None:
    document = segment(0xA1, calls=(call(0xC1, host="host", state=State.ERROR),))
    units = [u for u in trace_units(trace_of(document)) if u.start == T0 + 1_000]
    assert [type(unit) for unit in units] == [NodeUnit, EdgeUnit]
    assert isinstance(units[1], EdgeUnit)
    assert (units[1].source, units[1].alias, units[1].state) == (FRONTEND, "host", State.ERROR)


def test_links_need_both_traces() -> None:
    sent, received = trace_id(1), trace_id(2)
    sender = trace_of(segment(0xA1, trace_id=sent, calls=(call(0xC1),)))
    worker = segment(0xB1, trace_id=received, name="worker", links=(Link(sent, 0xC1),))

    trace = trace_of(worker)
    alone = [u for u in all_units(trace, lambda _: None) if isinstance(u, EdgeUnit) and u.link]
    assert alone == []
    (link,) = [
        u for u in all_units(trace, {sent: sender}.get) if isinstance(u, EdgeUnit) and u.link
    ]
    assert (link.source, link.target) == (call().node, NodeKey("", "worker", ""))


def test_calls_and_links_remember_their_document() -> None:
    document = segment(0xA1, calls=(call(0xC1),), links=(Link(trace_id(2), 0xC1),))
    (owned,) = calls_of(document)
    (linked,) = links_of(document)
    assert (owned.document_id, owned.node, owned.independent) == (0xA1, FRONTEND, False)
    assert (linked.document_id, linked.key) == (0xA1, (0xA1, trace_id(2), 0xC1, True))
