"""Pinned traces: what a pin is, the note on it, and how pins are stored."""

from __future__ import annotations

from typing import Protocol

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


class PinStore(Protocol):
    """Pins traces, which exempts them from retention.

    A pin affects how long a trace is stored and nothing that is read: neither the trace nor the
    map.
    """

    def pin(self, trace_id: bytes, note: str, at: int) -> Pin:
        """Pin a trace, documents that arrive later included; ``at`` is now, in microseconds.

        A trace that is already pinned keeps its time and gets the new note (see `pin_note`). Raises
        TraceNotFound or TooManyPins.
        """
        ...

    def unpin(self, trace_id: bytes, at: int) -> bool:
        """Subject a trace to retention again, at once if it has expired. False if it was not
        pinned."""
        ...

    def pins(self) -> list[Pin]:
        """All pins, latest first; at equal times the greater id first."""
        ...

    def pin_of(self, trace_id: bytes) -> Pin | None:
        """The pin of one trace, None without one."""
        ...

    def refresh_pins(self) -> int:
        """Pin the documents of pinned traces that arrived late; returns the number of traces with
        some.

        To be called more often than the shortest retention, which is a day.
        """
        ...
