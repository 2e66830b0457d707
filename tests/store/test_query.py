"""Results of queries that have rules of their own."""

from __future__ import annotations

from store.model import State
from store.query import Failure, failures_by_frequency


def test_failures_are_ordered_by_count_then_label_then_state() -> None:
    counts = {
        ("B", State.FAULT): 2,
        ("A", State.FAULT): 2,
        ("A", State.ERROR): 2,
        ("Z", State.FAULT): 9,
    }
    assert failures_by_frequency(counts) == [
        Failure("Z", State.FAULT, 9),
        Failure("A", State.ERROR, 2),
        Failure("A", State.FAULT, 2),
        Failure("B", State.FAULT, 2),
    ]
