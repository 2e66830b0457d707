"""The flow of a state machine's executions, from timelines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from api.console.timeline import timeline
from api.graph.state_flow import state_flow
from store.model import State

MACHINE = "AWS::StepFunctions::StateMachine"


def execution(number: int, *states: str, fails: str = "", **more: Any) -> dict[str, Any]:
    """A machine's segment whose states take a second each; what is below them is no state."""
    id = f"{number:08x}"
    return {
        "id": f"{id}00000000",
        "name": "order",
        "origin": MACHINE,
        "start_time": 0.0,
        "end_time": float(len(states)),
        "subsegments": [
            {
                "id": f"{id}{at + 1:08x}",
                "name": name,
                "start_time": float(at),
                "end_time": at + 1.0,
                "fault": name == fails,
                "subsegments": [{"id": f"{id}f{at:07x}", "name": "Lambda", "start_time": 0.0}],
            }
            for at, name in reversed(list(enumerate(states)))
        ],
        **more,
    }


def timelines(*documents: dict[str, Any]) -> Iterator[Any]:
    for each in documents:
        yield timeline([each], 0, {each["id"]: State.OK})


def test_states_come_in_their_order_and_count_each_time() -> None:
    flow = state_flow(
        timelines(
            execution(1, "Reserve", "Charge", "Ship"),
            execution(2, "Reserve", "Reserve", "Charge", "Ship"),
            execution(3, "Reserve", "Charge", fails="Charge"),
        ),
        "order",
        MACHINE,
    )
    assert flow.executions == 3
    assert [(s.name, s.count, s.statuses["fault"], s.total_ms) for s in flow.states] == [
        ("Reserve", 4, 0, 4000.0),
        ("Charge", 3, 1, 3000.0),
        ("Ship", 2, 0, 2000.0),
    ]
    assert dict(flow.transitions) == {
        ("", "Reserve"): 3,
        ("Reserve", "Reserve"): 1,
        ("Reserve", "Charge"): 3,
        ("Charge", "Ship"): 2,
        ("Ship", ""): 2,
        ("Charge", ""): 1,
    }


def test_other_segments_are_none_of_it() -> None:
    others = (
        execution(1, "A", name="other"),
        execution(2, "A", origin="AWS::Glue::Job"),
        {"id": "a", "name": "order", "start_time": 0.0, "end_time": 1.0},
    )
    flow = state_flow(timelines(*others), "order", MACHINE)
    assert (flow.executions, flow.states) == (0, [])


def test_an_execution_without_states_begins_and_ends() -> None:
    flow = state_flow(timelines(execution(1)), "order", MACHINE)
    assert dict(flow.transitions) == {("", ""): 1}
