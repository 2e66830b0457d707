"""How large one document, span, log record or metric may be: the one limit of decoders that is a setting,
the same for all of a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from collector.decode.rejected import Reason, Rejected

FLAG = "--max-document-size"
DEFAULT = 1 << 20
"""Prompts and stack traces may be long, and a trace page still has to load; X-Ray takes 64 kB
(docs/xray-format.md §2.1)."""
SMALLEST, LARGEST = 128 << 10, 4 << 20
"""What can be set. A message of `StreamSegments` carries the largest; below the smallest nothing is
measured (`collector.decode.limits.SMALL_ITEM`)."""


class SizeLimit(NamedTuple):
    """Bytes, and the flag by which they are set, if there is one."""

    bytes: int
    flag: str = ""

    def check(self, what: str, size: int) -> None:
        """Raise Rejected, with the limit, for what has more bytes."""
        if size > self.bytes:
            hint = self.flag and f" ({self.flag})"
            message = f"{what} has {size:,} bytes, at most {self.bytes:,} are taken{hint}"
            raise Rejected(Reason.INVALID_SEGMENT_DOCUMENT, message)


class ItemSize:
    """The limit of one item: as it is for segment documents and protobuf, twice that for spans, log records
    and metrics in JSON."""

    def __init__(self, size: int = DEFAULT) -> None:
        self.set(size)

    def set(self, size: int) -> None:
        """Take items of so many bytes from now on."""
        self.limit = SizeLimit(size, FLAG)
        self.in_json = SizeLimit(2 * size, f"twice {FLAG}")

    @contextmanager
    def at_most(self, size: int) -> Iterator[None]:
        """Take items of so many bytes for a while."""
        before = self.limit.bytes
        self.set(size)
        try:
            yield
        finally:
            self.set(before)


ITEM = ItemSize()
"""That of this process."""
