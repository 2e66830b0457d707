"""The summary of a trace (docs/xray-format.md §6)."""

from __future__ import annotations

from store.model import NodeKey, State, client_of
from store.rules.annotations import annotation_item
from store.summary import MAX_ANNOTATION_KEYS, entry_of, is_partial, summarize, trace_duration
from tests.builders import FRONTEND, T0, call, http, segment, subsegment, trace_of


def test_the_entry_is_the_earliest_root() -> None:
    trace = trace_of(
        segment(0xA2, start=T0 + 5), segment(0xA1, start=T0), segment(0xA0, parent_id=0xA1)
    )
    entry = entry_of(trace)
    assert entry is not None
    assert entry.id == 0xA1
    assert entry_of(trace_of(subsegment(0x51, 0xA1))) is None


def test_state_and_times_are_the_entrys_and_throttles_are_anyones() -> None:
    throttled = call(0xC1, state=State.THROTTLE, end=T0 + 300_000)
    trace = trace_of(segment(0xA1, state=State.ERROR, http=http(404), calls=(throttled,)))
    summary = summarize(trace)
    assert (summary.state, summary.has_throttle, summary.http.status) == (State.ERROR, True, 404)
    assert (summary.response_time, summary.duration) == (100_000, 300_000)
    assert trace_duration(trace) == 300_000
    assert summary.nodes.keys() == {FRONTEND, client_of(FRONTEND), throttled.node}


def test_what_makes_a_trace_partial() -> None:
    assert not is_partial(trace_of(segment(0xA1, calls=(call(0xC1),))))
    assert is_partial(trace_of(segment(0xA1, state=State.IN_PROGRESS)))
    assert is_partial(trace_of(segment(0xA1, calls=(call(0xC1, traced=True),))))
    answered = segment(0xB1, parent_id=0xC1)
    assert not is_partial(trace_of(segment(0xA1, calls=(call(0xC1, traced=True),)), answered))
    assert is_partial(trace_of(subsegment(0x51, 0xA1)))


def test_annotations_name_the_nodes_that_reported_them() -> None:
    many = tuple(annotation_item(f"k{n}", n) for n in range(MAX_ANNOTATION_KEYS + 1))
    trace = trace_of(segment(0xA1, annotations=many), subsegment(0x51, 0xA1, annotations=("k0=9",)))
    annotations = summarize(trace).annotations
    assert len(annotations) == MAX_ANNOTATION_KEYS
    assert annotations["k0"] == {"0": {FRONTEND}, "9": {FRONTEND}}


def test_users_without_a_segment_have_no_node() -> None:
    trace = trace_of(segment(0xA1, user="u"), subsegment(0x51, 0x99, user="v"))
    assert summarize(trace).users == {"u": {NodeKey("", "frontend", "")}, "v": set()}
