"""Lines of a state machine's execution log ↔ events of executions (docs/access-logs.md). Pure.

An execution lasts up to a year, and its events come in many deliveries: they are stored as log lines, in a form of ours
that begins with what its states are made of, and read again when it has ended (`raymap.execution_joiner`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from collector.decode.lambda_records.events import damaged
from collector.decode.lambda_records.fold import Origin
from collector.decode.lambda_records.lines import StreamLine
from collector.decode.rejected import Rejected
from store.log_lines import EXECUTION, MAX_BODY, LogLine
from store.rules.event_sources import MAX_ARN
from store.rules.executions import ENDS, MACHINE, Event, machine_of, place_of, trace_of

MAX_TEXT = 1_000
"""Characters of an error or its cause."""
MAX_NAME = 80
"""Characters of the name of a state, or of a machine: Step Functions' own limit."""
_DATA = ("input", "output", "inputDetails", "outputDetails", "parameters")
_LATEST = 253_402_300_799_000
"""Milliseconds: the end of the year 9999."""
_NAMED = ("id", "type", "previous_event_id", "event_timestamp", "execution_arn", "redrive_count")
_NUMBER = re.compile(r"\d{1,16}\Z")
_MILLISECOND = 1_000


class ExecutionLines(NamedTuple):
    """What came of the lines of one stream: events as they are stored, the lines that are none, and damage."""

    lines: list[LogLine]
    others: list[StreamLine]
    rejected: list[Rejected]


def take_execution_lines(
    origin: Origin, stream: Iterable[StreamLine], source: str
) -> ExecutionLines:
    """Read the events among the lines of a stream. A damaged one remains a line like any other."""
    found = ExecutionLines([], [], [])
    for line in stream:
        try:
            stored = _stored(line.text, origin, source) if is_execution_line(line.text) else None
        except Rejected as rejection:
            found.rejected.append(rejection.as_value())
            stored = None
        if stored is None:
            found.others.append(line)
        else:
            found.lines.append(stored)
    return found


def is_execution_line(text: str) -> bool:
    """Whether a line may be an event: cheap, and sure of all others."""
    return text.startswith("{") and '"execution_arn"' in text and '"previous_event_id"' in text


def _stored(text: str, origin: Origin, source: str) -> LogLine | None:
    members = _members(text)
    if members is None or not all(name in members for name in _NAMED[:5]):
        return None
    event, arn = _event(members), members["execution_arn"]
    account, region = place_of(arn)
    return LogLine(
        event.time,
        _body(members),
        machine_of(arn),
        MACHINE,
        account or origin.account,
        region or origin.region,
        trace_id=trace_of(arn),
        severity="error" if event.error or event.type.endswith(("Failed", "TimedOut")) else "info",
        record=EXECUTION if event.type in ENDS else "",
        log_group=origin.log_group,
        log_stream=origin.log_stream,
        source=source,
    )


def _members(text: str) -> Mapping[str, Any] | None:
    try:
        members = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return members if isinstance(members, dict) else None


def _body(members: Mapping[str, Any]) -> str:
    """The event with its details last, and without input and output where it would be too long to be read again."""
    named = {name: members[name] for name in _NAMED if name in members}
    given = _details(members)
    short = {key: _bounded(value) for key, value in given.items() if key not in _DATA}
    for details in (given, short, {key: short[key] for key in ("name", "error") if key in short}):
        body = msgspec.json.encode(named | {"details": details}).decode()
        if len(body) <= MAX_BODY:
            break
    return body


def _details(members: Mapping[str, Any]) -> Mapping[str, Any]:
    details = members.get("details")
    return details if isinstance(details, dict) else {}


def _bounded(value: Any) -> Any:
    return value[:MAX_TEXT] if isinstance(value, str) else value


def _event(members: Mapping[str, Any]) -> Event:
    arn, type = members["execution_arn"], members["type"]
    if not isinstance(arn, str) or len(arn) > MAX_ARN or not 0 < len(machine_of(arn)) <= MAX_NAME:
        raise damaged(f"an execution log: execution_arn: got {str(arn)[:60]!r}")
    if not isinstance(type, str) or not 0 < len(type) <= MAX_NAME:
        raise damaged("an execution log: type: expected a name")
    time = _number(members, "event_timestamp")
    if time > _LATEST:
        raise damaged("an execution log: event_timestamp: expected milliseconds")
    details = _details(members)
    return Event(
        _number(members, "id"),
        type,
        _number(members, "previous_event_id"),
        time * _MILLISECOND,
        _text(details, "name", MAX_NAME),
        _text(details, "error"),
        _text(details, "cause"),
    )


def _number(members: Mapping[str, Any], name: str) -> int:
    value = members[name]
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _NUMBER.match(text) or not text.isascii():
        raise damaged(f"an execution log: {name}: expected a number, got {str(value)[:40]!r}")
    return int(text)


def _text(details: Mapping[str, Any], name: str, most: int = MAX_TEXT) -> str:
    value = details.get(name)
    return value[:most] if isinstance(value, str) else ""


def read_event(body: str) -> tuple[str, Event] | None:
    """The execution and the event of a stored line; None if a rule of redaction left too little of it."""
    members = _members(body)
    if members is None or not all(name in members for name in _NAMED[:5]):
        return None
    try:
        return members["execution_arn"], _event(members)
    except Rejected:
        return None
