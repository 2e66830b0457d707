"""Pinned traces: what a pin is, and the note on it."""

from __future__ import annotations

from msgspec import Struct

MAX_NOTE = 500
"""Characters in the note on a pin."""


class Pin(Struct, frozen=True):
    """A pinned trace, exempt from retention: when it was pinned (microseconds), and the user's
    note."""

    trace_id: bytes
    note: str
    at: int


def pin_note(text: str) -> str:
    """A note, normalised. Raises ValueError with a message for users if it is too long or not
    one line."""
    note = text.strip()
    if len(note) > MAX_NOTE:
        raise ValueError(f"a note has at most {MAX_NOTE} characters, got {len(note):,}")
    if not note.isprintable():
        raise ValueError("a note is one line of text, got control characters in it")
    return note
