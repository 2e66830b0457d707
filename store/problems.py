"""Problems as stored: since when a node or an edge has not been as usual. Pure.

What a problem says is JSON (`api.problems.record`); the store knows its time alone. Times are microseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from store.model import NodeKey, TimeRange

MAX_MUTES = 500


class StoredProblem(Struct, frozen=True):
    """``ended``: the first good moment, 0 while it is active. ``updated`` ascends."""

    id: UUID
    since: int
    ended: int
    updated: int
    value: bytes

    @property
    def active(self) -> bool:
        """Whether it lasts."""
        return not self.ended


class Mute(Struct, frozen=True):
    """Problems that begin at a node are not shown until then."""

    node: NodeKey
    until: int


class ProblemStore(Protocol):
    """Stores problems; mutes are configuration (`store.config.records`)."""

    def put_problems(self, problems: Sequence[StoredProblem]) -> None:
        """Store problems in place of any with their ids. Durable once this returns."""
        ...

    def find_problems(
        self, window: TimeRange, *, active: bool | None = None, limit: int
    ) -> list[StoredProblem]:
        """Those that lasted at some time of the window, the latest to begin first; at equal times by id. ``active``: only those
        that last, or that have ended."""
        ...

    def get_problem(self, id: UUID) -> StoredProblem | None:
        """One of them."""
        ...
