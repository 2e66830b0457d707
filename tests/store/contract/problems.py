"""The contract of a store: problems."""

from __future__ import annotations

from uuid import UUID

from store.model import TimeRange
from store.problems import StoredProblem
from store.protocol import Store
from store.times import MINUTE
from tests.builders import T0

ALWAYS = TimeRange(0, T0 + 900 * MINUTE)


def problem(number: int, since: int, ended: int = 0, updated: int = 0) -> StoredProblem:
    """Minutes after T0; ``ended`` 0: it lasts."""
    end = T0 + ended * MINUTE if ended else 0
    at = T0 + (updated or ended or since) * MINUTE
    return StoredProblem(
        UUID(int=number), T0 + since * MINUTE, end, at, '{"why":"„ü“ \'\\\\"}'.encode()
    )


class ProblemContract:
    """`store.problems.ProblemStore`."""

    def test_the_newest_of_a_problem_applies(self, store: Store) -> None:
        """A write that comes late changes nothing."""
        lasting, ended = problem(1, 5), problem(1, 5, 9)
        store.put_problems([lasting])
        assert store.get_problem(UUID(int=1)) == lasting
        store.put_problems([ended])
        store.put_problems([lasting])
        assert store.find_problems(ALWAYS, limit=9) == [ended]
        assert store.get_problem(UUID(int=1)) == ended
        assert store.get_problem(UUID(int=2)) is None

    def test_problems_are_found_by_the_time_that_they_lasted(self, store: Store) -> None:
        """Ends are exclusive, of a window as of a problem."""
        first, second, third = problem(1, 0, 10), problem(2, 5), problem(3, 20, 30)
        store.put_problems([first, second, third])
        store.put_problems([])

        def found(start: int, end: int, active: bool | None = None, limit: int = 9) -> list[int]:
            window = TimeRange(T0 + start * MINUTE, T0 + end * MINUTE)
            every = store.find_problems(window, active=active, limit=limit)
            return [each.id.int for each in every]

        assert found(0, 5) == [1]
        assert found(9, 21) == [3, 2, 1]
        assert found(10, 20) == [2]
        assert found(30, 40) == [2]
        assert found(0, 40, active=True) == [2]
        assert found(0, 40, active=False) == [3, 1]
        assert found(0, 40, limit=2) == [3, 2]
