"""What a PromQL expression of the supported subset is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

NAME = "__name__"


@dataclass(frozen=True, slots=True)
class Matcher:
    """A comparison of a label: `=`, `!=`, `=~` or `!~`; a label that a series does not have is empty."""

    label: str
    operator: str
    value: str
    pattern: Any = None
    """Of RE2."""

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels of a series meet it."""
        own = labels.get(self.label, "")
        same = own == self.value if self.pattern is None else bool(self.pattern.fullmatch(own))
        return same != self.operator.startswith("!")


@dataclass(frozen=True, slots=True)
class Number:
    """A scalar."""

    value: float


@dataclass(frozen=True, slots=True)
class Growth:
    """`rate` or `increase` of the counters that meet all matchers, in a range of so many microseconds."""

    function: Literal["rate", "increase"]
    matchers: tuple[Matcher, ...]
    range: int


@dataclass(frozen=True, slots=True)
class Quantile:
    """`histogram_quantile`."""

    share: Expression
    vector: Expression


@dataclass(frozen=True, slots=True)
class Aggregation:
    """`sum`, `avg`, `min`, `max` or `count` over the series with the same values of some labels."""

    operator: str
    by: tuple[str, ...]
    vector: Expression


@dataclass(frozen=True, slots=True)
class Operation:
    """`+`, `-`, `*` or `/`."""

    operator: str
    left: Expression
    right: Expression


Expression = Number | Growth | Quantile | Aggregation | Operation


def is_scalar(expression: Expression) -> bool:
    """Whether the value is a number rather than a vector of series."""
    match expression:
        case Number():
            return True
        case Operation(_, left, right):
            return is_scalar(left) and is_scalar(right)
    return False


def longest_range(expression: Expression) -> int:
    """Microseconds before an instant that its value depends on."""
    match expression:
        case Growth():
            return expression.range
        case Quantile(left, right) | Operation(_, left, right):
            return max(longest_range(left), longest_range(right))
        case Aggregation(vector=vector):
            return longest_range(vector)
    return 0
