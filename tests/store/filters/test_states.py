"""States of units that satisfy a condition: all that do, and only those where the state alone decides."""

from __future__ import annotations

import pytest
from hypothesis import given

from store.filters.ast import Compare, Expression, Field, ServiceMatch
from store.filters.evaluate import satisfies
from store.filters.keywords import Scope
from store.filters.parse import parse
from store.filters.states import ANY_STATE, possible_states
from store.filters.units import ServiceUnit
from store.model import NO_HTTP, NodeKey, State
from tests.store.filters.strategies import combined, field_tests

ERRORS = {State.ERROR, State.THROTTLE}


@pytest.mark.parametrize(
    ("block", "states"),
    [
        ("fault", {State.FAULT}),
        ("error", ERRORS),
        ("throttle", {State.THROTTLE}),
        ("ok = false", ANY_STATE - {State.OK}),
        ("fault OR error", ERRORS | {State.FAULT}),
        ("error AND throttle", {State.THROTTLE}),
        ("!fault", ANY_STATE - {State.FAULT}),
        ("!(fault AND responsetime > 1)", ANY_STATE),
        ("fault AND responsetime > 1", {State.FAULT}),
        ("fault AND ok", set()),
        ("responsetime > 1", ANY_STATE),
    ],
)
def test_states(block: str, states: set[State]) -> None:
    match = parse(f'service("a") {{ {block} }}')
    assert isinstance(match, ServiceMatch)
    assert possible_states(match.condition) == states


def unit(state: State) -> ServiceUnit:
    took = None if state is State.IN_PROGRESS else 1_000_000
    return ServiceUnit(NodeKey("", "a", ""), frozenset(), state, took, NO_HTTP, True, False, None)


@given(condition=combined(field_tests(Scope.SERVICE)))
def test_no_state_is_missing(condition: Expression) -> None:
    satisfying = {state for state in State if satisfies(condition, unit(state))}
    assert satisfying <= possible_states(condition)


def test_no_condition() -> None:
    assert possible_states(None) == ANY_STATE
    assert possible_states(Compare(Field("responsetime"), ">", 1.0)) == ANY_STATE
