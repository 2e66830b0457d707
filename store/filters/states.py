"""In which states the units may be that satisfy the condition of a block."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import NamedTuple

from store.filters.ast import And, Bare, Compare, Expression, Field, Not, Or
from store.model import State

STATES: Mapping[str, tuple[State, ...]] = {
    "ok": (State.OK,),
    "error": (State.ERROR, State.THROTTLE),
    "throttle": (State.THROTTLE,),
    "fault": (State.FAULT,),
    "partial": (State.IN_PROGRESS,),
}
"""The states of units of which a keyword is true."""
ANY_STATE = frozenset(State)
_NO_STATE = frozenset[State]()


class _Bounds(NamedTuple):
    """``may``: the states of units that satisfy a condition; ``must``: those in which all units do."""

    may: frozenset[State]
    must: frozenset[State]


def possible_states(condition: Expression | None) -> frozenset[State]:
    """A unit that satisfies a condition (None: any unit) is in one of these."""
    return ANY_STATE if condition is None else _bounds(condition).may


def _bounds(condition: Expression) -> _Bounds:
    match condition:
        case And(terms):
            return reduce(_both, map(_bounds, terms), _Bounds(ANY_STATE, ANY_STATE))
        case Or(terms):
            return reduce(_either, map(_bounds, terms), _Bounds(_NO_STATE, _NO_STATE))
        case Not(term):
            return _opposite(_bounds(term))
        case Bare(Field(keyword)) if keyword in STATES:
            return _exactly(keyword)
        case Compare(Field(keyword), operator, value) if keyword in STATES:
            is_true = (operator == "=") == (value is True)
            return _exactly(keyword) if is_true else _opposite(_exactly(keyword))
    return _Bounds(ANY_STATE, _NO_STATE)


def _exactly(keyword: str) -> _Bounds:
    states = frozenset(STATES[keyword])
    return _Bounds(states, states)


def _both(one: _Bounds, other: _Bounds) -> _Bounds:
    return _Bounds(one.may & other.may, one.must & other.must)


def _either(one: _Bounds, other: _Bounds) -> _Bounds:
    return _Bounds(one.may | other.may, one.must | other.must)


def _opposite(bounds: _Bounds) -> _Bounds:
    return _Bounds(ANY_STATE - bounds.must, ANY_STATE - bounds.may)
