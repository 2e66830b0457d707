"""Which cell contains a trace: the one rule, in Python and in SQL.

The last eight bytes of an id are random in W3C, X-Ray and 64-bit Zipkin ids alike; the first ones are a time in two of
them, and zero in the third.

Cells that are added, or that take no more documents, change the rule for traces that begin later, and no row is moved.
Each such rule is an epoch. When a trace began follows from the time in its id, or from when its documents arrived; by its
id alone it may be where any epoch has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct

from store.model import arrival_of
from store.times import DAY, SECOND
from store.trace_id import trace_time


def owner_of(trace_id: bytes, cells: int) -> int:
    """The place of a trace's cell among so many."""
    return int.from_bytes(trace_id[8:]) % cells


def owner_sql(column: str, cells: int) -> str:
    """The same in ClickHouse, of a column FixedString(16)."""
    return f"(reinterpretAsUInt64(reverse(substring({column}, 9, 8))) % {cells:d})"


class Epoch(Struct, frozen=True):
    """From when on (microseconds) which cells, by their places, take documents."""

    since: int
    active: tuple[int, ...]

    def owner_of(self, trace_id: bytes) -> int:
        """The place of a trace's cell."""
        return self.active[owner_of(trace_id, len(self.active))]

    def is_owner_sql(self, column: str, place: int) -> str:
        """Whether that is the cell at a place."""
        if place not in self.active:
            return "0"
        owner = owner_sql(column, len(self.active))
        return f"{owner} = {self.active.index(place)}"


class Owners(Struct, frozen=True, dict=True):
    """The rules of all epochs, the first of which began with the first trace."""

    epochs: tuple[Epoch, ...]

    @staticmethod
    def of(cells: int) -> Owners:
        """Of cells that are as many as ever."""
        return Owners((Epoch(0, tuple(range(cells))),))

    @property
    def last(self) -> Epoch:
        """The one that goes on."""
        return self.epochs[-1]

    def epoch_at(self, time: int) -> Epoch:
        """The one at a time, in microseconds."""
        return next((each for each in reversed(self.epochs) if time >= each.since), self.epochs[0])

    def of_document(self, trace_id: bytes, version: int) -> int:
        """The place of the cell that a document goes to."""
        if len(self.epochs) == 1:
            return self.last.owner_of(trace_id)
        return self.epoch_at(trace_time(trace_id, arrival_of(version))).owner_of(trace_id)

    def since(self, versions: Iterable[int]) -> Owners:
        """The same, if no document has another version, without epochs that have no say any more."""
        if len(self.epochs) == 1:
            return self
        earliest = min(map(arrival_of, versions), default=0) - DAY
        first = self.epochs.index(self.epoch_at(earliest))
        return Owners(self.epochs[first:]) if first else self

    def places_of(self, trace_id: bytes) -> list[int]:
        """Where a trace may be: the cells of all epochs, the first first."""
        return list(dict.fromkeys(each.owner_of(trace_id) for each in self._rules))

    def may_be_at_sql(self, column: str, place: int) -> str:
        """Whether the cell at a place may have a trace."""
        return f"({' OR '.join(each.is_owner_sql(column, place) for each in self._rules)})"

    def may_be_beside_sql(self, column: str, place: int) -> str:
        """Whether another may."""
        return f"NOT ({' AND '.join(each.is_owner_sql(column, place) for each in self._rules)})"

    def goes_anew_sql(self, column: str, place: int, epoch: int) -> str:
        """Whether an epoch, by its place among them, has the cell at a place take a trace that no earlier one has there. A
        trace with a time in its id that is of the day before it is where it was."""
        new, earlier = self.epochs[epoch], self.epochs[:epoch]
        before = " OR ".join(each.is_owner_sql(column, place) for each in earlier)
        begun = f"{SECOND} * toUInt64(reinterpretAsUInt32(reverse(substring({column}, 1, 4))))"
        is_earlier = f"{begun} BETWEEN {new.since - DAY:d} AND {new.since - 1:d}"
        return f"{new.is_owner_sql(column, place)} AND NOT ({before}) AND NOT ({is_earlier})"

    @cached_property
    def _rules(self) -> list[Epoch]:
        """Those that differ."""
        return list({each.active: each for each in reversed(self.epochs)}.values())[::-1]
