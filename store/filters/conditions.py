"""Conditions that are not written as text: exact nodes, states of the entry."""

from __future__ import annotations

from collections.abc import Iterable

from store.filters.ast import (
    And,
    EdgeMatch,
    EntryState,
    Expression,
    Or,
    ServiceMatch,
)
from store.model import NodeKey, State


def touches(node: NodeKey) -> Expression:
    """Traces with a unit of exactly this node."""
    return ServiceMatch(node)


def calls_along(source: NodeKey, target: NodeKey) -> Expression:
    """Traces with a call along exactly this edge."""
    return EdgeMatch(source, target)


def entered_with(states: Iterable[State]) -> Expression:
    """Traces whose entry segment ended in one of the states."""
    return EntryState(frozenset(states))


def all_of(*conditions: Expression | None) -> Expression | None:
    """The conjunction of those that are given; None without any."""
    given = tuple(condition for condition in conditions if condition is not None)
    return And(given) if len(given) > 1 else given[0] if given else None


def any_of(conditions: Iterable[Expression]) -> Expression:
    """The disjunction of at least one condition."""
    given = tuple(conditions)
    return Or(given) if len(given) > 1 else given[0]
