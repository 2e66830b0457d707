"""The metadata of a committed offset, by which every consumer forms the same batch.

Before a batch is inserted, its end and the version of its first record are committed beside its start. The
consumer that continues there, after a crash or a rebalance, inserts the same records as the same rows under the same token.
"""

from __future__ import annotations

from typing import NamedTuple

_FORMAT = "raymap1"


class Mark(NamedTuple):
    """What is committed with an offset."""

    version: int
    """Of the record at the offset, the next offset's plus one; without a batch the least that may follow."""
    end: int = 0
    """The offset behind the last record of a batch that was begun; 0 if none was."""

    def encode(self) -> str:
        """As metadata."""
        return f"{_FORMAT} {self.version} {self.end}"


def parse_mark(metadata: str | None) -> Mark | None:
    """The mark in metadata; None for that of another program."""
    words = (metadata or "").split(" ")
    if len(words) != 3 or words[0] != _FORMAT or not (words[1] + words[2]).isdecimal():
        return None
    return Mark(int(words[1]), int(words[2]))
