"""What a share link grants: one trace, or the map of one window, and of each the reads that its page makes.

Pure. What is not named here is refused. Parameters are compared as text with those that the console
sends, and may not repeat, so that nothing depends on how a route reads them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from store.trace_id import format_trace_id, parse_trace_id

OWN = "/auth/share"
"""Where the holder of a link learns what it shows."""
_TRACE = re.compile(r"/api/(?:traces/([^/]+)(?:/raw)?|v1/traces/([^/]+)/logs)")
_FILTERED = re.compile(r"/api/(map|map/box|map/focus|nodes/[^/]+|edges/[^/]+/[^/]+)")
"""Reads of a map, counted from the traces that satisfy its filter."""
_UNFILTERED = re.compile(r"/api/(services|nodes/[^/]+/metrics|v1/nodes/[^/]+/versions)")
"""Reads that take no filter: of the map of all traces only."""
_FREE = {
    "/api/map": {"fold", "boxes", "inside"},
    "/api/map/box": {"fold", "boxes", "inside", "box", "node"},
    "/api/map/focus": {"node", "hops", "fold"},
    "/api/services": {"q", "limit"},
}
"""Parameters that choose among what the window's map shows anyway."""


class TraceGrant(Struct, frozen=True, tag="trace"):
    """One trace: its documents, its map, its log lines. The id is in hex."""

    trace: str

    def __str__(self) -> str:
        return f"trace {format_trace_id(bytes.fromhex(self.trace))}"


class MapGrant(Struct, frozen=True, tag="map", omit_defaults=True):
    """The map of a window (epoch seconds), or of those of its traces that satisfy the filter."""

    start: int
    end: int
    filter: str = ""
    account: str = ""
    region: str = ""
    environment: str = ""

    def words(self) -> dict[str, str]:
        """The parameters that select it, as the console sends them."""
        chosen = {
            "filter": self.filter,
            "account": self.account,
            "region": self.region,
            "environment": self.environment,
        }
        given = {name: value for name, value in chosen.items() if value}
        return {"from": str(self.start), "to": str(self.end), **given}

    def __str__(self) -> str:
        return "map " + " ".join(f"{name}={value}" for name, value in self.words().items())


Grant = TraceGrant | MapGrant


class Requested(NamedTuple):
    """A request: its method, its decoded path, its query as decoded pairs."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()


def permits(grant: Grant, requested: Requested) -> bool:
    """Whether a link that grants this may be used for a request."""
    if requested.method != "GET":
        return False
    if requested.path == OWN:
        return not requested.query
    if isinstance(grant, TraceGrant):
        return _permits_trace(grant, requested)
    return _permits_map(grant, requested)


def _permits_trace(grant: TraceGrant, requested: Requested) -> bool:
    found = _TRACE.fullmatch(requested.path)
    if found is None or requested.query:
        return False
    try:
        return parse_trace_id(found[1] or found[2]).hex() == grant.trace
    except ValueError:
        return False


def _permits_map(grant: MapGrant, requested: Requested) -> bool:
    words, given = grant.words(), dict(requested.query)
    free = _FREE.get(requested.path, set())
    fixed = {name: value for name, value in given.items() if name not in free}
    if len(given) != len(requested.query) or fixed != words:
        return False
    if _FILTERED.fullmatch(requested.path):
        return True
    return _UNFILTERED.fullmatch(requested.path) is not None and words.keys() == {"from", "to"}
