"""Documents of the contract's tests, the nodes that they make, and the window they lie in."""

from __future__ import annotations

from store.model import (
    Document,
    NodeKey,
    State,
    TimeRange,
)
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id

HOUR = TimeRange(T0 - 30 * MINUTE, T0 + 30 * MINUTE)
FRONTEND = NodeKey("", "frontend", "")
BACKEND = NodeKey("", "backend.example.com", "remote")
CLIENT = NodeKey("", "frontend", "client")


def failing_calls() -> list[Document]:
    """Three traces whose entries succeed and whose calls to the backend end in different ways."""

    def trace(number: int, *states: tuple[State, str], start: int) -> Document:
        calls = tuple(
            call(
                number * 16 + at, start=start + at, end=start + 9, state=state, exception=exception
            )
            for at, (state, exception) in enumerate(states)
        )
        id = trace_id(number)
        return segment(number, trace_id=id, start=start, end=start + 10, calls=calls)

    return [
        trace(
            1,
            (State.FAULT, "Timeout"),
            (State.FAULT, ""),
            (State.OK, ""),
            start=T0,
        ),
        trace(2, (State.ERROR, "Timeout"), start=T0 + 30 * SECOND),
        # Begun in the trace's minute, called in the next.
        trace(3, (State.FAULT, "Refused"), start=T0 + 2 * MINUTE),
    ]
