"""The two sides of one time: the requests with one value of a dimension beside those with another one, or the traces of
two filters.

An edge is on the side of its caller, and where that has no value, such as a client, on that of what it leads to. What
has no value itself, such as the table that a service calls, is on neither side: the calls to it are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from api.comparison.accounts import parts_of_keys
from api.comparison.part import Part
from api.context import Context
from store.filters.ast import Expression
from store.memory_minutes import counted_units, counts_of, series_id
from store.model import TimeRange
from store.query import Backlog
from store.rules.dimensions import Dimension
from store.service_graph import graph_of_units
from store.units import NodeUnit, Unit

Traced = list[tuple[bytes, Unit]]


class By(StrEnum):
    """What tells the sides apart."""

    VERSION = "version"
    ENVIRONMENT = "environment"
    ACCOUNT = "account"
    REGION = "region"
    OPERATION = "operation"
    METHOD = "method"
    STATUS = "status"
    FILTER = "filter"


OF_KEYS = (By.ACCOUNT, By.REGION)
"""What the key of a node has: counted from rollups, however many requests there are."""


class Values(NamedTuple):
    """The values of a dimension in a window with the requests that have each, what makes the parts of two of them, and what
    is not counted yet."""

    requests: Counter[str]
    parts: Callable[[str, str], tuple[Part, Part]]
    backlog: Backlog | None = None


def values_of(context: Context, window: TimeRange, by: By, expression: Expression | None) -> Values:
    """Of every dimension but `By.FILTER`. Raises TooManyTraces, or ApiError for a map that is too large."""
    if by in OF_KEYS:
        return Values(*parts_of_keys(context, window, by.value))
    units: dict[str, Traced] = {}
    requests: Counter[str] = Counter()
    for trace_id, found in context.store.grouped_units(window, Dimension(by.value), expression):
        is_node = isinstance(found.unit, NodeUnit)
        value = found.value if is_node else found.source_value or found.value
        if value:
            units.setdefault(value, []).append((trace_id, found.unit))
            requests[value] += is_node

    def parts(one: str, other: str) -> tuple[Part, Part]:
        return parts_of_units(context, [units.get(value, []) for value in (one, other)])

    return Values(requests, parts)


def parts_of_filters(
    context: Context, window: TimeRange, expressions: Sequence[Expression]
) -> tuple[Part, Part]:
    """The traces that satisfy each of two expressions. Raises TooManyTraces."""
    units = [list(context.store.filtered_units(window, each)) for each in expressions]
    return parts_of_units(context, units)


def parts_of_units(context: Context, units: Sequence[Traced]) -> tuple[Part, Part]:
    """Of the units of both sides."""
    settled = context.settled_before()
    counted = [counted_units(unit for _, unit in side) for side in units]
    minutes = sorted(counted[0].keys() | counted[1].keys())
    one, other = (
        Part(
            graph_of_units(side, settled),
            [counts_of(minute, found.get(minute, {})) for minute in minutes],
            {series_id(each): each for minute in found.values() for each in minute},
            len(found),
        )
        for side, found in zip(units, counted, strict=True)
    )
    return one, other


def commonest(requests: Mapping[str, int]) -> list[str]:
    """Values, those with most requests first."""
    return sorted(requests, key=lambda value: (-requests[value], value))
