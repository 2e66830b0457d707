"""Which filters few traces match, by their form: a guess, for speed only."""

from __future__ import annotations

from store.filters.ast import (
    And,
    Bare,
    Compare,
    EdgeMatch,
    EntryState,
    Exists,
    Expression,
    MayHaveFailed,
    OneOf,
    Or,
    RootCauseMatch,
    RootCausePath,
    ServiceMatch,
    Streamed,
)
from store.filters.settled import reads_entry
from store.model import State

_RARE = frozenset(("annotation", "user", "error", "throttle", "fault", "partial"))
"""Keywords that are rarely true of a trace."""
_MEASURED = frozenset(("duration", "responsetime", "http.status"))
_EXACT = frozenset(("http.url", "http.clientip", "instance.id", "resource.arn"))
_FAILURES = frozenset((State.ERROR, State.THROTTLE, State.FAULT))


def is_selective(expression: Expression) -> bool:
    """Whether a small part of all traces matches, as far as can be guessed."""
    match expression:
        case And(terms):
            return any(map(is_selective, terms))
        case Or(terms):
            return all(map(is_selective, terms))
        case EntryState(states):
            return states <= _FAILURES
        case Bare(field) | Exists(field):
            return field.keyword in _RARE
        case Compare(field, operator, value):
            if field.keyword in _MEASURED:
                return operator in ("=", ">", ">=")
            rare = field.keyword in _RARE | _EXACT
            return rare and value is not False and operator != "!="
        case OneOf(field):
            return field.keyword in _RARE | _MEASURED | _EXACT
        case ServiceMatch(condition=condition) | EdgeMatch(condition=condition):
            return condition is not None and is_selective(condition)
    return isinstance(expression, MayHaveFailed | RootCauseMatch | RootCausePath | Streamed)


def is_likely(expression: Expression) -> bool:
    """Whether most of the traces match that have a row which an expression needs: not where it needs several rows,
    or that of the entry."""
    return not (isinstance(expression, And | EdgeMatch) or reads_entry(expression))
