"""The values of the store protocol that have rules of their own."""

from __future__ import annotations

import pytest

from store.model import State
from store.protocol import MAX_NOTE, Failure, failures_by_frequency, pin_note


def test_notes_are_one_line_of_bounded_length() -> None:
    assert pin_note("  the outage of Tuesday ") == "the outage of Tuesday"
    assert len(pin_note("ä" * MAX_NOTE)) == MAX_NOTE
    with pytest.raises(ValueError, match="at most 500 characters, got 501"):
        pin_note("x" * (MAX_NOTE + 1))
    with pytest.raises(ValueError, match="one line of text"):
        pin_note("two\nlines")


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
