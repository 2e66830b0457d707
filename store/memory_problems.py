"""The reference implementation of `store.problems.ProblemStore`, on a dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from store.model import TimeRange
from store.problems import StoredProblem


class MemoryProblems:
    """Problems. Docstrings of the protocol apply."""

    def __init__(self) -> None:
        self._problems: dict[UUID, StoredProblem] = {}

    def put_problems(self, problems: Sequence[StoredProblem]) -> None:
        """By id; the latest applies."""
        for each in problems:
            known = self._problems.get(each.id)
            if known is None or known.updated <= each.updated:
                self._problems[each.id] = each

    def find_problems(
        self, window: TimeRange, *, active: bool | None = None, limit: int
    ) -> list[StoredProblem]:
        """The latest to begin first."""
        found = [
            each
            for each in self._problems.values()
            if each.since < window.end
            and (each.active or each.ended > window.start)
            and active in (None, each.active)
        ]
        return sorted(found, key=lambda each: (-each.since, str(each.id)))[:limit]

    def get_problem(self, id: UUID) -> StoredProblem | None:
        """By id."""
        return self._problems.get(id)
