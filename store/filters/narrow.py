"""Conditions that a filter expression implies and that stores have indexes for.

Only what every match satisfies may be added to a query: the terms that a top-level AND joins. The
expression itself still decides (`store.filters.evaluate`).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from store.filters.ast import And, Bare, Compare, Expression
from store.model import State
from store.protocol import TraceQuery
from store.rules.annotations import annotation_item

_STATES = {
    "ok": frozenset((State.OK,)),
    "fault": frozenset((State.FAULT,)),
    "error": frozenset((State.ERROR, State.THROTTLE)),
}
"""Entry states by flag. ``throttle`` is missing: outside of blocks it reads the whole trace."""


def narrowed(query: TraceQuery) -> TraceQuery:
    """The query with the annotations and entry states that its filter implies."""
    if query.filter is None:
        return query
    annotations = dict.fromkeys(query.annotations)
    states = query.states
    for term in _conjuncts(query.filter):
        match term:
            case Compare(field, "=", value) if field.keyword == "annotation":
                annotations[annotation_item(field.key, value)] = None
            case Bare(field) | Compare(field, "=", True) if field.keyword in _STATES:
                implied = _STATES[field.keyword]
                states = states & implied if states else implied
    if query.node is not None or query.edge is not None or not states:
        states = query.states
    return replace(query, annotations=tuple(annotations), states=states)


def _conjuncts(expression: Expression) -> Iterator[Expression]:
    if isinstance(expression, And):
        for term in expression.terms:
            yield from _conjuncts(term)
    else:
        yield expression
