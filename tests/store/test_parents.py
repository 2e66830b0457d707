"""Parent resolution inside one trace."""

from __future__ import annotations

from store.model import NodeKey
from store.parents import (
    MAX_PARENT_STEPS,
    LinkEnd,
    ParentIndex,
    calling_node,
    is_root,
    resolve_link_end,
    segments_by_parent_id,
)
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
    assert segments_by_parent_id(trace).keys() == {0xC1, 0xDEAD}


def test_a_link_ends_at_the_answering_segment_or_the_inferred_node() -> None:
    queue = call(0xC1)
    unanswered = trace_of(segment(0xA1, calls=(queue,), members=(0x11,)))
    assert resolve_link_end(unanswered, 0xC1) == LinkEnd(queue.node, queue.end)
    assert resolve_link_end(unanswered, 0x11) == LinkEnd(FRONTEND, T0 + 100_000)
    assert resolve_link_end(unanswered, 0x99) is None
    answered = trace_of(segment(0xA1, calls=(queue,)), segment(0xB1, parent_id=0xC1, name="q"))
    assert resolve_link_end(answered, 0xC1) == LinkEnd(NodeKey("", "q", ""), queue.end)
