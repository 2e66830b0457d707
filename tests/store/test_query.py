"""Results of queries that have rules of their own."""

from __future__ import annotations

from store.model import State
from store.query import Failure, failures_by_frequency
from store.rules.classify import failure_key


def test_failures_are_ordered_by_count_then_label_then_state() -> None:
    endings = (("B", State.FAULT, 2), ("A", State.FAULT, 2), ("A", State.ERROR, 2))
    counts = {failure_key(state, label): count for label, state, count in endings}
    counts[failure_key(State.FAULT, "Z: z")] = 9
    assert failures_by_frequency(counts) == [
        Failure("Z: z", State.FAULT, 9),
        Failure("A", State.ERROR, 2),
        Failure("A", State.FAULT, 2),
        Failure("B", State.FAULT, 2),
    ]
