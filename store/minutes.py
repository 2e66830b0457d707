"""The counts of whole minutes by node and edge, as columns of numbers: what the detection of problems reads. Pure.

A minute of a large map is tens of thousands of rows, so they stay columns from the database to NumPy
(`api.problems`), and a series is a number until its names are needed.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum
from typing import NamedTuple, Protocol

from store.model import NodeKey


class SeriesKind(IntEnum):
    """Whose counts a series has. The numbers are stored (`rollups.kind`)."""

    NODE = 0
    """The requests of a node."""
    CALLS = 1
    LINKS = 2
    """Messages; their times are ages."""
    BACKGROUND = 3
    """The background work of a node."""


class Series(NamedTuple):
    """A node (without a source) or an edge."""

    kind: SeriesKind
    source: NodeKey
    node: NodeKey


class MinuteCounts(NamedTuple):
    """The counts of one minute, a minute since the epoch. Each column has an integer of 64 bits (native byte order) per row;
    ``times`` and ``weights`` have numbers of 32 bits with a floating point, as they are most of what is read: times up to 17
    minutes and weights up to 16 million are exact.

    A series may have several rows, which are to be added. ``ids``: of the series, the same in every minute
    (`MinuteStore.minute_series`). ``lengths``: how many of ``times`` and ``weights`` are the row's: its histogram
    (`store.graph.Statistics`), one row after the other.
    """

    minute: int
    ids: bytes
    ok: bytes
    error: bytes
    throttle: bytes
    fault: bytes
    in_progress: bytes
    observed: bytes
    lengths: bytes
    times: bytes
    weights: bytes


class MinuteStore(Protocol):
    """Reads counts of minutes."""

    def minute_counts(self, first: int, last: int) -> list[MinuteCounts]:
        """The minutes from the first to the last one (minutes since the epoch) in which anything was counted, in order.

        Calls from unconfirmed nodes are counted as from confirmed ones (`store.model.confirmed`)."""
        ...

    def counted_minutes(self, first: int, last: int) -> int:
        """How many of these minutes have been counted: with those that are imported it grows."""
        ...

    def minute_series(self, ids: Collection[int], first: int, last: int) -> dict[int, Series]:
        """What the ids of series in these minutes stand for."""
        ...
