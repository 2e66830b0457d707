"""Parent resolution inside one trace."""

from __future__ import annotations

from typing import Any

from store.model import Document, Fetched, Independent, Kind, NodeKey
from store.parents import (
    MAX_PARENT_STEPS,
    LinkEnd,
    ParentIndex,
    calling_node,
    is_root,
    resolve_link_end,
)
from store.verdict import EdgeUse
from store.version_edges import calls_by_version
from tests.builders import FRONTEND, T0, call, segment, subsegment, trace_of


def test_members_and_calls_are_contained_in_their_document() -> None:
    trace = trace_of(segment(0xA1, members=(0x11,), calls=(call(0xC1),)))
    parents = ParentIndex(trace)
    document = trace.documents[0xA1]
    assert all(parents.containing_document(id) is document for id in (0xA1, 0x11, 0xC1))
    assert parents.containing_document(0x99) is None


def test_a_segment_has_precedence_over_a_subsegment_that_claims_the_same_id() -> None:
    trace = trace_of(subsegment(0x01, 0xA1, members=(0x77,)), segment(0xA1, members=(0x77,)))
    document = ParentIndex(trace).containing_document(0x77)
    assert document is not None
    assert document.id == 0xA1


def test_owning_segment_is_found_up_to_a_depth() -> None:
    chain = [subsegment(n + 1, n) for n in range(0xA1, 0xA1 + MAX_PARENT_STEPS)]
    trace = trace_of(segment(0xA1), *chain)
    parents = ParentIndex(trace)
    near, far = (
        trace.documents[0xA1 + MAX_PARENT_STEPS - 1],
        trace.documents[0xA1 + MAX_PARENT_STEPS],
    )
    assert parents.owning_segment(near) is trace.documents[0xA1]
    assert parents.owning_segment(far) is None


def test_work_that_names_a_shared_id_is_the_servers() -> None:
    """A server that shares its client's id is stored below the client's span, whose id its work names."""
    back = NodeKey("", "back", "")
    server = segment(0xB1, parent_id=0xC1, node=back, service_version="7")
    trace = trace_of(
        segment(0xA1),
        work(0xC1, 0xA1, FRONTEND, calls=(call(0xC1),)),
        work(0xC2, 0xC1, FRONTEND),
        segment(0xB9, parent_id=0xC1, node=back),
        server,
        work(0xD1, 0xC1, back, calls=(call(0xD1),)),
        work(0xD2, 0xD1, back),
    )
    parents = ParentIndex(trace)
    found = {id: parents.owning_segment(trace.documents[id]) for id in (0xC1, 0xC2, 0xD1, 0xD2)}
    assert {id: each and each.id for id, each in found.items()} == {
        0xC1: 0xA1, 0xC2: 0xA1, 0xD1: 0xB1, 0xD2: 0xB1
    }  # fmt: skip
    calls = calls_by_version([trace], [back], ["7"])["7"]
    assert calls.edges == {call().node: EdgeUse(1, 0)}


def test_a_call_below_another_services_segment_is_none_of_its_requests() -> None:
    """But a call of the other service, which enters there; and so the map draws it."""
    trace = trace_of(
        segment(0xA1, service_version="7"), work(0xD1, 0xA1, NodeKey("", "x", ""), calls=(call(),))
    )
    nodes = [FRONTEND, NodeKey("", "x", "")]
    assert calls_by_version([trace], nodes, ["7"])["7"].edges == {nodes[1]: EdgeUse(1, 0)}


def test_what_fetched_messages_that_another_span_processes_is_no_request_of_a_version() -> None:
    fetched = segment(0xA1, kind=Kind.CONSUMER, fetched=Fetched.MESSAGES, service_version="7")
    processed = segment(0xA2, parent_id=0xA1, kind=Kind.CONSUMER, service_version="7")
    for trace in (trace_of(fetched), trace_of(fetched, processed)):
        assert calls_by_version([trace], [FRONTEND], ["7"])["7"].requests == 1


def work(id: int, parent_id: int, node: NodeKey, **change: Any) -> Document:
    """A span that names its service."""
    return subsegment(id, parent_id, independent=Independent.OF_SENDER, node=node, **change)


def test_the_calling_node_of_a_streamed_call_is_its_segments() -> None:
    trace = trace_of(segment(0xA1), subsegment(0x51, 0xA1, calls=(call(0x51),)))
    assert calling_node(trace.calls[0x51], trace, ParentIndex(trace)) == FRONTEND
    orphan = trace_of(subsegment(0x51, 0xA1, calls=(call(0x51),)))
    assert calling_node(orphan.calls[0x51], orphan, ParentIndex(orphan)) is None


def test_roots() -> None:
    trace = trace_of(
        segment(0xA1, calls=(call(0xC1),)),
        segment(0xB1, parent_id=0xC1),
        segment(0xB2, parent_id=0xDEAD),
        subsegment(0x51, 0xDEAD),
    )
    parents = ParentIndex(trace)
    assert {id for id, d in trace.documents.items() if is_root(d, trace, parents)} == {0xA1, 0xB2}
    assert parents.children.keys() == {0xC1, 0xDEAD}


def test_a_link_ends_at_the_answering_segment_or_the_inferred_node() -> None:
    queue = call(0xC1)
    unanswered = trace_of(segment(0xA1, calls=(queue,), members=(0x11,)))
    own, called = unanswered.documents[0xA1], unanswered.calls[0xC1]
    assert resolve_link_end(unanswered, 0xC1) == LinkEnd(queue.node, queue.end, called)
    assert resolve_link_end(unanswered, 0x11) == LinkEnd(FRONTEND, T0 + 100_000, own)
    assert resolve_link_end(unanswered, 0x99) is None
    answered = trace_of(segment(0xA1, calls=(queue,)), segment(0xB1, parent_id=0xC1, name="q"))
    answer = answered.documents[0xB1]
    assert resolve_link_end(answered, 0xC1) == LinkEnd(NodeKey("", "q", ""), queue.end, answer)


def test_a_link_to_a_request_within_a_call_ends_where_that_leads() -> None:
    """The request is no call of its own, so its host is no node."""
    queue, host = NodeKey("", "q", "AWS::SQS::Queue"), NodeKey("", "sqs.eu-west-1.amazonaws.com", "remote")  # fmt: skip
    given: dict[str, Any] = {"independent": Independent.OF_SENDER, "kind": Kind.CLIENT}
    sent = subsegment(0xC1, 0x11, calls=(call(0xC1, node=queue),), **given)
    posted = subsegment(0xC2, 0xC1, calls=(call(0xC2, node=host),), **given)
    end = resolve_link_end(trace_of(segment(0x11), sent, posted), 0xC2)
    assert end is not None
    assert end.node == queue
