"""Events of a state machine's execution log, in the form of a capture that others published: level ALL, without execution
data, ids and times as text."""

from __future__ import annotations

import json
from typing import Any

from tests.lambda_samples import ACCOUNT, END, REGION, log_batch

GROUP = "/aws/vendedlogs/states/fulfilment-Logs"
STREAM = "states/fulfilment/2026-11-24-22-40/7851b2d9"
BEGIN = END - 10_000_000
"""Microseconds: when the execution starts; each event is a second after the one before it."""
EXPRESS = f"arn:aws:states:{REGION}:{ACCOUNT}:express:fulfilment:d0dbefd8:7fa0cfbe"
STANDARD = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:fulfilment:order-7"
Step = tuple[Any, ...]


def event(
    id: int, type: str, previous: int, *, arn: str = EXPRESS, at: int | None = None, **details: Any
) -> str:
    """A line. ``at``: seconds after the start, by default one for each event before it."""
    time = BEGIN // 1000 + 1000 * (id - 1 if at is None else at)
    return json.dumps(
        {
            "details": details,
            "redrive_count": "0",
            "id": str(id),
            "type": type,
            "previous_event_id": str(previous),
            "event_timestamp": str(time),
            "execution_arn": arn,
        },
        separators=(",", ":"),
    )


def chain(*steps: str | tuple[str, dict[str, Any]], arn: str = EXPRESS) -> list[str]:
    """Events that follow each other; the first has no predecessor."""
    lines = []
    for id, step in enumerate(steps, start=1):
        type, details = (step, {}) if isinstance(step, str) else step
        lines.append(event(id, type, id - 1, arn=arn, **details))
    return lines


def state(kind: str, name: str) -> tuple[str, dict[str, Any]]:
    """``TaskStateEntered`` and its like."""
    return kind, {"name": name}


INVOKE = ("TaskScheduled", {"resourceType": "lambda", "resource": "invoke", "region": REGION})
RAISED = (
    "TaskFailed",
    {"resourceType": "lambda", "resource": "invoke", "error": "OutOfStock", "cause": "none left"},
)
SUCCEEDED = chain(
    "ExecutionStarted",
    state("TaskStateEntered", "ReserveStock"),
    INVOKE,
    RAISED,
    INVOKE,
    "TaskSucceeded",
    state("TaskStateExited", "ReserveStock"),
    state("PassStateEntered", "Note"),
    state("PassStateExited", "Note"),
    "ExecutionSucceeded",
)
"""The first attempt of its first state fails."""
FAILED = chain(
    "ExecutionStarted",
    state("TaskStateEntered", "ReserveStock"),
    INVOKE,
    RAISED,
    ("ExecutionFailed", {"error": "OutOfStock", "cause": "none left"}),
    arn=STANDARD,
)


def execution_batch(*lines: str, **change: Any) -> dict[str, Any]:
    """Log events of a state machine's log group."""
    return log_batch(*lines, **({"logGroup": GROUP, "logStream": STREAM} | change))
