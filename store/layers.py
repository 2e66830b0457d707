"""Spans nested in spans that tell of one thing: the rules of which are one. Pure.

A SERVER span directly below a SERVER span of the same service, within its time, is the same request, the outer's:
a sidecar passes a request to its application, and both report it; so do two instrumentations of one server.
"""

from __future__ import annotations

from store.model import Document, Kind

TOLERANCE = 1_000
"""Microseconds by which what is inside may begin earlier or end later: clocks are read one after the other."""


def is_same_request(inner: Document, outer: Document) -> bool:
    """Whether a segment is the same request as the document that is its parent."""
    return (
        inner.kind == outer.kind == Kind.SERVER
        and not (inner.independent or outer.independent)
        and inner.node.name == outer.node.name
        and inner.id != outer.id
        and inner.start >= outer.start - TOLERANCE
        and (outer.in_progress or inner.end <= outer.end + TOLERANCE)
    )
