"""How executions of a state machine go through its states: counted from the timelines of traces. Pure.

Step Functions writes a subsegment for each state below the machine's segment. A state that is tried again, or that
a loop enters again, counts each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from api.schemas.traces import TraceRow

BEGIN, END = "", ""
"""Beside a state's name in a transition: where an execution begins, and where it ends."""
MOST_STATES = 100


@dataclass(slots=True)
class StateCounts:
    """What one state did; ``total_ms``: of the executions of it that have ended."""

    name: str
    total_ms: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    positions: int = 0
    """Sum of its places among the states of an execution."""

    @property
    def count(self) -> int:
        """How often it was entered."""
        return sum(self.statuses.values())


@dataclass(slots=True)
class StateFlow:
    """The states by name, in the order in which they are mostly entered, and how often one followed another."""

    executions: int
    states: list[StateCounts]
    transitions: Counter[tuple[str, str]]


def state_flow(timelines: Iterable[Sequence[TraceRow]], name: str, type: str) -> StateFlow:
    """The flow of a machine's executions in the timelines of traces."""
    executions = 0
    states: dict[str, StateCounts] = {}
    transitions: Counter[tuple[str, str]] = Counter()
    for rows in timelines:
        for execution in _executions(rows, name, type):
            executions += 1
            before = BEGIN
            for position, row in enumerate(execution):
                _count(states.setdefault(row["name"], StateCounts(row["name"])), row, position)
                transitions[before, row["name"]] += 1
                before = row["name"]
            transitions[before, END] += 1
    ordered = sorted(states.values(), key=lambda state: (state.positions / state.count, state.name))
    return StateFlow(executions, ordered[:MOST_STATES], transitions)


def _executions(rows: Sequence[TraceRow], name: str, type: str) -> list[list[TraceRow]]:
    """The states of each execution in a timeline, by start."""
    found: dict[str, list[TraceRow]] = {
        row["id"]: []
        for row in rows
        if row["kind"] == "segment" and (row["name"], row["type"]) == (name, type)
    }
    for row in rows:
        if row["kind"] == "subsegment" and row["parent"] in found:
            found[row["parent"]].append(row)
    return [sorted(states, key=lambda row: row["start_ms"]) for states in found.values()]


def _count(state: StateCounts, row: TraceRow, position: int) -> None:
    state.statuses[row["status"]] += 1
    state.positions += position
    state.total_ms += row["duration_ms"] or 0.0
