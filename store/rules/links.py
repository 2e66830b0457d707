"""Links between traces: which trace, in which direction, and when the event was received
(docs/xray-format.md §2.9)."""

from __future__ import annotations

from store.model import Link

RESERVED = "aws.xray.reserved."
REFERENCE, RECEIVED = f"{RESERVED}reference_type", f"{RESERVED}received_event_end_time"
MESSAGES = "raymap.messages"
"""Attribute of a link in a derived document: how many messages it is for."""
MOST_MESSAGES = 100_000
"""Of one link."""
MAX_LINKS = 100
"""Of one document, what is embedded in it included: the limit of X-Ray per trace (docs/xray-format.md §14)."""
_LATEST = 253_402_300_800.0


def read_link(
    own: bytes,
    trace_id: bytes,
    id: int,
    reference_type: object,
    received: object,
    weight: int = 1,
) -> Link | None:
    """A link from the trace ``own``; None if it is invalid or leads to the trace itself.

    Without a ``reference_type`` the other end is upstream, as for OpenTelemetry consumers.
    ``received`` is ``received_event_end_time``, epoch seconds.
    """
    if not id or len(trace_id) != 16 or trace_id == own or not any(trace_id):
        return None
    known = isinstance(received, int | float) and not isinstance(received, bool)
    seconds = float(received) if known and 0 <= received < _LATEST else 0.0  # type: ignore[operator, arg-type]
    return Link(trace_id, id, reference_type != "child", round(seconds * 1e6), weight)
