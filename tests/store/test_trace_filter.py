"""Whether a trace matches a query, with and without its calls."""

from __future__ import annotations

import msgspec
import pytest

from store.model import NodeKey, State, TimeRange, client_of
from store.protocol import TraceQuery
from store.trace_filter import matches, matches_without_calls
from tests.builders import FRONTEND, T0, call, segment, trace_of

WINDOW = TimeRange(T0, T0 + 1)
BACKEND = call().node
OTHER = NodeKey("", "other", "")
TRACE = trace_of(segment(0xA1, state=State.FAULT, annotations=("k=1", "l=2"), calls=(call(0xC1),)))


def query(**conditions: object) -> TraceQuery:
    return TraceQuery(WINDOW, **conditions)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("conditions", "expected", "without_calls"),
    [
        ({}, True, True),
        ({"annotations": ("k=1", "l=2")}, True, True),
        ({"annotations": ("k=2",)}, False, False),
        ({"states": frozenset({State.FAULT})}, True, True),
        ({"states": frozenset({State.OK})}, False, False),
        ({"node": FRONTEND}, True, True),
        ({"node": client_of(FRONTEND)}, True, True),
        ({"node": BACKEND}, True, None),
        ({"node": OTHER}, False, None),
        ({"edge": (FRONTEND, BACKEND)}, True, None),
        ({"edge": (FRONTEND, OTHER)}, False, None),
    ],
)
def test_conditions(
    conditions: dict[str, object], expected: bool, without_calls: bool | None
) -> None:
    """Documents alone decide where they can, and then as the calls would."""
    assert matches(TRACE, query(**conditions)) is expected
    bare = msgspec.structs.replace(TRACE, calls={})
    assert matches_without_calls(bare, query(**conditions)) is without_calls


def test_a_parent_that_may_be_a_call_leaves_the_entry_open() -> None:
    trace = trace_of(segment(0xA1, parent_id=0xC1))
    assert matches(trace, query(states=frozenset({State.OK})))
    assert matches_without_calls(trace, query(states=frozenset({State.OK}))) is None
