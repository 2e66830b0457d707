"""States of an execution by its events."""

from __future__ import annotations

import json
from collections.abc import Iterable
from random import Random

import pytest

from collector.decode.lambda_records.execution_logs import read_event
from store.rules.execution_documents import MOST_STATES, segment_of
from store.rules.executions import Event, Execution, execution_of, machine_of
from tests.execution_logs import (
    BEGIN,
    EXPRESS,
    FAILED,
    RAISED,
    STANDARD,
    SUCCEEDED,
    chain,
    event,
    state,
)


def events(lines: Iterable[str]) -> list[Event]:
    found = [read_event(line) for line in lines]
    return [each[1] for each in found if each]


def execution(lines: Iterable[str], arn: str = EXPRESS) -> Execution:
    found = execution_of(arn, events(lines))
    assert found is not None
    return found


def states(lines: Iterable[str]) -> list[tuple[str, int, bool]]:
    """Name, seconds and whether it is a fault."""
    return [
        (each.name, (each.end - each.start) // 10**6, each.fault)
        for each in execution(lines).states
    ]


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (EXPRESS, "fulfilment"),
        (STANDARD, "fulfilment"),
        ("arn:aws:states:eu-west-1:1:execution:fulfilment/Orders:map-run", "fulfilment"),
        ("arn:aws:states:eu-west-1:1:stateMachine:fulfilment", ""),
        ("nonsense", ""),
    ],
)
def test_the_machine_in_an_arn(arn: str, name: str) -> None:
    assert machine_of(arn) == name


def test_an_attempt_that_failed_and_was_tried_again_is_no_fault() -> None:
    assert states(SUCCEEDED) == [("ReserveStock", 5, False), ("Note", 1, False)]
    found = execution(SUCCEEDED)
    assert (found.start, found.end - found.start) == (BEGIN, 9_000_000)
    assert "fault" not in segment_of(found)


def test_the_state_in_which_an_execution_failed_is_one() -> None:
    found = execution(FAILED, STANDARD)
    document = segment_of(found)
    assert (document["fault"], document["subsegments"][0]["fault"]) == (True, True)
    (exception,) = document["cause"]["exceptions"]
    assert (exception["type"], exception["message"]) == ("OutOfStock", "none left")


def test_a_failure_that_was_caught_is_the_states_alone() -> None:
    caught = chain(
        "ExecutionStarted", state("TaskStateEntered", "Charge"), RAISED, state("TaskStateExited", "Charge"),
        state("PassStateEntered", "Refund"), state("PassStateExited", "Refund"), "ExecutionSucceeded",
    )  # fmt: skip
    assert states(caught) == [("Charge", 2, True), ("Refund", 1, False)]
    assert "fault" not in segment_of(execution(caught))


PARALLEL = [
    event(1, "ExecutionStarted", 0),
    event(2, "ParallelStateEntered", 0, name="Both"),
    event(3, "ParallelStateStarted", 2),
    event(4, "TaskStateEntered", 3, name="Ship", at=3),
    event(5, "TaskStateEntered", 3, name="Ship", at=4),
    event(6, "TaskSucceeded", 4, at=9),
    event(7, "TaskStateExited", 6, name="Ship", at=9),
    event(8, "TaskSucceeded", 5, at=10),
    event(9, "TaskStateExited", 8, name="Ship", at=10),
    event(10, "ParallelStateSucceeded", 9, at=11),
    event(11, "ParallelStateExited", 10, name="Both", at=11),
    event(12, "ExecutionSucceeded", 11, at=12),
]


def test_branches_that_run_at_once_are_distinguished() -> None:
    """Also where their states have one name."""
    expected = [("Both", 10, False), ("Ship", 6, False), ("Ship", 6, False)]
    assert states(PARALLEL) == expected
    for seed in range(20):
        shuffled = [*PARALLEL, *PARALLEL[::3]]
        Random(seed).shuffle(shuffled)
        assert states(shuffled) == expected


def test_what_was_running_when_another_branch_failed_was_stopped() -> None:
    failed = [
        *PARALLEL[:5],
        event(6, "TaskFailed", 4, error="Lost", at=9),
        event(7, "ParallelStateFailed", 6, at=9),
        event(8, "ExecutionFailed", 7, error="Lost", at=9),
    ]
    found = execution(failed)
    assert [(s.name, s.fault, s.stopped) for s in found.states] == [
        ("Both", True, False), ("Ship", True, False), ("Ship", False, True),
    ]  # fmt: skip


@pytest.mark.parametrize("outcome", ["ExecutionTimedOut", "ExecutionAborted"])
def test_timed_out_is_a_fault_and_aborted_an_error(outcome: str) -> None:
    found = execution(chain("ExecutionStarted", state("WaitStateEntered", "Carrier"), outcome))
    document = segment_of(found)
    flag = "fault" if outcome == "ExecutionTimedOut" else "error"
    assert document[flag] is document["subsegments"][0][flag] is True
    assert ("fault" in document) is (flag == "fault")


def test_a_missing_event_loses_no_state() -> None:
    """CloudWatch Logs delivers on a best-effort basis."""
    for lost in range(1, len(PARALLEL) - 1):
        rest = PARALLEL[:lost] + PARALLEL[lost + 1 :]
        found = execution(rest)
        assert all(each.end >= each.start for each in found.states)
        assert len(found.states) >= 2


@pytest.mark.parametrize("lines", [SUCCEEDED[1:], SUCCEEDED[:-1], FAILED[3:], []])
def test_without_its_start_or_its_end_it_is_unknown(lines: list[str]) -> None:
    """A log of level ERROR has FAILED[3:] alone: counted, every execution would look failed."""
    assert execution_of(EXPRESS, events(lines)) is None


def test_a_redriven_execution_ended_when_it_ended_last() -> None:
    again = [
        *FAILED,
        event(6, "ExecutionRedriven", 5, arn=STANDARD),
        event(7, "TaskSucceeded", 3, arn=STANDARD),
        event(8, "TaskStateExited", 7, arn=STANDARD, name="ReserveStock"),
        event(9, "ExecutionSucceeded", 8, arn=STANDARD),
    ]
    found = execution(again, STANDARD)
    assert (found.outcome, found.states[0].fault) == ("ExecutionSucceeded", False)


def test_a_segment_has_so_many_states_and_says_how_many_it_leaves_out() -> None:
    loop = ["ExecutionStarted"] + [
        state(kind, "Loop")
        for _ in range(MOST_STATES + 7)
        for kind in ("PassStateEntered", "PassStateExited")
    ]
    document = segment_of(execution(chain(*loop, "ExecutionSucceeded")))
    assert len(document["subsegments"]) == MOST_STATES
    assert document["metadata"]["raymap"]["states_left_out"] == 7
    assert len(json.dumps(document)) < 100_000
