"""Valid documents for tests; a test overrides only what it is about."""

from __future__ import annotations

import json
from typing import Any

from store.memory import MemoryStore
from store.model import NO_HTTP, Call, Document, Http, NodeKey, State, Trace
from store.times import SECOND

T0 = 1_795_560_000_000_000
"""An instant (2026-11-24) in microseconds, at the start of a minute."""
TRACE = bytes.fromhex("6b061440" + "0" * 22 + "01")
FRONTEND = NodeKey("", "frontend", "")
"""The node of `segment` by default."""


def trace_id(number: int = 1, epoch: int = T0 // SECOND) -> bytes:
    """The ``number``-th trace id of an epoch (seconds)."""
    return epoch.to_bytes(4, "big") + number.to_bytes(12, "big")


def call(id: int = 0xCA11, **change: Any) -> Call:
    """A remote call of 10 ms, one millisecond after T0."""
    fields: dict[str, Any] = {
        "id": id,
        "start": T0 + 1_000,
        "end": T0 + 11_000,
        "state": State.OK,
        "node": NodeKey("", "backend.example.com", "remote"),
        "service": "backend.example.com",
        "host": "backend.example.com",
    }
    fields.update(change)
    if fields["state"] == State.IN_PROGRESS:
        fields["end"] = fields["start"]
    return Call(**fields)


def segment(id: int = 0xA1, **change: Any) -> Document:
    """A root segment of a node without a type, 100 ms from T0 on."""
    name = change.pop("name", "frontend")
    type = change.pop("type", "")
    fields: dict[str, Any] = {
        "trace_id": TRACE,
        "id": id,
        "parent_id": 0,
        "independent": False,
        "inferred": False,
        "start": T0,
        "end": T0 + 100_000,
        "state": State.OK,
        "node": NodeKey("", name, type),
        "service": name,
        "http": NO_HTTP,
        "version": T0 + 200_000,
    }
    fields.update(change)
    if fields["state"] == State.IN_PROGRESS:
        fields["end"] = fields["start"]
    fields.setdefault("last_end", fields["end"])
    fields.setdefault("raw", json.dumps({"id": f"{id:016x}", "name": name}).encode())
    return Document(**fields)


def subsegment(id: int = 0x50B, parent_id: int = 0xA1, **change: Any) -> Document:
    """An independent subsegment; a call itself if ``calls`` has one with its id."""
    return segment(id, **{"parent_id": parent_id, "independent": True, **change})


def http(status: int, url: str = "http://shop.example.com/", method: str = "GET") -> Http:
    """An http block."""
    return Http(method=method, url=url, status=status)


def trace_of(*documents: Document) -> Trace:
    """The trace that a store makes of these documents, which all have one trace id."""
    store = MemoryStore()
    store.put(documents, "a")
    (trace,) = store.get_traces([documents[0].trace_id]).values()
    return trace
