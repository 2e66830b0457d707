"""Step Functions definitions (Amazon States Language) → the resources that their states call.

docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from raymap.contrib.declare.templates.arns import queue_of_url
from raymap.contrib.declare.templates.intrinsics import UNKNOWN, mentions, pattern
from raymap.contrib.declare.templates.stack import Stack
from store.declared.identity import BUCKET, BUS, FUNCTION, MACHINE, QUEUE, STREAM, TABLE, TOPIC
from store.declared.model import Evidence

MAX_STATES = 10_000
_SUBSTITUTION = re.compile(r"\$\{([A-Za-z0-9_]{1,255})\}")
_BARE = re.compile(rf"([:\[,]\s*){UNKNOWN}(?=\s*[,\]}}])")
_INTEGRATION = re.compile(r"arn:[^:]*:states:[^:]*:[^:]*:(?:aws-sdk:)?([a-z0-9]+):")
_NAMING = {
    "FunctionName": FUNCTION,
    "TableName": TABLE,
    "QueueUrl": QUEUE,
    "TopicArn": TOPIC,
    "StateMachineArn": MACHINE,
    "Bucket": BUCKET,
    "StreamName": STREAM,
}
"""Arguments of calls that name a resource."""
_SERVICES = (
    "lambda",
    "dynamodb",
    "sqs",
    "sns",
    "states",
    "s3",
    "s3objectlambda",
    "kinesis",
    "events",
    "sfn",
)


class Task(NamedTuple):
    """A state that calls something: its name, the ``Resource``, and the arguments of the call."""

    state: str
    resource: str
    arguments: Mapping[str, Any]


def read_definition(value: object, substitutions: Mapping[str, str]) -> Mapping[str, Any] | None:
    """The definition in a resolved property: an object, or JSON in a text; None if it is neither."""
    if isinstance(value, str):
        try:
            value = json.loads(
                _BARE.sub(r"\1null", _substituted(value, substitutions, as_json=True))
            )
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def _substituted(text: str, substitutions: Mapping[str, str], *, as_json: bool = False) -> str:
    """A text with its ``${substitutions}``; of those that are not given nothing is known."""

    def replaced(match: re.Match[str]) -> str:
        value = substitutions.get(match[1], UNKNOWN)
        return json.dumps(value, ensure_ascii=False)[1:-1] if as_json else value

    return _SUBSTITUTION.sub(replaced, text)


def tasks(definition: Mapping[str, Any], substitutions: Mapping[str, str]) -> Iterator[Task]:
    """The calls of all states, those inside Map and Parallel states included."""
    rest: list[Mapping[str, Any]] = [definition]
    count = 0
    while rest:
        states = rest.pop().get("States")
        for name, state in states.items() if isinstance(states, dict) else ():
            count += 1
            if count > MAX_STATES or not isinstance(state, dict):
                continue
            branches = state.get("Branches")
            inner = [*(branches if isinstance(branches, list) else ())]
            inner += [state.get("ItemProcessor"), state.get("Iterator")]
            rest.extend(each for each in inner if isinstance(each, dict))
            for call in (state, state.get("ItemReader"), state.get("ResultWriter")):
                if isinstance(call, dict) and isinstance(call.get("Resource"), str):
                    resource = _substituted(call["Resource"], substitutions)
                    yield Task(str(name), resource, _arguments(call, substitutions))


def _arguments(call: Mapping[str, Any], substitutions: Mapping[str, str]) -> Mapping[str, Any]:
    given = call.get("Arguments", call.get("Parameters"))
    if not isinstance(given, dict):
        return {}
    return {
        key: _substituted(value, substitutions) if isinstance(value, str) else value
        for key, value in given.items()
    }


def add_tasks(
    stack: Stack, machine: str, definition: Mapping[str, Any], substitutions: Mapping[str, str]
) -> None:
    """Add the calls of a state machine."""
    for task in tasks(definition, substitutions):
        found = _targets(stack, task)
        for target in found or ():
            stack.call(machine, target, Evidence.TASK)
        if found is not None and not found:
            stack.note(
                f"{machine}: what the state {task.state[:80]!r} calls is known only when it runs"
                " or is deployed"
            )


def _targets(stack: Stack, task: Task) -> list[str] | None:
    """The resources of a task; empty if they are not known, None if it calls no resource of the map."""
    integration = _INTEGRATION.match(task.resource)
    if integration is None or ":activity:" in task.resource:
        if ":activity:" in task.resource:
            return None
        return stack.targets_as(FUNCTION, task.resource)
    service = integration[1]
    if service not in _SERVICES:
        return None
    found: list[str] = []
    for name, type in _NAMING.items():
        if (value := task.arguments.get(name)) and isinstance(value, str):
            found += stack.targets_as(type, _name(type, value))
    if service == "events":
        found += _buses(stack, task.arguments.get("Entries"))
    return found


def _name(type: str, value: str) -> str:
    """A value that is computed when the machine runs (``{% … %}``) is not known."""
    if value.startswith("{%"):
        return UNKNOWN
    return queue_of_url(value) if type == QUEUE and not mentions(value) else value


def _buses(stack: Stack, entries: object) -> list[str]:
    named = (
        [e.get("EventBusName") for e in entries if isinstance(e, dict)]
        if isinstance(entries, list)
        else []
    )
    texts = {each for each in named if isinstance(each, str)} or {"default"}
    return [
        id
        for text in sorted(texts)
        for id in stack.targets_as(BUS, pattern(text) if not mentions(text) else text)
    ]
