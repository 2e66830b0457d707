"""The traces that a selection is compared with: those that could have been selected, had they ended otherwise.

They pass the same node or edge and satisfy the same filter without its parts about status, failures and latency.
A selection by none of these is compared with the other traces of the node or edge; without a filter, with all.
"""

from __future__ import annotations

from typing import NamedTuple

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
    """The filter of the comparable traces, and how it widens the selection's."""

    filters: TraceFilter
    by_outcome: bool
    """Whether only how traces ended distinguishes the selection."""
    by_place: bool
    """Whether it is selected by where the traces passed."""
    implied: frozenset[str]
    """Fields whose terms restate the selection."""


def comparable(filters: TraceFilter, scope: Expression | None) -> Comparable:
    """What a selection is compared with: of everything, with itself. ``scope``: the part of its expression that
    restricts everything."""
    expression = filters.expression
    implied = _fields(expression)
    ended = bool(filters.states or filters.error)
    if ended or (expression is not None and _is_about_outcome(expression)):
        rest = filters._replace(
            states=frozenset(),
            error=None,
            expression=None if expression is None else without_outcome(expression),
        )
        restated = implied | {"http.status"} if ended or _fails(expression) else implied
        return Comparable(rest, True, False, restated)
    if expression != scope and expression is not None:
        places = any(isinstance(e, ServiceMatch | EdgeMatch) for e in walk(expression))
        by_place = places or bool(implied & PLACES)
        return Comparable(filters._replace(expression=scope), False, by_place, implied)
    anywhere = filters._replace(node="", edge="")
    return Comparable(anywhere, False, bool(filters.node or filters.edge), implied)


def without_outcome(expression: Expression) -> Expression | None:
    """An expression that its traces satisfy, and those that would if they had ended otherwise; None for any
    trace."""
    match expression:
        case And(terms):
            return all_of(*(without_outcome(term) for term in terms))
        case Or(terms):
            widened = [without_outcome(term) for term in terms]
            some = [term for term in widened if term is not None]
            return any_of(some) if len(some) == len(widened) else None
        case ServiceMatch(condition=condition) | EdgeMatch(condition=condition):
            if condition is None:
                return expression
            return replace(expression, condition=without_outcome(condition))
    return None if _is_about_outcome(expression) else expression


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
