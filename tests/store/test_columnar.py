"""Documents as columns."""

from __future__ import annotations

from store.columnar import columns_of, documents_of
from store.model import Link
from tests.builders import call, segment, subsegment, trace_id


def test_lists_are_concatenated_with_counts_and_owners() -> None:
    documents = [
        segment(0xA1, annotations=("a=1", "b=2"), members=(0x11,)),
        subsegment(0x51, 0xA1, calls=(call(0x51), call(0xC1)), links=(Link(trace_id(9), 1),)),
    ]
    columns = columns_of(documents)
    assert len(columns) == 2
    assert (columns.ids, columns.independent) == ([0xA1, 0x51], [False, True])
    assert (columns.annotation_counts, columns.annotations) == ([2, 0], ["a=1", "b=2"])
    assert (columns.member_counts, columns.members) == ([1, 0], [0x11])
    assert (columns.calls.owners, columns.calls.ids) == ([1, 1], [0x51, 0xC1])
    assert columns.links == [(1, Link(trace_id(9), 1))]
    assert documents_of(columns) == documents
