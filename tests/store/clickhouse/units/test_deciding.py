"""What the units of rows need."""

from __future__ import annotations

import pytest

from store.clickhouse.units.deciding import (
    CONTAINS,
    SEGMENT_BELOW,
    SPAN_BELOW,
    KnownRows,
    Lookup,
    Lookups,
)
from store.model import Document, Independent, Kind, OwnedCall
from store.otel.derived_ids import shared_server_id
from store.units import calls_of
from tests.builders import TRACE, call, segment, subsegment, trace_of


def needed(here: Document | OwnedCall, *others: Document) -> set[Lookup]:
    """What a row needs in the end, if so much is known."""
    lookups = Lookups()
    if isinstance(here, Document):
        lookups.need_document(here)
        known = trace_of(here, *others)
    else:
        lookups.need_call(here)
        known = trace_of(*others)
    lookups.follow(KnownRows(known))
    return lookups.needed


def span(id: int, parent_id: int, **change: object) -> Document:
    about = {"independent": Independent.OF_SENDER, "kind": Kind.INTERNAL}
    return subsegment(id, parent_id, **{**about, **change})


def test_a_segment_needs_its_copies_and_its_parent() -> None:
    assert needed(segment(1, parent_id=2)) == {(CONTAINS, 1), (CONTAINS, 2)}
    assert needed(segment(1)) == {(CONTAINS, 1)}, "nothing names 0"


def test_a_server_needs_the_one_that_shares_an_id() -> None:
    shared = shared_server_id(TRACE, 2)
    assert (CONTAINS, shared) in needed(segment(1, parent_id=2, kind=Kind.SERVER))


def test_a_span_needs_segments_beside_it() -> None:
    """Below a span of another service it enters its own, unless a segment there does."""
    assert needed(span(1, 2)) == {(CONTAINS, 1), (CONTAINS, 2), (SEGMENT_BELOW, 2)}


def test_a_call_needs_its_document_and_its_answers() -> None:
    carrier = segment(1, parent_id=9, calls=(call(21),))
    (made,) = calls_of(carrier)
    expected = {(CONTAINS, 21), (CONTAINS, 1), (SEGMENT_BELOW, 21), (SPAN_BELOW, 21)}
    assert needed(made, segment(99)) == expected
    assert needed(made, carrier) == expected, "a segment owns it, whatever is above that"


def test_what_is_found_needs_more() -> None:
    """The parents of a streamed subsegment, up to the segment; a copy of what answers, which may answer no longer."""
    above = subsegment(2, 3), segment(3, parent_id=4)
    assert needed(subsegment(1, 2), *above) >= {(CONTAINS, 2), (CONTAINS, 3)}
    assert (CONTAINS, 4) not in needed(subsegment(1, 2), *above)
    (made,) = calls_of(segment(1, calls=(call(21),)))
    assert (CONTAINS, 5) in needed(made, segment(5, parent_id=21))


@pytest.mark.parametrize("steps", [1, 2])
def test_local_work_within_a_call_needs_spans_below_it(steps: int) -> None:
    """A call inside it may be one with that around it."""
    outer = span(1, 9, kind=Kind.CLIENT, calls=(call(1),))
    inside = [span(10 + step, 10 + step - 1 if step else 1) for step in range(steps)]
    (made,) = calls_of(outer)
    assert (SPAN_BELOW, 10 + steps - 1) in needed(made, outer, *inside)


def test_embedded_ids_are_found() -> None:
    holder = segment(1, members=(7,))
    assert needed(segment(2, parent_id=7), holder) == {(CONTAINS, 2), (CONTAINS, 7), (CONTAINS, 1)}
