"""Events of an execution of a Step Functions state machine → its states, and how it ended (docs/access-logs.md). Pure.

The events are those of the execution history. Each names the one before it, so that branches and iterations that run at
the same time are separated: an event is within the state that the event before it left open.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from store.rules.identity import arn_account, arn_region

MACHINE = "AWS::StepFunctions::StateMachine"
MAX_EVENTS = 25_000
"""Of an execution: Step Functions' own limit of a standard one."""
STARTED, SUCCEEDED = "ExecutionStarted", "ExecutionSucceeded"
FAILED, TIMED_OUT, ABORTED = "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"
ENDS = (SUCCEEDED, FAILED, TIMED_OUT, ABORTED)
_ENTERED, _EXITED = "StateEntered", "StateExited"
_BAD, _GOOD = ("Failed", "TimedOut"), "Succeeded"


class Event(Struct, frozen=True):
    """An event: its number in the execution, and that of the one before it. Time in microseconds."""

    id: int
    type: str
    previous: int
    time: int
    name: str = ""
    """Of the state that was entered or left."""
    error: str = ""
    cause: str = ""


class StateRun(Struct):
    """One run of a state, with its retries."""

    id: int
    """Of the event by which it was entered."""
    name: str
    start: int
    end: int = 0
    parent: StateRun | None = None
    failed: Event | None = None
    """What failed last in it."""
    fault: bool = False
    stopped: bool = False
    """It was running when the execution ended otherwise."""


class Execution(Struct):
    """An execution that has ended."""

    arn: str
    start: int
    end: int
    outcome: str
    """The type of the event by which it ended."""
    error: str = ""
    cause: str = ""
    states: list[StateRun] = []

    @property
    def machine(self) -> str:
        """The state machine's name."""
        return machine_of(self.arn)


def machine_of(arn: str) -> str:
    """The state machine in an execution's ARN, express or standard; '' for any other text."""
    parts = arn.split(":")
    is_execution = len(parts) >= 8 and parts[2] == "states" and parts[5] in ("execution", "express")
    return parts[6].partition("/")[0] if parts[0] == "arn" and is_execution else ""


def machine_arn(arn: str) -> str:
    """The ARN of an execution's state machine."""
    parts = arn.split(":")
    return ":".join((*parts[:5], "stateMachine", machine_of(arn)))


def place_of(arn: str) -> tuple[str, str]:
    """The account and the region in an ARN."""
    return arn_account(arn), arn_region(arn)


def trace_of(arn: str) -> bytes:
    """A trace id for an execution: its log names none."""
    return blake2b(arn.encode(), digest_size=16, person=b"execution trace").digest()


def made_id(arn: str, what: str) -> int:
    """The same for all copies of its events."""
    digest = blake2b(f"{arn} {what}".encode(), digest_size=8, person=b"execution").digest()
    return int.from_bytes(digest, "big") or 1


def execution_of(arn: str, events: Iterable[Event]) -> Execution | None:
    """The execution; None of one whose beginning or end is not among its events: a log of the levels ERROR and FATAL
    says of those that failed alone that they were, so that counting them would make all look failed."""
    known = {event.id: event for event in sorted(events, key=lambda e: (e.time, e.type))}
    ordered = [known[id] for id in sorted(known)][:MAX_EVENTS]
    started = next((event for event in ordered if event.type == STARTED), None)
    ended = next((event for event in reversed(ordered) if event.type in ENDS), None)
    if started is None or ended is None or ended.id < started.id:
        return None
    end = max(started.time, ended.time)
    fold = _Fold()
    for event in ordered:
        fold.add(event)
    states = fold.ended(ended, end)
    return Execution(arn, started.time, end, ended.type, ended.error, ended.cause, states)


class _Fold:
    """States by the events within them."""

    def __init__(self) -> None:
        self.states: list[StateRun] = []
        self._within: dict[int, StateRun | None] = {}
        """By event: the innermost state that it is in, or left open."""

    def add(self, event: Event) -> None:
        """Take the next event into account."""
        within = self._within.get(event.previous)
        if event.type.endswith(_ENTERED):
            within = StateRun(event.id, event.name, event.time, parent=within)
            self.states.append(within)
        elif event.type.endswith(_EXITED):
            within = self._exit(event, within)
        elif within is not None and not event.type.startswith("Execution"):
            self._note(event, within)
        self._within[event.id] = within

    def _exit(self, event: Event, within: StateRun | None) -> StateRun | None:
        state = within
        while state is not None and (state.name != event.name or state.end):
            state = state.parent
        if state is None:  # an event between was not delivered
            unended = (s for s in reversed(self.states) if s.name == event.name and not s.end)
            state = next(unended, None)
        if state is None:
            return within
        state.end = max(state.start, event.time)
        state.fault = state.failed is not None
        return state.parent

    def _note(self, event: Event, within: StateRun) -> None:
        if event.type.endswith(_BAD):
            within.failed = event
        elif event.type.endswith(_GOOD):
            within.failed = None

    def ended(self, last: Event, end: int) -> list[StateRun]:
        """The states when the execution has ended: of those that are open, the failed ones by what failed in them."""
        failing = self._within.get(last.previous)
        while failing is not None and last.type == FAILED:
            failing.fault = failing.fault or not failing.end
            failing = failing.parent
        for state in self.states:
            if state.end:
                continue
            state.end = max(state.start, end)
            state.fault = state.fault or last.type == TIMED_OUT or state.failed is not None
            state.stopped = not state.fault and last.type != SUCCEEDED
        return self.states


def values_of(execution: Execution) -> dict[str, Any]:
    """What identifies an execution, stored with what is derived from it."""
    return {"arn": execution.arn, "start": execution.start, "end": execution.end}
