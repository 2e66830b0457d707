"""An execution of a state machine → the segment that Step Functions writes to X-Ray alone (docs/access-logs.md). Pure."""

from __future__ import annotations

from typing import Any

from store.rules.executions import (
    ABORTED,
    MACHINE,
    SUCCEEDED,
    TIMED_OUT,
    Execution,
    StateRun,
    machine_arn,
    made_id,
    place_of,
    trace_of,
    values_of,
)
from store.rules.invocations import NAMESPACE
from store.times import SECOND
from store.trace_id import format_trace_id

Json = dict[str, Any]
STANDING, DERIVED = "execution_log", "derived"
"""The annotation of a derived segment that counts."""
RECORD = "execution_record"
"""In the metadata of a derived document."""
RANK, REPORTED_RANK = 1, 8
"""For `store.model.derived_version`: of a segment, and of what takes its place where AWS reported the execution."""
MOST_STATES = 250
"""Runs of states in one segment, which has to fit into a document."""


def segment_of(execution: Execution) -> Json:
    """The segment, with a subsegment for each run of a state."""
    account, region = place_of(execution.arn)
    states = execution.states[:MOST_STATES]
    document = _document(execution) | {
        "origin": MACHINE,
        "resource_arn": machine_arn(execution.arn),
        "aws": {"account_id": account, "region": region, "execution_arn": execution.arn},
        "annotations": {STANDING: DERIVED},
        **_outcome(execution),
    }
    if states:
        document["subsegments"] = [_state(execution, state) for state in states]
    if len(execution.states) > len(states):
        left_out = len(execution.states) - len(states)
        document["metadata"][NAMESPACE]["states_left_out"] = left_out
    return document


def elsewhere(values: Json) -> Json:
    """In place of the segment of an execution that AWS reported in another trace: a subsegment that counts nowhere.
    ``values``: those of `values_of`."""
    execution = Execution(values["arn"], values["start"], values["end"], SUCCEEDED)
    parent = made_id(execution.arn, "elsewhere")
    about = {"name": "Execution", "type": "subsegment", "parent_id": f"{parent:016x}"}
    return _document(execution) | about


def _document(execution: Execution) -> Json:
    return {
        "id": f"{made_id(execution.arn, 'execution'):016x}",
        "trace_id": format_trace_id(trace_of(execution.arn)),
        "name": execution.machine,
        "start_time": execution.start / SECOND,
        "end_time": execution.end / SECOND,
        "metadata": {NAMESPACE: {RECORD: values_of(execution)}},
    }


def _outcome(execution: Execution) -> Json:
    """An execution that was aborted was stopped by a call: that is no fault of its own."""
    if execution.outcome == SUCCEEDED:
        return {}
    flag = "error" if execution.outcome == ABORTED else "fault"
    default = "States.Timeout" if execution.outcome == TIMED_OUT else execution.outcome
    return {flag: True} | _cause(execution, "end", execution.error or default, execution.cause)


def _state(execution: Execution, state: StateRun) -> Json:
    content: Json = {
        "id": f"{made_id(execution.arn, f'state {state.id}'):016x}",
        "name": state.name,
        "start_time": state.start / SECOND,
        "end_time": state.end / SECOND,
    }
    if state.fault:
        content["fault"] = True
        if state.failed is not None:
            error = state.failed.error or state.failed.type
            content |= _cause(execution, f"failure {state.id}", error, state.failed.cause)
    elif state.stopped:
        content["error"] = True
    return content


def _cause(execution: Execution, what: str, type: str, message: str) -> Json:
    exception = {"id": f"{made_id(execution.arn, what):016x}", "type": type, "message": message}
    return {"cause": {"exceptions": [{k: v for k, v in exception.items() if v}]}}
