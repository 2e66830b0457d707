"""The metadata of a committed offset, by which every consumer forms the same batch.

Before a batch is inserted, its end and the version of its first record are committed beside its start. The
consumer that continues there, after a crash or a rebalance, inserts the same records as the same rows under the same token.

Consumers that got no further are counted there, too, wherever they ran: a record that ends its process must not end the
next one for ever.
"""

from __future__ import annotations

from typing import NamedTuple

_FORMAT = "raymap1"
CAREFUL = 2
"""Consumers that got no further, this one included, from which on each record is noted before it is decoded."""


class Attempt(NamedTuple):
    """What became of the consumers that began at an offset and did not get further."""

    consumers: int = 0
    record: int = -1
    """The one that the last of them was about to decode, once that is noted."""
    suspect: int = -1
    """The same of the one before. One alone may have lost the partition to another at that record."""
    left_out: tuple[int, ...] = ()
    """Records that are not decoded: two consumers in a row ended in each."""

    @property
    def careful(self) -> bool:
        """Whether records are noted one by one."""
        return self.consumers >= CAREFUL

    def by_another(self) -> Attempt:
        """The attempt of the next consumer."""
        left_out, suspect = self.left_out, self.record
        if self.record >= 0 and self.record == self.suspect:
            left_out, suspect = (*left_out, self.record), -1
        return Attempt(self.consumers + 1, -1, suspect, left_out)


class Mark(NamedTuple):
    """What is committed with an offset."""

    version: int
    """Of the record at the offset, the next offset's plus one; without a batch the least that may follow."""
    end: int = 0
    """The offset behind the last record of a batch that was begun; 0 if none was."""
    attempt: Attempt = Attempt()

    def encode(self) -> str:
        """As metadata."""
        words = [self.version, self.end]
        if self.attempt.consumers:
            # One more, so that no word has a sign.
            record, suspect = self.attempt.record + 1, self.attempt.suspect + 1
            words += [self.attempt.consumers, record, suspect, *self.attempt.left_out]
        return " ".join([_FORMAT, *map(str, words)])


def parse_mark(metadata: str | None) -> Mark | None:
    """The mark in metadata; None for that of another program."""
    name, *words = (metadata or "").split(" ")
    if name != _FORMAT or not all(map(str.isdecimal, words)):
        return None
    match [*map(int, words)]:
        case [version, end]:
            return Mark(version, end)
        case [version, end, consumers, record, suspect, *left_out]:
            return Mark(version, end, Attempt(consumers, record - 1, suspect - 1, tuple(left_out)))
        case _:
            return None
