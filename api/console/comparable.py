"""The traces that a selection is compared with: those that could have been selected, had they ended otherwise.

They pass the same node or edge and satisfy the same filter without its parts about status, failures and latency.
A selection by other values is compared with the traces that have other ones; by a node alone, with all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

from msgspec.structs import replace

from api.console.params import TraceFilter
from api.console.trace_terms import field_text
from store.filters.ast import (
    And,
    Bare,
    Compare,
    EdgeMatch,
    EntryState,
    Exists,
    Expression,
    OneOf,
    Or,
    RootCauseMatch,
    RootCausePath,
    ServiceMatch,
    walk,
)
from store.filters.conditions import all_of, any_of

OUTCOMES = frozenset(
    ("ok", "error", "throttle", "fault", "partial", "responsetime", "duration", "http.status")
)
"""Keywords about how a trace or unit ended and how long it took."""
LATENCIES = frozenset(("responsetime", "duration"))
PLACES = frozenset(("name", "type"))


class Comparable(NamedTuple):
    """The filter of the comparable traces, and what follows of how it widens the selection's."""

    filters: TraceFilter
    which: str
    """What the others have in common beyond the place, in words; empty for nothing."""
    by_place: bool
    """Whether traces are selected by where they passed, and the others passed elsewhere."""
    implied: frozenset[str]
    """Fields whose terms restate the selection."""


def comparable(filters: TraceFilter, scope: Expression | None) -> Comparable:
    """What a selection is compared with: of everything, with itself. ``scope``: the part of its expression that
    restricts everything."""
    expression = _without(scope, filters.expression)
    implied = _fields(filters.expression)
    ended = bool(filters.states or filters.error)
    if ended or (expression is not None and _is_about_outcome(expression)):
        rest = None if expression is None else without_outcome(expression)
        wider = filters._replace(states=frozenset(), error=None, expression=all_of(scope, rest))
        which = "" if rest is None else "that satisfy the rest of the filter"
        restated = implied | {"http.status"} if ended or _fails(expression) else implied
        return Comparable(wider, which, False, restated)
    if expression is not None:
        rest = with_values(expression)
        wider = filters._replace(expression=all_of(scope, rest))
        which = "" if rest is None else f"with other values of {', '.join(sorted(_fields(rest)))}"
        return Comparable(wider, which, _is_about_place(expression), implied)
    anywhere = filters._replace(node="", edge="")
    return Comparable(anywhere, "", bool(filters.node or filters.edge), implied)


def without_outcome(expression: Expression) -> Expression | None:
    """An expression that its traces satisfy, and those that would if they had ended otherwise; None for any
    trace."""
    return _widened(expression, lambda e: None if _is_about_outcome(e) else e)


def with_values(expression: Expression) -> Expression | None:
    """An expression that its traces satisfy, and those with other values of its fields; None for any trace."""
    return _widened(expression, _with_value)


def _with_value(expression: Expression) -> Expression | None:
    if isinstance(expression, Compare | OneOf) and expression.field.keyword not in PLACES:
        return Exists(expression.field)
    return None


def _widened(
    expression: Expression, widen: Callable[[Expression], Expression | None]
) -> Expression | None:
    """An expression whose parts are replaced by wider ones; None for any trace."""
    match expression:
        case And(terms):
            return all_of(*(_widened(term, widen) for term in terms))
        case Or(terms):
            parts = [_widened(term, widen) for term in terms]
            some = [part for part in parts if part is not None]
            return any_of(some) if len(some) == len(parts) else None
        case ServiceMatch(condition=condition) | EdgeMatch(condition=condition):
            if condition is not None:
                return replace(expression, condition=_widened(condition, widen))
    return widen(expression)


def _without(scope: Expression | None, expression: Expression | None) -> Expression | None:
    """The part of an expression beside the scope (`api.console.scope.within`)."""
    if scope is None or expression is None:
        return expression
    return None if expression == scope else cast("And", expression).terms[1]


def _is_about_place(expression: Expression) -> bool:
    nodes = (e for e in walk(expression) if isinstance(e, ServiceMatch | EdgeMatch))
    return any(e.condition is None for e in nodes) or bool(_fields(expression) & PLACES)


def _is_about_outcome(expression: Expression) -> bool:
    causes = any(
        isinstance(each, EntryState | RootCauseMatch | RootCausePath) for each in walk(expression)
    )
    return causes or bool(_fields(expression) & OUTCOMES)


def _fails(expression: Expression | None) -> bool:
    """Whether a filter is about status: then terms about it restate it."""
    if expression is None:
        return False
    causes = any(
        isinstance(e, RootCauseMatch) and e.kind != "responsetime" for e in walk(expression)
    )
    return causes or bool(_fields(expression) & (OUTCOMES - LATENCIES))


def _fields(expression: Expression | None) -> frozenset[str]:
    """The fields that an expression reads, as terms name them."""
    if expression is None:
        return frozenset()
    return frozenset(
        field_text(each.field)
        for each in walk(expression)
        if isinstance(each, Bare | Exists | Compare | OneOf)
    )
