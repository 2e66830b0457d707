"""Which sides of one time a comparison is of, as a request names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request

from api.comparison.read import Compared, Grouped, compare_parts
from api.comparison.sides import OF_KEYS, By, Values, commonest, parts_of_filters, values_of
from api.context import Context
from api.errors import ApiError
from api.schemas.compare import ComparedValue
from api.xray.groups import read_filter
from store.filters.ast import Expression
from store.filters.conditions import all_of
from store.filters.errors import FilterError
from store.model import TimeRange

MOST_VALUES = 50
"""Values that an answer lists."""
MOST_NAMED = 5
"""Values that an error names."""
BY = Query(
    description="compare two sides of the window instead of two periods: requests with two values of this, or the traces of two filters"
)
SIDE = Query(
    max_length=2_000,
    description="with `by`: the value of the side that the answer calls `now`, or its filter expression; by default that with the second most requests",
)
OTHER = Query(
    max_length=2_000,
    description="with `by`: that of the side it is compared with, `then`; by default that with most requests",
)


class Sides(NamedTuple):
    """Two sides of one time; of `By.FILTER` their texts and expressions, else values, which may be '' for the commonest."""

    by: By
    side: str
    other: str
    expressions: tuple[Expression, ...] = ()


def _sides(
    request: Request,
    by: Annotated[By | None, BY] = None,
    side: Annotated[str, SIDE] = "",
    other: Annotated[str, OTHER] = "",
) -> Sides | None:
    side, other = side.strip(), other.strip()
    if by is None:
        if side or other:
            raise ApiError("side and other take by: what they are values of")
        return None
    if side and side == other:
        raise ApiError("side and other must differ")
    if by is not By.FILTER:
        return Sides(by, side, other)
    given = (("side", side), ("other", other))
    return Sides(by, side, other, tuple(_expression(request, *each) for each in given))


GivenSides = Annotated[Sides | None, Depends(_sides)]


def _expression(request: Request, name: str, text: str) -> Expression:
    try:
        found = read_filter(text, request.app.state.read_configuration)
    except FilterError as error:
        raise ApiError(f"{name}: {error}", code="InvalidFilter", position=error.position) from None
    if found is None:
        raise ApiError(f"{name}: expected a filter expression")
    return found


class ComparedSides(NamedTuple):
    """What was compared, by what, and which values there are to compare."""

    compared: Compared
    side: str
    other: str
    values: list[ComparedValue]


def compare_sides(
    context: Context,
    window: TimeRange,
    sides: Sides,
    expression: Expression | None,
    grouped: Grouped | None = None,
) -> ComparedSides:
    """Of a window of whole minutes. ApiError for what it does not have."""
    if sides.expressions:
        both = [all_of(expression, each) for each in sides.expressions]
        parts = parts_of_filters(context, window, [each for each in both if each is not None])
        return ComparedSides(
            compare_parts(window, parts, None, grouped), sides.side, sides.other, []
        )
    if expression is not None and sides.by in OF_KEYS:
        raise ApiError(f"filter: by={sides.by} compares all requests; expected no filter")
    values = values_of(context, window, sides.by, expression)
    side, other = _chosen(sides, values, commonest(values.requests))
    compared = compare_parts(window, values.parts(side, other), values.backlog, grouped)
    listed: list[ComparedValue] = [
        {"value": each, "requests": values.requests[each]}
        for each in commonest(values.requests)[:MOST_VALUES]
    ]
    return ComparedSides(compared, side, other, listed)


def _chosen(sides: Sides, values: Values, every: Sequence[str]) -> tuple[str, str]:
    """The values of both sides."""
    named = ", ".join(map(repr, every[:MOST_NAMED])) or "none"
    for name, value in (("side", sides.side), ("other", sides.other)):
        if value and value not in values.requests:
            raise ApiError(
                f"{name}: no {sides.by} {value[:60]!r} in this window, which has {named}",
                code="NoSuchValue",
                status=404,
            )
    given = {sides.side, sides.other}
    rest = iter([each for each in every if each not in given])
    other = sides.other or next(rest, "")
    side = sides.side or next(rest, "")
    if not (side and other):
        raise ApiError(
            f"by: expected two values of {sides.by} in this window, which has {named}",
            code="NoSuchValue",
            status=404,
        )
    return side, other
