"""The audit log: who did what, from where. Events are only ever added; they expire after `RETENTION_DAYS`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

RETENTION_DAYS = 400
"""As the table's TTL has it: a year and what it takes to look back at it."""
MAX_TEXT = 300
"""Characters of each text."""


class AuditEvent(Struct, frozen=True):
    """``at``: microseconds since the epoch. ``actor``: a key's or person's name, or the user of a command
    line; ``via``: token, signature, session, proxy, password, command; ``address``: the peer's;
    ``action``: what was done, to ``target``; ``outcome``: ok, or what went wrong."""

    at: int
    actor: str
    via: str
    address: str
    action: str
    target: str = ""
    outcome: str = "ok"


def event(
    at: float,
    actor: str,
    via: str,
    address: str,
    action: str,
    target: str = "",
    outcome: str = "ok",
) -> AuditEvent:
    """An event at an instant (epoch seconds), its texts cut."""
    texts = (actor, via, address, action, target, outcome)
    return AuditEvent(round(at * 1e6), *(text[:MAX_TEXT] for text in texts))


class AuditStore(Protocol):
    """Stores the log."""

    def write_audit(self, events: Sequence[AuditEvent]) -> None:
        """Add events."""
        ...

    def read_audit(self, *, before: int, limit: int) -> list[AuditEvent]:
        """The newest events before an instant (microseconds), the newest first."""
        ...
