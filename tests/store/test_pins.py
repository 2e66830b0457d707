"""Notes on pins."""

from __future__ import annotations

import pytest

from store.pins import MAX_NOTE, pin_note


def test_notes_are_one_line_of_bounded_length() -> None:
    assert pin_note("  the outage of Tuesday ") == "the outage of Tuesday"
    assert len(pin_note("ä" * MAX_NOTE)) == MAX_NOTE
    with pytest.raises(ValueError, match="at most 500 characters, got 501"):
        pin_note("x" * (MAX_NOTE + 1))
    with pytest.raises(ValueError, match="one line of text"):
        pin_note("two\nlines")
