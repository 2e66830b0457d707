"""The error budget of a service level objective. Pure."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import NamedTuple

from store.graph import Statistics
from store.objectives import Indicator, Objective


class Budget(NamedTuple):
    """How many requests of an interval were good; ``goal``: the share that should be.

    All arithmetic is exact: 0.1 % of a thousand requests is one.
    """

    good: int
    total: int
    goal: Fraction

    @property
    def failed(self) -> int:
        """Requests that were not good."""
        return self.total - self.good

    @property
    def allowed(self) -> Fraction:
        """How many requests might fail."""
        return self.total * (1 - self.goal)

    @property
    def remaining(self) -> int:
        """How many more requests may fail before another one is good; negative beyond the budget."""
        return floor(self.good / self.goal) - self.total

    def status(self, warning: float) -> str:
        """As AWS names it; ``warning``: percent of the budget."""
        if not self.total:
            return "INSUFFICIENT_DATA"
        if self.failed >= self.allowed:
            return "BREACHED"
        left = 100 * (self.allowed - self.failed) / self.allowed
        return "WARNING" if left < warning else "OK"


def budget_of(objective: Objective, statistics: Statistics) -> Budget:
    """The budget that finished requests leave."""
    goal = Fraction(str(objective.goal)) / 100
    if objective.indicator is Indicator.AVAILABILITY:
        return Budget(statistics.total - statistics.fault, statistics.total, goal)
    times = statistics.histogram
    limit = objective.threshold * 1_000
    good = sum(
        count
        for time, count in times.items()
        if time < limit or (objective.inclusive and time == limit)
    )
    return Budget(good, sum(times.values()), goal)
