"""Ids and times of documents and calls in the store's units, and the limits of times and names."""

from __future__ import annotations

from binascii import unhexlify
from hashlib import blake2b

LATEST = 253_402_300_800.0
"""Year 10000 in epoch seconds: later times are assumed to be in another unit."""
MAX_NAME = 200
"""Characters of a name: a document with a longer one is rejected, the name of a call is cut."""


class Identity:
    """A document's ids and times, in the store's units."""

    __slots__ = ("end", "id", "independent", "parent_id", "start", "trace_id")

    def __init__(
        self, trace_id: bytes, id: int, parent_id: int, independent: bool, start: int, end: int
    ) -> None:
        self.trace_id = trace_id
        self.id = id
        self.parent_id = parent_id
        self.independent = independent
        self.start = start
        self.end = end


_from_bytes = int.from_bytes


def read_id(text: str | None) -> int:
    """The value of 16 hex digits; 0, which means none, for anything else."""
    if text is None or len(text) != 16:
        return 0
    try:
        return _from_bytes(unhexlify(text))
    except ValueError:
        return 0


def further_call_id(trace_id: bytes, id: int, number: int) -> int:
    """The id of a call's part that leads to the ``number``-th further table."""
    seed = trace_id + id.to_bytes(8, "big") + number.to_bytes(4, "big")
    digest = blake2b(seed, digest_size=8, person=b"table").digest()
    return int.from_bytes(digest, "big") or 1


def synthetic_id(identity: Identity, ordinal: int) -> int:
    """The id of a call without one: the same whenever the same document arrives again."""
    seed = identity.trace_id + identity.id.to_bytes(8, "big") + ordinal.to_bytes(4, "big")
    return int.from_bytes(blake2b(seed, digest_size=8).digest(), "big") or 1
